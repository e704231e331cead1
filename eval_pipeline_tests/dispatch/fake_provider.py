"""Providers that answer as they are told, for tests of what the dispatcher makes of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError, ItemRecord, Usage
from eval_pipeline.core.ports.models import EmbeddingFailure, EmbeddingReply
from eval_pipeline.dispatch.breaker import AskedModel

ENDPOINT = AskedModel("OpenAI", "http://127.0.0.1:1/v1", "gpt-4o", "OPENAI_API_KEY", "OPENAI_BASE_URL")
OK = Attempt(outcome=AttemptOutcome.OK, text="an answer", usage=Usage(input=10, output=5, total=15), model="gpt-4o")


def failure(code: str, *, transient: bool, fault: AccountFault | None = None, **facts: Any) -> Attempt:  # noqa: ANN401 - fields of Attempt
    """Return an attempt that failed."""
    outcome = AttemptOutcome.RETRYABLE if transient else AttemptOutcome.FAILED
    error = ItemError(code=code, type="test", message=f"it said {code}", transient=transient)
    return Attempt(outcome=outcome, error=error, account_fault=fault, **facts)


SERVER_ERROR = failure("server_error", transient=True)
THROTTLED = failure("rate_limit_exceeded", transient=True, throttled=True)
BAD_REQUEST = failure("invalid_value", transient=False)
WRONG_KEY = failure("invalid_api_key", transient=False, fault=AccountFault.AUTH)
REFUSED_CONNECTION = failure("connection_failed", transient=True, fault=AccountFault.UNREACHABLE)

Script = Callable[[str, int], Attempt]
"""What to answer to an input at its nth try, counted from 1."""


class FakeAnswerer:
    """A model that follows a script and counts."""

    def __init__(self, script: Script = lambda _text, _turn: OK, *, latency_s: float = 1.0) -> None:
        self._script = script
        self._latency_s = latency_s
        self.tries: Counter[str] = Counter()
        self.started_at_s: list[float] = []
        self.under_way = 0
        self.most_under_way = 0

    async def ask(self, body: Mapping[str, Any]) -> Attempt:
        text = body["input"]
        self.tries[text] += 1
        turn = self.tries[text]
        self.started_at_s.append(asyncio.get_running_loop().time())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self._latency_s)
        self.under_way -= 1
        return self._script(text, turn)


_OMITTED = "the provider returned no vector for this text"


class FakeEmbedder:
    """An embedding model that finds some texts bad and keeps what it was sent."""

    def __init__(
        self,
        *,
        bad: Sequence[str] = (),
        most_texts: int = 2048,
        width: Callable[[str], int] = lambda _text: 4,
        omitted: Sequence[str] = (),
        faults: Sequence[Attempt] = (),
        latency_s: float = 1.0,
    ) -> None:
        self._bad = frozenset(bad)
        self._most_texts = most_texts
        self._width = width
        self._omitted = frozenset(omitted)
        self._faults = list(faults)
        self._latency_s = latency_s
        self.packs: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> EmbeddingReply | EmbeddingFailure:
        self.packs.append(list(texts))
        await asyncio.sleep(self._latency_s)
        if self._faults:
            return EmbeddingFailure(attempt=self._faults.pop(0), divisible=False)
        if len(texts) > self._most_texts or self._bad & set(texts):
            return EmbeddingFailure(attempt=BAD_REQUEST, divisible=True)
        return EmbeddingReply(
            vectors=[None if text in self._omitted else b"\0\0\x80\x3f" * self._width(text) for text in texts],
            problems=[_OMITTED if text in self._omitted else None for text in texts],
            usage=Usage(input=len(texts), total=len(texts)),
            model="text-embedding-3-small",
            latency_s=self._latency_s,
        )


class Records:
    """Keeps records as a journal would, after a while."""

    def __init__(self, *, delay_s: float = 0.0) -> None:
        self._delay_s = delay_s
        self.records: dict[str, ItemRecord] = {}

    async def __call__(self, record: ItemRecord) -> None:
        await asyncio.sleep(self._delay_s)
        self.records[record.item_id] = record
