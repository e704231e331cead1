"""How a stand-in serves any request: key, body, rate limit, latency, faults, and then the answer.

What differs between providers, their headers and words, is told by their ``Manners``.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from eval_pipeline.standins.breakage import Answer, Gone, client_left_within, spoiled, unanswered
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import JUDGE_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.limits import RateLimiter

MALFORMED = b'{"ok":true,"result":[1,2,3]}'

Headers = Mapping[str, str]
Answering = Callable[[FaultRule | None, Headers], Awaitable[Answer]]


class ProviderError(Protocol):
    """One error as a provider words it."""

    def response(self, headers: Headers, *, message: str | None = None) -> Response:
        """Return it as an answer, with other words if given."""


class RefusedError(Exception):
    """A request that the provider would refuse."""

    def __init__(self, error: ProviderError, message: str) -> None:
        super().__init__(message)
        self.error: ProviderError = error


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
        within: What fault rules look in for their match, where that is not the texts.
        passed_over: The faults that such a request cannot meet.
    """

    endpoint: str
    texts: Sequence[str]
    answer: Answering
    model: str = ""
    tokens: int = 0
    not_found: ProviderError | None = None
    within: str | None = None
    passed_over: frozenset[FaultKind] = JUDGE_FAULTS


class Manners(Protocol):
    """How one provider words what every provider says."""

    def headers(self) -> dict[str, str]:
        """Return the headers of a new answer."""

    def judge_key(self, request: Request) -> ProviderError | None:
        """Return what is wrong with the key of a request."""

    def levels(self, limiter: RateLimiter) -> Headers:
        """Return the headers that tell what is left of the limits."""

    def timing(self, elapsed_ms: int) -> Headers:
        """Return the headers that tell how long an answer took."""

    def rate_limited(self, wait_s: float, headers: Headers) -> Response:
        """Return the answer to who asks too much."""

    def fault(self, rule: FaultRule, headers: Headers, *, not_found: ProviderError | None) -> Response | None:
        """Return the answer of a fault that is an HTTP error, or None for every other fault."""


class Reception:
    """Where every request of one stand-in is judged before it is answered."""

    def __init__(self, standin: Standin, manners: Manners) -> None:
        self._standin = standin
        self._manners = manners

    async def serve(self, request: Request, read: Callable[[], Work], *, keyless: bool = False) -> Answer:
        """Answer a request that ``read`` understands, or refuses.

        Args:
            request: The request.
            read: Understands it.
            keyless: Whether the URL itself is the permission.
        """
        started_s = time.monotonic()
        headers = self._manners.headers()
        if not keyless and (refused := self._manners.judge_key(request)):
            return refused.response(headers)
        try:
            return await self._work_off(request, read(), headers=headers, started_s=started_s)
        except RefusedError as error:
            return error.error.response(headers)

    async def _work_off(self, request: Request, work: Work, *, headers: dict[str, str], started_s: float) -> Answer:
        counts = self._standin.counts[work.endpoint]
        counts.note_inputs(work.model, work.texts)
        limiter = self._standin.limiters[work.endpoint]
        wait_s = limiter.admit(work.tokens)
        headers |= self._manners.levels(limiter)
        if wait_s:
            return self._manners.rate_limited(wait_s, headers)
        latency_s = self._standin.latency_s
        if latency_s and await client_left_within(request.receive, seconds=latency_s):
            return Gone()
        able = self._standin.kinds[work.endpoint] - work.passed_over
        rule = self._standin.faults.choose(work.endpoint, work.texts, able=able, model=work.model, within=work.within)
        headers |= self._manners.timing(round((time.monotonic() - started_s) * 1000))
        if rule is None:
            return await work.answer(None, headers)
        counts.faults[rule.kind] += 1
        return await self._faulty(rule, work, headers)

    async def _faulty(self, rule: FaultRule, work: Work, headers: Headers) -> Answer:
        """Return the answer that the rule spoils; one that is never made is not charged."""
        unmade = self._manners.fault(rule, headers, not_found=work.not_found) or unanswered(rule, headers)
        if unmade:
            return unmade
        if rule.kind is FaultKind.MALFORMED:
            return json_answer(MALFORMED, headers)
        return await work.answer(rule, headers)


def json_answer(body: bytes, headers: Headers, rule: FaultRule | None = None) -> Answer:
    """Return a JSON document, its transport damaged if the rule says so."""
    whole = Response(body, headers=headers, media_type="application/json")
    return whole if rule is None else spoiled(rule, whole)
