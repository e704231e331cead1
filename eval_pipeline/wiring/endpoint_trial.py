"""One question to one endpoint, outside of any run: what is sent, what comes back, what was found in it."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import shown
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome
from eval_pipeline.core.passages import passages_json
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.secrets import redact
from eval_pipeline.dispatch.breaker import explain
from eval_pipeline.providers.plan import SentRequest
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.endpoint_finding import find
from eval_pipeline.wiring.endpoints import Endpoints
from eval_pipeline.wiring.settings import Settings

SCHEMA: Final[Json] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
STRUCTURED: Final[Json] = {
    "text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}}
}
SHORT_QUESTION: Final = "What is the capital of France? Answer in one word."
_MOST_ASKED: Final = 5
_MOST_PASSAGES: Final = 5
_MASKED: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "proxy-authorization"})
_GO_ON: Final = ", then eval-pipeline run retry"
"""What hints of a run add."""
_SHOWN_CHARACTERS: Final = 4_000
_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """What a question came to."""

    endpoint: Endpoint
    model: str
    request: SentRequest
    attempt: Attempt
    cost_usd: float | None
    is_structured: bool | None
    """Whether the answer keeps to the schema that was asked for; None: none was."""
    error: EvalPipelineError | None = None
    """What is wrong with the account, the address or the model."""

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer."""
        return self.attempt.outcome is AttemptOutcome.OK

    def to_json(self) -> JsonDict:
        """Return what scripts read; nothing in it is a secret."""
        usage, error = self.attempt.usage, self.attempt.error
        return {
            "endpoint": describe(self.endpoint),
            "model": self.model,
            "request": shown_request(self.request),
            "outcome": str(self.attempt.outcome),
            "answer": self.attempt.text,
            "answered_by": self.attempt.model,
            "latency_s": self.attempt.latency_s,
            "usage": None if usage is None else {"input_tokens": usage.input, "output_tokens": usage.output},
            "passages": passages_json(self.attempt.passages),
            "cost_usd": self.cost_usd,
            "structured": self.is_structured,
            "error": None if error is None else {"code": error.code, "message": error.message},
            "hint": self.error.hint.removesuffix(_GO_ON) if self.error is not None else None,
        }

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what a person reads, line by line with its name."""
        told = self.to_json()
        request = told["request"]
        yield "request", f"{request['method']} {request['url']}"
        for name, value in request["headers"].items():
            yield f"  {name}", value
        yield "  body", json.dumps(request["body"], ensure_ascii=False)
        yield "outcome", told["outcome"]
        if told["error"] is not None:
            yield "error", f"{told['error']['code']}: {told['error']['message']}"
        if told["hint"]:
            yield "hint", told["hint"]
        if told["answer"] is not None:
            yield "answer", told["answer"][:_SHOWN_CHARACTERS]
        for passage in (told["passages"] or ())[:_MOST_PASSAGES]:
            yield "passage", passage["text"][:_SHOWN_CHARACTERS]
        if told["structured"] is not None:
            yield "structured", "it keeps to the schema" if told["structured"] else "it does not keep to the schema"
        yield "found", "; ".join(_found(told))


def _found(told: Json) -> Iterator[str]:
    usage, latency_s = told["usage"], told["latency_s"]
    yield f"model {told['answered_by'] or 'not told'}"
    yield f"{usage['input_tokens']:,} + {usage['output_tokens']:,} tokens" if usage else "no usage: its cost is unknown"
    if told["passages"] is not None:
        yield counted(len(told["passages"]), "passage")
    yield "no price is known" if told["cost_usd"] is None else f"{told['cost_usd']:.6f} USD"
    if latency_s is not None:
        yield f"{latency_s:.{_DIGITS}f} s"


def describe(endpoint: Endpoint) -> JsonDict:
    """Return an endpoint as it may be shown: without its key."""
    key = endpoint.key
    return {
        "name": endpoint.name,
        "protocol": str(endpoint.protocol),
        "base_url": redact(endpoint.base_url),
        "key": ("set: " if endpoint.has_key else "not set: ") + key.words if key.is_wanted else "none",
        "has_key": endpoint.has_key,
        "concurrency": endpoint.concurrency,
        "batches": endpoint.has_batches and endpoint.plan.batches is not None,
        "embeddings": endpoint.plan.embedder is not None,
        "transcriptions": endpoint.plan.transcriber is not None,
        "prices": {model: price.to_json() for model, price in endpoint.prices.items()},
        "file": None if endpoint.file is None else str(endpoint.file),
    }


def shown_request(request: SentRequest) -> JsonDict:
    """Return a request without its secrets: those that are known, and whatever stands in a header for them."""
    headers = {
        name: "…" if name.lower() in _MASKED else redact(str(value)) for name, value in sorted(request.headers.items())
    }
    body = json.loads(redact(json.dumps(request.body, ensure_ascii=False, default=str)))
    return {"method": request.method, "url": redact(request.url), "headers": headers, "body": body}


def try_endpoint(deployment: Deployment, text: str, *, question: str, structured: bool, project: str) -> Trial:
    """Ask the question once, as a run would.

    Args:
        deployment: whose settings count.
        text: an endpoint, or ``ENDPOINT/MODEL``.
        question: what is asked.
        structured: whether the answer is to be JSON by a schema.
        project: whose endpoints and keys.
    """
    endpoints, settings = deployment.endpoints(project), deployment.settings
    endpoint, model = _named(endpoints, text, deployment=deployment)
    wanted = STRUCTURED if structured else {}
    body: JsonDict = {"model": model, "input": question, **wanted}
    if endpoint.plan.takes_items:
        body |= {"item_id": "try", "metadata": {}}
    endpoint.plan.check_body({"model": model, **wanted})
    endpoint.require_key()
    reach = endpoint.shown_reach(settings)
    request = endpoint.plan.request(reach, body) if endpoint.plan.request is not None else SentRequest(body=body)
    attempt = asyncio.run(_ask(endpoint, body, settings=settings))
    error = None
    if attempt.account_fault is not None and attempt.error is not None:
        error = explain(attempt, models.asked_model(endpoint, model))
    return Trial(
        endpoint=endpoint,
        model=model,
        request=request,
        attempt=attempt,
        cost_usd=_cost(endpoint, model, attempt),
        is_structured=_keeps_to_schema(attempt) if structured else None,
        error=error,
    )


async def _ask(endpoint: Endpoint, body: Json, *, settings: Settings) -> Attempt:
    async with models.answerer(endpoint, settings=settings, concurrency=1) as answerer:
        return await answerer.ask(body)


@dataclass(frozen=True, slots=True)
class AskedModel:
    """Whether a model answers, and keeps to a JSON schema."""

    model: str
    answers: bool
    is_structured: bool
    problem: str = ""

    def words(self) -> str:
        """Say it in a few words."""
        if not self.answers:
            return f"{self.model} does not answer: {self.problem}"
        return f"{self.model} answers and {'keeps' if self.is_structured else 'does not keep'} to a JSON schema"


def asked_json(asked: Iterable[AskedModel]) -> JsonDict:
    """Return what scripts read of models that were asked."""
    told = {one.model: {"answers": one.answers, "structured": one.is_structured} for one in asked}
    return {"asked": told} if told else {}


def ask_models(endpoint: Endpoint, listed: Sequence[str], *, settings: Settings) -> list[AskedModel]:
    """Ask those that have a price of their own, else the first that is listed: one short question, by a schema.

    A server that knows no schema is asked a second time without; what it refused costs nothing.
    """
    named = [*endpoint.prices][:_MOST_ASKED] or list(listed[:1])
    return [
        _asked(endpoint, model, settings=settings)
        for model in ([endpoint.name] if endpoint.plan.is_one_model else named)
    ]


def _asked(endpoint: Endpoint, model: str, *, settings: Settings) -> AskedModel:
    plain: JsonDict = {"model": model, "input": SHORT_QUESTION}
    if endpoint.plan.takes_items:
        plain |= {"item_id": "doctor", "metadata": {}}
    attempt = asyncio.run(
        _ask(endpoint, plain if endpoint.plan.is_one_model else {**plain, **STRUCTURED}, settings=settings)
    )
    structured = _keeps_to_schema(attempt)
    if attempt.outcome is AttemptOutcome.FAILED and attempt.account_fault is None and not endpoint.plan.is_one_model:
        attempt = asyncio.run(_ask(endpoint, plain, settings=settings))
    answers = attempt.text is not None
    problem = "" if attempt.error is None else attempt.error.message
    return AskedModel(model, answers=answers, is_structured=structured, problem=problem)


def _named(endpoints: Endpoints, text: str, *, deployment: Deployment) -> tuple[Endpoint, str]:
    """Return an endpoint and the model to ask: the one that was named, or the first that the server lists."""
    name, _, model = text.partition("/")
    endpoint = endpoints.find(name)
    if endpoint.plan.is_one_model:
        return endpoint, name
    if model.strip():
        return endpoint, model.strip()
    found = find(endpoint, settings=deployment.settings)
    if found is not None and found.models:
        return endpoint, found.models[0]
    message = f"no model of endpoint {shown(name)} was named, and its server lists none"
    raise invalid_config(message, f"give {name}/MODEL")


def _cost(endpoint: Endpoint, model: str, attempt: Attempt) -> float | None:
    if attempt.usage is None:
        return None
    tariff = models.tariff(endpoint.frozen(model), model, mode=RunMode.FAST)
    price = tariff.price(attempt.usage, at=datetime.now(UTC), returned_model=attempt.model, served=attempt.served)
    return None if price is None else float(price.usd)


def _keeps_to_schema(attempt: Attempt) -> bool:
    try:
        document = json.loads(attempt.text or "")
    except ValueError:
        return False
    return isinstance(document, dict) and document.keys() == {"answer"} and isinstance(document["answer"], str)
