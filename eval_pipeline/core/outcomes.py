"""What became of one item: the outcome of an attempt, and the record that is kept.

An attempt's outcome says what a provider did; the status says what that means for the item. Both modes, live and
batch, share this vocabulary, so that one parser and one table serve them.
"""

from enum import StrEnum
from typing import Final, assert_never

from eval_pipeline.core.passages import Passage
from eval_pipeline.core.secrets import redact, redact_fields
from eval_pipeline.core.values import value


class AttemptOutcome(StrEnum):
    """What one attempt at one item came to; the names of ``spec/faults.md``."""

    OK = "ok"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    EMPTY = "empty"
    INVALID_OUTPUT = "invalid_output"
    FAILED = "failed"
    RETRYABLE = "retryable"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    MISSING = "missing"
    MALFORMED = "malformed"


class ItemStatus(StrEnum):
    """The outcome of an item. All but ``ok`` count as failed."""

    OK = "ok"
    FAILED = "failed"
    EMPTY = "empty"
    INCOMPLETE = "incomplete"
    REFUSED = "refused"
    MISSING = "missing"


ANSWERED = frozenset({ItemStatus.OK, ItemStatus.EMPTY, ItemStatus.INCOMPLETE, ItemStatus.REFUSED})
"""The model had its say, so that a provider charges for it."""


OK: Final = AttemptOutcome.OK
"""To look a member up in its class takes as long as a third of a record: it is looked up once."""
_ANSWERED_OK: Final = ItemStatus.OK
_CUT: Final = ItemStatus.INCOMPLETE


class AccountFault(StrEnum):
    """What is wrong with the key, the address or the account, so that every other item will meet it too."""

    AUTH = "auth"
    UNREACHABLE = "unreachable"
    NOT_AN_API = "not_an_api"
    OTHER_PROTOCOL = "other_protocol"
    MODEL_NOT_FOUND = "model_not_found"
    QUOTA = "quota"
    TOLD_TO_WAIT = "told_to_wait"
    """The provider asks to be left alone for longer than an item may take."""


REDIRECTED: Final = "redirected"
"""Code of the error of a call that was sent to another address, which is not followed."""


def final_status(outcome: AttemptOutcome) -> ItemStatus:
    """Map the outcome of an item's last attempt to its status."""
    match outcome:
        case AttemptOutcome.OK:
            return ItemStatus.OK
        case AttemptOutcome.TRUNCATED:
            return ItemStatus.INCOMPLETE
        case AttemptOutcome.REFUSED:
            return ItemStatus.REFUSED
        case AttemptOutcome.EMPTY:
            return ItemStatus.EMPTY
        case AttemptOutcome.MISSING | AttemptOutcome.MALFORMED | AttemptOutcome.EXPIRED:
            return ItemStatus.MISSING
        case (
            AttemptOutcome.CANCELLED | AttemptOutcome.INVALID_OUTPUT | AttemptOutcome.FAILED | AttemptOutcome.RETRYABLE
        ):
            return ItemStatus.FAILED
        case _:
            assert_never(outcome)


MOST_TOKENS: Final = 10**12
"""That a call may report: a larger count is none. So the sum of a million calls still fits into 64 bits."""


@value
class Usage:
    """Tokens of one or several calls.

    ``cached_input``, ``cache_written`` and ``audio_input`` are part of ``input``, ``reasoning`` of ``output``.
    """

    input: int = 0
    cached_input: int = 0
    output: int = 0
    reasoning: int = 0
    total: int = 0
    audio_input: int = 0
    cache_written: int = 0
    """Input that a provider which charges for that put into its cache."""
    cache_written_1h: int = 0
    """The part of it that is kept for an hour, at a price of its own."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input=self.input + other.input,
            cached_input=self.cached_input + other.cached_input,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
            total=self.total + other.total,
            audio_input=self.audio_input + other.audio_input,
            cache_written=self.cache_written + other.cache_written,
            cache_written_1h=self.cache_written_1h + other.cache_written_1h,
        )


@value
class Served:
    """What a call costs beside its tokens depends on this: the tier that answered, and the hosted tools it used."""

    tier: str | None = None
    """As the provider names it, such as ``flex``; None where it says nothing."""
    tools: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        redact_fields(self, "tier")
        if self.tools:
            object.__setattr__(self, "tools", tuple((redact(name), count) for name, count in self.tools))

    @property
    def names(self) -> tuple[str, ...]:
        """What a person should look for in the provider's price list."""
        return (*((f"service tier {self.tier}",) if self.tier else ()), *(name for name, _ in self.tools))


PLAINLY = Served()
"""No tier named, no tool used: as most calls are served."""


@value
class BilledCall:
    """What one call reported, and the model that it named: calls of one item may be answered by several snapshots."""

    usage: Usage
    model: str | None = None
    served: Served = PLAINLY

    def __post_init__(self) -> None:
        redact_fields(self, "model")


