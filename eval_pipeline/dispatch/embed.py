"""Embeds every text of a stage once: de-duplicated, packed, several packs at a time, a bad text alone at fault.

Only digests are kept in memory. A call that the provider finds too large or faulty is halved until the guilty text
stands alone.
"""

from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemStatus, Usage, final_status
from eval_pipeline.core.ports.models import Embedder, EmbeddingFailure, EmbeddingReply
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.dispatch.breaker import AskedModel, Breaker
from eval_pipeline.dispatch.budget import Purse
from eval_pipeline.dispatch.calls import Called, Caller, run_workers
from eval_pipeline.dispatch.gate import ShouldStop, StopReason, Timing, never_stop

MAX_TEXTS = 2_048
MAX_TOKENS = 300_000
_ASCII_BYTES_PER_TOKEN = 2  # English has four; numbers, code and other scripts need more tokens
_FLOAT_BYTES = 4
REFUSED_ALONE = 5
"""After so many texts that are refused on their own, with none embedded, it is not the texts: a wrong parameter."""


def text_digest(text: str) -> bytes:
    """Return the sha256 under which a text's vector is kept."""
    return sha256(text.encode("utf-8", errors="surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Text:
    """One text to embed."""

    digest: bytes
    text: str


@dataclass(frozen=True, slots=True)
class EmbeddedText:
    """The vector of one text as little-endian float32, or why there is none."""

    digest: bytes
    vector: bytes | None
    problem: str | None
    finished: bool
    """False when asking again may help: the problem was a passing one."""
    status: ItemStatus = ItemStatus.OK
    code: str | None = None
    """Of the error, as in the record of an item."""


@dataclass(frozen=True, slots=True)
class EmbeddedPack:
    """What one call brought, with what it was billed for."""

    texts: Sequence[EmbeddedText]
    usage: Usage | None
    """None: the provider reported none, or the call failed."""
    retried_usage: Usage
    model: str | None
    billed: bool
    """Whether the call has a price, known or not."""
    unreported_calls: int = 0
    """Calls that failed and may have been billed all the same."""
    raw: str | None = None
    """The last answer, where nobody could read it."""


@dataclass(frozen=True, slots=True)
class EmbedOutcome:
    """How far the stage came: texts that got a vector, texts that did not, calls made, why it stopped early."""

    embedded: int
    failed: int
    calls: int
    stopped: StopReason | None


Pack = Sequence[Text]
EmbedResult = EmbeddingReply | EmbeddingFailure
_Caller = Caller[Sequence[str], EmbedResult]


async def embed_texts(
    texts: Iterable[str],
    *,
    embedder: Embedder,
    sink: Callable[[EmbeddedPack], Awaitable[None]],
    known: Container[bytes] = frozenset(),
    max_texts: int = MAX_TEXTS,
    policy: RetryPolicy,
    concurrency: int,
    endpoint: AskedModel,
    dimensions: int | None = None,
    purse: Purse[Sequence[str]] | None = None,
    should_stop: ShouldStop = never_stop,
    proven: bool = False,
    timing: Timing | None = None,
) -> EmbedOutcome:
    """Embed every text that is not known yet.

    Args:
        texts: drawn lazily; repeated ones are embedded once.
        embedder: the embedding model.
        sink: makes the results of one call durable.
        known: digests that need no call.
        max_texts: that one call may hold.
        policy: when a call is tried again.
        concurrency: calls under way at most; each may bring 2,048 vectors into memory.
        endpoint: whom an account fault is reported about.
        dimensions: of vectors that are already stored; None: the first one decides.
        purse: pays, when there is a budget.
        should_stop: asked before every call and while waiting.
        proven: whether texts of this stage were embedded before.
        timing: clock, sleep and jitter.

    Raises:
        EvalPipelineError: the account, the key or the address is at fault.
    """
    work = _EmbedWork(
        pack_texts(texts, known=known, max_texts=max_texts), sink=sink, breaker=Breaker(endpoint, proven=proven)
    )
    work.dimensions = dimensions
    caller = Caller(
        send=embedder.embed,
        read=_as_attempt,
        policy=policy,
        concurrency=concurrency,
        should_stop=lambda: StopReason.ACCOUNT_FAULT if work.breaker.error else should_stop(),
        purse=purse,
        timing=timing or Timing(),
    )
    await run_workers(work.run(caller) for _ in range(concurrency))
    return await work.conclude(calls=caller.calls)


def pack_texts(texts: Iterable[str], *, known: Container[bytes], max_texts: int = MAX_TEXTS) -> Iterator[Pack]:
    """Yield packs of new texts within the limits of one call; a text beyond them goes alone."""
    seen: set[bytes] = set()
    pack: list[Text] = []
    tokens = 0
    for text in texts:
        digest = text_digest(text)
        if digest in seen or digest in known:
            continue
        seen.add(digest)
        size = most_tokens(text)
        if pack and (len(pack) == max_texts or tokens + size > MAX_TOKENS):
            yield pack
            pack, tokens = [], 0
        pack.append(Text(digest, text))
        tokens += size
    if pack:
        yield pack


def most_tokens(text: str) -> int:
    """Guess high how many tokens a text has; a guess that is too low costs one refused call, which is then halved."""
    size = len(text.encode("utf-8", errors="surrogatepass"))
    return 1 + (size // _ASCII_BYTES_PER_TOKEN if size == len(text) else size)


def _as_attempt(result: EmbedResult) -> Attempt:
    if isinstance(result, EmbeddingFailure):
        return result.attempt
    return Attempt(
        outcome=AttemptOutcome.OK,
        usage=result.usage,
        model=result.model,
        latency_s=result.latency_s,
        maybe_billed=result.usage is None,
    )


class _EmbedWork:
    """What the workers share."""

    def __init__(
        self,
        packs: Iterator[Pack],
        *,
        sink: Callable[[EmbeddedPack], Awaitable[None]],
        breaker: Breaker[EmbeddedPack],
    ) -> None:
        self.breaker = breaker
        self.dimensions: int | None = None
        self._packs = packs
        self._sink = sink
        self._embedded = 0
        self._failed = 0
        self._refused_alone = 0
        self._stopped: StopReason | None = None

    async def run(self, caller: _Caller) -> None:
        """Work until there is nothing left or a reason to stop."""
        while self._stopped is None and (pack := next(self._packs, None)) is not None:
            parts = [pack]
            while parts and self._stopped is None:
                parts.extend(await self._part(parts.pop(), caller))

    async def conclude(self, *, calls: int) -> EmbedOutcome:
        """Store what was held back, or raise what is wrong with the account."""
        for pack in self.breaker.end():
            await self._store(pack)
        if self.breaker.error is not None:
            raise self.breaker.error
        return EmbedOutcome(embedded=self._embedded, failed=self._failed, calls=calls, stopped=self._stopped)

    async def _part(self, part: Pack, caller: _Caller) -> list[Pack]:
        """Embed one part; return its halves when smaller calls may help."""
        blank = [text for text in part if not text.text.strip()]
        if blank:
            await self._store(_without_call(blank))
            part = [text for text in part if text.text.strip()]
        if not part:
            return []
        called = await caller.call([text.text for text in part])
        if called.stopped is not None:
            self._stopped = self._stopped or called.stopped
        if isinstance(called.reply, EmbeddingFailure) and called.reply.divisible and self._may_divide(part):
            middle = len(part) // 2
            return [part[middle:], part[:middle]]
        await self._keep(part, called)
        return []

    def _may_divide(self, part: Pack) -> bool:
        """Tell whether halves may fare better: not where texts on their own are refused and none ever got a vector."""
        if len(part) == 1:
            self._refused_alone += 1
            return False
        return self._embedded > 0 or self._refused_alone < REFUSED_ALONE

    async def _keep(self, part: Pack, called: Called[EmbedResult]) -> None:
        if called.attempt is None or called.reply is None or (called.stopped is not None and not called.billed):
            return
        failed = isinstance(called.reply, EmbeddingFailure)
        pack = EmbeddedPack(
            texts=list(self._results(part, called.reply, attempt=called.attempt)),
            usage=called.attempt.usage,
            retried_usage=sum((call.usage for call in called.retried), Usage()),
            model=called.attempt.model,
            billed=called.attempt.usage is not None or not failed,
            unreported_calls=called.unreported_calls + (failed and called.attempt.cost_uncertain),
            raw=called.attempt.raw,
        )
        for ready in self.breaker.take(pack, called.attempt):
            await self._store(ready)

    def _results(self, part: Pack, reply: EmbedResult, *, attempt: Attempt) -> Iterator[EmbeddedText]:
        if isinstance(reply, EmbeddingFailure):
            error = attempt.error
            words = "the call failed" if error is None else f"{error.code}: {error.message}"
            permanent = not (attempt.transient or attempt.account_fault)
            finished = permanent and len(part) == 1  # of several it is not known which one is at fault
            status, code = final_status(attempt.outcome), None if error is None else error.code
            yield from (
                EmbeddedText(text.digest, None, words, finished=finished, status=status, code=code) for text in part
            )
            return
        for text, vector, problem in zip(part, reply.vectors, reply.problems, strict=True):
            yield self._checked(text, vector, problem)

    def _checked(self, text: Text, vector: bytes | None, problem: str | None) -> EmbeddedText:
        """Hold the vector against those of other calls: all have one length; asking again may bring a whole one."""
        if vector is None:
            return _malformed(text, problem or "the provider returned no vector")
        length = len(vector) // _FLOAT_BYTES
        self.dimensions = self.dimensions or length
        if length == self.dimensions:
            return EmbeddedText(text.digest, vector, None, finished=True)
        return _malformed(text, wrong_width(length, expected=self.dimensions))

    async def _store(self, pack: EmbeddedPack) -> None:
        await self._sink(pack)
        got = sum(text.vector is not None for text in pack.texts)
        self._embedded += got
        self._failed += len(pack.texts) - got


BLANK = "blank_text"
"""Code of a text that nobody is asked about."""
MALFORMED = "malformed_response"
"""Code of a text whose vector came and cannot be used; the next one may be whole."""


def wrong_width(length: int, *, expected: int) -> str:
    """Say that a vector is not as long as the others."""
    return f"the vector has {length} dimensions where {expected} are expected"


def _malformed(text: Text, problem: str) -> EmbeddedText:
    return EmbeddedText(text.digest, None, problem, finished=False, status=ItemStatus.MISSING, code=MALFORMED)


def _without_call(blank: Pack) -> EmbeddedPack:
    texts = [
        EmbeddedText(text.digest, None, "the text is blank", finished=True, status=ItemStatus.FAILED, code=BLANK)
        for text in blank
    ]
    return EmbeddedPack(texts=texts, usage=None, retried_usage=Usage(), model=None, billed=False)
