"""How the OpenAI stand-in serves any request: key, body, rate limit, latency, faults, and then the answer."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from eval_pipeline.standins.breakage import Answer, Gone, client_left_within, spoiled, unanswered
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.limits import retry_headers
from eval_pipeline.standins.openai_bodies import InvalidBodyError
from eval_pipeline.standins.openai_errors import NO_KEY, RATE_LIMITED, WRONG_KEY, OpenAIError, fault_response

MALFORMED = b'{"ok":true,"result":[1,2,3]}'

Headers = Mapping[str, str]
Answering = Callable[[FaultRule | None, Headers], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A valid request on its way: what is counted, and how its answer is made once it is due.

    Args:
        endpoint: Where it is counted, limited and spoiled.
        texts: What fault rules are matched with.
        answer: Makes the answer, spoiled as the rule says.
        model: The model that is asked.
        tokens: What it takes from the token limit.
        not_found: What a ``not_found`` fault says, if it is not about the model.
    """

    endpoint: str
    texts: Sequence[str]
    answer: Answering
    model: str = ""
    tokens: int = 0
    not_found: OpenAIError | None = None


class Desk:
    """Where every request of one stand-in is judged before it is answered."""

    def __init__(self, standin: Standin, *, accepted_keys: frozenset[str]) -> None:
        self._standin = standin
        self._accepted_keys = accepted_keys

    async def serve(self, request: Request, read: Callable[[], Work]) -> Answer:
        """Answer a request that ``read`` understands, or refuses."""
        started_s = time.monotonic()
        headers = {"x-request-id": f"req_{secrets.token_hex(16)}", "openai-version": "2020-10-01"}
        if refused := self._judge_key(request):
            return refused.response(headers)
        try:
            return await self._work_off(request, read(), headers=headers, started_s=started_s)
        except InvalidBodyError as error:
            return error.error.response(headers)

    async def _work_off(self, request: Request, work: Work, *, headers: dict[str, str], started_s: float) -> Answer:
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
        able = self._standin.kinds[work.endpoint]
        rule = self._standin.faults.choose(work.endpoint, work.texts, able=able)
        headers["openai-processing-ms"] = str(round((time.monotonic() - started_s) * 1000))
        if rule is None:
            return await work.answer(None, headers)
        counts.faults[rule.kind] += 1
        return await _faulty(rule, work, headers)

    def _judge_key(self, request: Request) -> OpenAIError | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return NO_KEY
        return WRONG_KEY if self._accepted_keys and key.strip() not in self._accepted_keys else None


async def _faulty(rule: FaultRule, work: Work, headers: Headers) -> Answer:
    """Return the answer that the rule spoils; one that is never made is not charged."""
    if unmade := fault_response(rule, headers, not_found=work.not_found) or unanswered(rule, headers):
        return unmade
    if rule.kind is FaultKind.MALFORMED:
        return json_answer(MALFORMED, headers)
    return await work.answer(rule, headers)


def json_answer(body: bytes, headers: Headers, rule: FaultRule | None = None) -> Answer:
    """Return a JSON document, its transport damaged if the rule says so."""
    whole = Response(body, headers=headers, media_type="application/json")
    return whole if rule is None else spoiled(rule, whole)