@value
class ItemError:
    """Why an item is not ok, in the provider's words; ``transient`` says whether asking again may help."""

    code: str
    type: str
    message: str
    transient: bool

    def __post_init__(self) -> None:
        redact_fields(self, "code", "type", "message")


@value
class Attempt:
    """One answer of a provider to one request, translated.

    ``text`` is what came back, also when it is only part of an answer. ``maybe_billed`` marks calls whose price nobody
    told: the answer was lost on the way (time out, cut connection) or came without usage.
    """

    outcome: AttemptOutcome
    text: str | None = None
    error: ItemError | None = None
    response_id: str | None = None
    model: str | None = None
    usage: Usage | None = None
    maybe_billed: bool = False
    served: Served = PLAINLY
    latency_s: float | None = None
    retry_after_s: float | None = None
    throttled: bool = False
    account_fault: AccountFault | None = None
    unsent: bool = False
    """Whether it never reached the model, for a reason that a person may have mended when the run is taken up again."""
    raw: str | None = None
    """What came, where nobody could read it: it was paid for, and a person may want to look at it."""
    thinking: str | None = None
    """What the model said that is no part of its answer: reasoning, commentary."""
    passages: tuple[Passage, ...] | None = None
    """What it was given to answer from; None where nobody tells."""
    system_fingerprint: str | None = None
    """What the provider calls the state of its servers that answered."""

    def __post_init__(self) -> None:
        redact_fields(self, "text", "response_id", "model", "raw", "thinking", "system_fingerprint")

    @property
    def transient(self) -> bool:
        """Whether asking again may help."""
        return self.error is not None and self.error.transient

    @property
    def cost_uncertain(self) -> bool:
        """Whether the provider may charge for it without having said how much."""
        return self.usage is None and self.maybe_billed


@value
class ItemRecord:
    """The record of one item, the same in both modes.

    ``answer`` is null unless the status is ok; a cut answer is in ``partial_answer``. Its texts are an attempt's, which
    holds no secrets. ``retried`` holds the earlier
    attempts that were billed; ``unreported_calls`` counts those that may have been, without a word on tokens.
    """

    item_id: str
    status: ItemStatus
    answer: str | None = None
    partial_answer: str | None = None
    error: ItemError | None = None
    response_id: str | None = None
    model: str | None = None
    usage: Usage | None = None
    retried: tuple[BilledCall, ...] = ()
    unreported_calls: int = 0
    latency_s: float | None = None
    attempts: int = 1
    account_fault: bool = False
    raw: str | None = None
    endpoint: str | None = None
    """The address that answered; None where nobody was asked, and in records of the first version."""
    thinking: str | None = None
    served: Served = PLAINLY
    passages: tuple[Passage, ...] | None = None
    system_fingerprint: str | None = None

    @property
    def finished(self) -> bool:
        """Whether asking again is pointless: all but items whose last error was transient or the account's."""
        return self.error is None or not (self.error.transient or self.account_fault)

    @property
    def retried_usage(self) -> Usage:
        """The tokens that earlier attempts were billed for."""
        return sum((call.usage for call in self.retried), Usage())

    @property
    def billed_calls(self) -> tuple[BilledCall, ...]:
        """All calls that reported tokens, the last one included."""
        last = () if self.usage is None else (BilledCall(self.usage, self.model, self.served),)
        return (*self.retried, *last)

    @property
    def without_usage(self) -> bool:
        """Whether it was answered, with whatever, without a word on tokens."""
        return self.usage is None and self.status in ANSWERED


def settle(
    item_id: str,
    attempt: Attempt,
    *,
    attempts: int,
    retried: tuple[BilledCall, ...] = (),
    unreported_calls: int = 0,
    endpoint: str | None = None,
) -> ItemRecord:
    """Turn the last attempt at an item into its record.

    Args:
        item_id: of the item.
        attempt: the last one.
        attempts: all that were made.
        retried: earlier attempts that were billed.
        unreported_calls: earlier attempts that may have been billed, without a word on tokens.
        endpoint: the address that was asked.
    """
    ok = attempt.outcome is OK
    status = _ANSWERED_OK if ok else final_status(attempt.outcome)
    lost = not ok and attempt.cost_uncertain and status not in ANSWERED
    return ItemRecord(  # by place: with names it takes three times as long, and a batch makes a million
        item_id,
        status,
        attempt.text if ok else None,
        attempt.text if status is _CUT else None,
        attempt.error,
        attempt.response_id,
        attempt.model,
        attempt.usage,
        retried,
        unreported_calls + lost,
        attempt.latency_s,
        attempts,
        attempt.account_fault is not None or attempt.unsent,
        attempt.raw,
        endpoint,
        attempt.thinking,
        attempt.served,
        attempt.passages,
        attempt.system_fingerprint,
    )
