"""A budget that cannot be overshot: every call, and every round of batches, reserves its worst case before it is made.

What an answer really cost replaces the reservation; a call whose price nobody told (time out, cut connection) is
counted at its worst. Where a bound must be learnt first, one call goes alone. See ``core.cost.worst_usage`` for where
the guarantee ends.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import Protocol, TypeVar

from eval_pipeline.core.batches import BatchJob, JobState
from eval_pipeline.core.cost import NOTHING, Experience, Tariff, first_usage, worst_usage
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import IncompleteError, UsageError
from eval_pipeline.core.names import command_on, shown
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, Usage

RequestT_contra = TypeVar("RequestT_contra", contravariant=True)
_ONE_TOKEN = Usage(input=1, output=1, total=2)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is set aside for one call."""

    usd: Decimal
    body_bytes: int
    scouts: bool = False


class Budget:
    """How much of a limit is spent and set aside; one for all stages of a run."""

    def __init__(self, *, limit_usd: Decimal, spent_usd: Decimal = NOTHING) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self.reserved_usd = NOTHING
        self.in_flight = 0
        self._changed = asyncio.Event()

    def fits(self, usd: Decimal) -> bool:
        """Tell whether the amount can be set aside now."""
        return self.spent_usd + self.reserved_usd + usd <= self.limit_usd

    def reserve(self, usd: Decimal) -> None:
        """Set the amount aside."""
        self.reserved_usd += usd
        self.in_flight += 1

    def settle(self, reserved_usd: Decimal, *, cost_usd: Decimal) -> None:
        """Replace a reservation by what the call cost."""
        self.reserved_usd -= reserved_usd
        self.spent_usd += cost_usd
        self.in_flight -= 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """Return when a call was settled."""
        await self._changed.wait()


class Purse(Protocol[RequestT_contra]):
    """Pays for the calls of one stage."""

    async def reserve(self, request: RequestT_contra) -> Reservation | None:
        """Set the worst case of a call aside, waiting for calls under way; None when the budget has no room left."""
        ...

    def settle(self, reservation: Reservation, attempt: Attempt) -> None:
        """Count what the call cost."""
        ...


