"""The OpenAI stand-in: ``/v1/responses``, ``/v1/embeddings`` and ``/v1/models`` over HTTP.

Order of judgement, as at the real API: key, body, rate limit; then latency, then the faults.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins import openai_embeddings
from eval_pipeline.standins.breakage import Answer, Gone, client_left_within, spoiled, unanswered
from eval_pipeline.standins.control import Controls, Standin
from eval_pipeline.standins.counts import CountedEndpoint
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.limits import RateLimits, retry_headers
from eval_pipeline.standins.openai_asks import Ask, read_ask
from eval_pipeline.standins.openai_bodies import InvalidBodyError
from eval_pipeline.standins.openai_errors import NO_KEY, RATE_LIMITED, WRONG_KEY, OpenAIError, fault_response
from eval_pipeline.standins.openai_responses import (
    RESPONSE_FAULTS,
    answer_as_asked,
    conclude,
    response_object,
    usage_of,
)
from eval_pipeline.standins.replay import Recordings

MALFORMED = b'{"ok":true,"result":[1,2,3]}'
_LISTED_MODELS = ("gpt-4o", "gpt-4o-mini", *openai_embeddings.WIDTHS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions:
    """How an OpenAI stand-in starts; faults, latency and limits can be changed while it runs.

    Args:
        recordings: Answers to replay; every other question gets a made-up answer.
        accepted_keys: The API keys to accept; any key when empty.
        latency_s: Time that every valid request takes.
        faults: The fault rules in force.
        limits: When to answer 429 for real.
    """

    recordings: Recordings = field(default_factory=lambda: Recordings({}))
    accepted_keys: frozenset[str] = frozenset()
    latency_s: float = 0.0
    faults: tuple[FaultRule, ...] = ()
    limits: RateLimits = field(default_factory=RateLimits)


def create_app(options: OpenAIOptions | None = None) -> Starlette:
    """Build the application; ``app.state.standin`` is its state."""
    options = options or OpenAIOptions()
    standin = Standin(
        kinds={
            "responses": RESPONSE_FAULTS,
            "embeddings": openai_embeddings.EMBEDDING_FAULTS,
            "models": TRANSPORT_FAULTS,
        },
        rules=options.faults,
        latency_s=options.latency_s,
        limits=options.limits,
    )
    api = _OpenAI(options, standin)
    routes = [
        api.route("/v1/responses", "responses", "POST", api.respond),
        api.route("/v1/embeddings", "embeddings", "POST", api.embed),
        api.route("/v1/models", "models", "GET", api.list_models),
    ]
    app = Starlette(routes=[*routes, *Controls(standin).routes()], exception_handlers={404: unknown_url})
    app.state.standin = standin
    return app


async def unknown_url(request: Request, error: Exception) -> Response:
    """Answer a URL that does not exist as OpenAI does."""
    del error
    message = f"Unknown request URL: {request.method} {request.url.path}. Please check the URL for typos."
    return OpenAIError(status=HTTPStatus.NOT_FOUND, message=message, code="unknown_url").response({})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A valid request on its way: what is counted, and how its body is made once it is due."""

    endpoint: str
    model: str
    texts: Sequence[str]
    tokens: int
    make_body: Callable[[FaultRule | None], bytes]


class _OpenAI:
    """The endpoints of one stand-in."""

    def __init__(self, options: OpenAIOptions, standin: Standin) -> None:
        self._options = options
        self._standin = standin

    def route(
        self,
        path: str,
        name: str,
        method: str,
        answer: Callable[[Request], Awaitable[Answer]],
    ) -> Route:
        """Return the route to one endpoint, counted."""
        endpoint = CountedEndpoint(name, counts=self._standin.counts, answer=answer)
        return Route(path, endpoint, methods=[method])

    async def respond(self, request: Request) -> Answer:
        """Answer a question."""
        raw = await request.body()
        return await self._serve(request, lambda: self._response_work(read_ask(raw)))

    async def embed(self, request: Request) -> Answer:
        """Embed texts."""
        raw = await request.body()
        return await self._serve(request, lambda: self._embedding_work(openai_embeddings.read_request(raw)))

    async def list_models(self, request: Request) -> Answer:
        """List the recorded models and a few that clients look for."""
        names = sorted({*_LISTED_MODELS, *self._options.recordings.models})
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "stand-in"} for name in names]
        body = orjson.dumps({"object": "list", "data": models})
        work = _Work(endpoint="models", model="", texts=[""], tokens=0, make_body=lambda _: body)
        return await self._serve(request, lambda: work)

    def _response_work(self, ask: Ask) -> _Work:
        answer = answer_as_asked(ask, self._options.recordings.answer(ask.model, ask.question))

        def make_body(rule: FaultRule | None) -> bytes:
            outcome = conclude(ask, answer, None if rule is None else rule.kind)
            usage = None if outcome.status == "failed" else usage_of(ask, outcome)
            self._standin.counts["responses"].note_tokens(usage or {})
            hidden = rule is not None and rule.kind is FaultKind.NO_USAGE
            return orjson.dumps(response_object(ask, outcome, None if hidden else usage))

        return _Work(
            endpoint="responses",
            model=ask.model,
            texts=[ask.question],
            tokens=ask.input_tokens,
            make_body=make_body,
        )

    def _embedding_work(self, request: openai_embeddings.Request) -> _Work:
        def make_body(rule: FaultRule | None) -> bytes:
            self._standin.counts["embeddings"].note_tokens({"input": request.tokens, "total": request.tokens})
            return openai_embeddings.embedding_list(request, rule)

        return _Work(
            endpoint="embeddings",
            model=request.model,
            texts=request.texts,
            tokens=request.tokens,
            make_body=make_body,
        )

    async def _serve(self, request: Request, read: Callable[[], _Work]) -> Answer:
        started_s = time.monotonic()
        headers = {"x-request-id": f"req_{secrets.token_hex(16)}", "openai-version": "2020-10-01"}
        if refused := self._judge_key(request):
            return refused.response(headers)
        try:
            work = read()
        except InvalidBodyError as error:
            return error.error.response(headers)
        counts = self._standin.counts[work.endpoint]
        counts.note_inputs(work.model, work.texts)
        limiter = self._standin.limiters[work.endpoint]
        wait_s = limiter.admit(work.tokens)
        headers |= limiter.headers()
        if wait_s:
            return RATE_LIMITED.response(headers | retry_headers(wait_s))
        latency_s = self._standin.latency_s
        if latency_s and await client_left_within(request.receive, seconds=latency_s):
            return Gone()
        rule = self._standin.faults.choose(work.endpoint, work.texts)
        headers["openai-processing-ms"] = str(round((time.monotonic() - started_s) * 1000))
        if rule is None:
            return _json(work.make_body(None), headers)
        counts.faults[rule.kind] += 1
        return _faulty(rule, work, headers)

    def _judge_key(self, request: Request) -> OpenAIError | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return NO_KEY
        accepted = self._options.accepted_keys
        return WRONG_KEY if accepted and key.strip() not in accepted else None


def _faulty(rule: FaultRule, work: _Work, headers: Mapping[str, str]) -> Answer:
    """Return the answer that the rule spoils; one that is never made is not charged."""
    if unmade := fault_response(rule, headers) or unanswered(rule, headers):
        return unmade
    if rule.kind is FaultKind.MALFORMED:
        return _json(MALFORMED, headers)
    return spoiled(rule, _json(work.make_body(rule), headers))


def _json(body: bytes, headers: Mapping[str, str]) -> Response:
    return Response(body, headers=dict(headers), media_type="application/json")