class ResponsePurse:
    """Pays for answers; the request is the body of the call."""

    def __init__(
        self,
        budget: Budget,
        tariff: Tariff,
        *,
        measure: Callable[[Json], int],
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._budget = budget
        self._prices = _Prices(tariff, now)
        self._measure = measure
        self._experience = Experience()
        self._scouting = False

    async def reserve(self, request: Json) -> Reservation | None:
        """Set the worst case of one answer aside."""
        body_bytes = self._measure(request)
        while True:
            reservation = self._worst(request, body_bytes=body_bytes)
            if reservation is not None and self._budget.fits(reservation.usd):
                self._scouting = self._scouting or reservation.scouts
                self._budget.reserve(reservation.usd)
                return reservation
            if self._budget.in_flight == 0:
                return None
            await self._budget.change()

    def settle(self, reservation: Reservation, attempt: Attempt) -> None:
        """Count what the answer cost, and learn from it."""
        if reservation.scouts:
            self._scouting = False
        if attempt.usage is not None:
            self._experience = self._experience.after(attempt.usage, body_bytes=reservation.body_bytes)
        self._budget.settle(reservation.usd, cost_usd=self._prices.cost(attempt, worst_usd=reservation.usd))

    def _worst(self, body: Json, *, body_bytes: int) -> Reservation | None:
        """Return what a call needs, or None while another one scouts."""
        usage = worst_usage(body, body_bytes=body_bytes, experience=self._experience)
        if usage is not None:
            return Reservation(self._prices.usd(usage), body_bytes)
        if self._scouting:
            return None
        return Reservation(self._prices.usd(first_usage(body, body_bytes=body_bytes)), body_bytes, scouts=True)


class EmbeddingPurse:
    """Pays for vectors; the request is the texts of the call. A token is at least one byte: the bound is exact."""

    def __init__(self, budget: Budget, tariff: Tariff, *, now: Callable[[], datetime] = _now) -> None:
        self._budget = budget
        self._prices = _Prices(tariff, now)

    async def reserve(self, request: Sequence[str]) -> Reservation | None:
        """Set the worst case of one pack aside."""
        size = sum(len(text.encode("utf-8", errors="surrogatepass")) for text in request)
        usd = self._prices.usd(Usage(input=size, total=size))
        while not self._budget.fits(usd):
            if self._budget.in_flight == 0:
                return None
            await self._budget.change()
        self._budget.reserve(usd)
        return Reservation(usd, size)

    def settle(self, reservation: Reservation, attempt: Attempt) -> None:
        """Count what the pack cost."""
        self._budget.settle(reservation.usd, cost_usd=self._prices.cost(attempt, worst_usd=reservation.usd))


class PaysRounds(Protocol):
    """Pays for rounds of batches."""

    def pay(self, intents: Sequence[BatchJob], *, earlier: Sequence[BatchJob]) -> None:
        """Raise ``budget_exceeded`` when a round does not fit."""
        ...


class RoundPurse:
    """Pays for rounds of batches: nothing of a round goes out unless the worst case of the whole round fits.

    The bound comes of the sizes of the request files, without a second look at their lines: a request has as many bytes
    as one of its file has on average. That is exact as long as a price does not depend on the size of a request.

    Args:
        limit_usd: of the run.
        spent_usd: by what has been collected.
        tariff: at batch rates.
        bound: the most tokens that a request of so many bytes may use.
    """

    def __init__(
        self,
        *,
        limit_usd: Decimal,
        spent_usd: Decimal,
        tariff: Tariff,
        bound: Callable[[int], Usage],
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._limit_usd = limit_usd
        self._spent_usd = spent_usd
        self._prices = _Prices(tariff, now)
        self._bound = bound

    def pay(self, intents: Sequence[BatchJob], *, earlier: Sequence[BatchJob]) -> None:
        """Raise ``budget_exceeded`` when a round does not fit; results of earlier ones that are lost count at worst."""
        worst_usd = self._worst(intents, count=lambda job: job.requests)
        spent_usd = self._spent_usd + self._worst(earlier, count=_lost)
        if not intents or Budget(limit_usd=self._limit_usd, spent_usd=spent_usd).fits(worst_usd):
            return
        stage = intents[0].stage
        raise IncompleteError(
            f"run {stage.key.partition} stopped at its budget: "
            f"{counted(sum(job.requests for job in intents), 'request')} of "
            f"{stage.stage} may cost ${worst_usd:.6f}, ${spent_usd:.6f} of ${self._limit_usd:.6f} is spent; "
            "none of them was sent",
            code="budget_exceeded",
            hint=f"what was answered is kept; {command_on('run retry', stage.key)} --max-cost-usd X goes on",
        )

    def _worst(self, jobs: Sequence[BatchJob], *, count: Callable[[BatchJob], int]) -> Decimal:
        return sum((count(job) * self._prices.usd(self._bound(bytes_a_request([job]))) for job in jobs), NOTHING)


def bytes_a_request(jobs: Sequence[BatchJob]) -> int:
    """Return the size of a request, on average over the files of some jobs, rounded up."""
    return ceil(sum(job.size_bytes for job in jobs) / max(1, sum(job.requests for job in jobs)))


def _lost(job: BatchJob) -> int:
    """Count requests that may have been charged and that brought nothing to read a price from."""
    return job.requests if job.state is JobState.LOST else (job.outcomes or {}).get(str(AttemptOutcome.MISSING), 0)


class _Prices:
    """Prices in a stage with a budget: the model's must be known."""

    def __init__(self, tariff: Tariff, now: Callable[[], datetime]) -> None:
        self._tariff = tariff
        self._now = now
        self.usd(_ONE_TOKEN)

    def usd(self, usage: Usage, *, returned_model: str | None = None) -> Decimal:
        """Return the price of so many tokens, or raise ``budget_needs_price``."""
        price = self._tariff.price(usage, at=self._now(), returned_model=returned_model)
        if price is not None:
            return price.usd
        raise UsageError(
            f"the budget cannot be kept: model {shown(self._tariff.model)} has no published price",
            code="budget_needs_price",
            hint="leave out --max-cost-usd, or name a model with a published price",
        )

    def cost(self, attempt: Attempt, *, worst_usd: Decimal) -> Decimal:
        """Return what a call cost, at worst when nobody knows."""
        if attempt.usage is not None:
            tokens_usd = self.usd(attempt.usage, returned_model=attempt.model)
            price = self._tariff.price(
                attempt.usage, at=self._now(), returned_model=attempt.model, served=attempt.served
            )
            return max(worst_usd, tokens_usd) if price is None else price.usd
        return worst_usd if attempt.maybe_billed else NOTHING
