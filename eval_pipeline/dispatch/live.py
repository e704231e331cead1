"""Live calls for every item of a stage: bounded, paced, paid for, and each recorded before the next one starts.

A fixed set of workers draws the items one by one: memory does not grow with the dataset, and after ``kill -9`` at most
``concurrency`` calls are repeated.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from eval_pipeline.core.outcomes import Attempt, BilledCall, ItemError, ItemRecord, ItemStatus, settle
from eval_pipeline.core.ports.models import Asks
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.dispatch.breaker import AskedModel, Breaker
from eval_pipeline.dispatch.budget import Purse
from eval_pipeline.dispatch.calls import Called, Caller, run_workers
from eval_pipeline.dispatch.gate import ShouldStop, StopReason, Timing, never_stop
from eval_pipeline.dispatch.refusals import RefusalWatch

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class LiveRequest(Generic[Body]):
    """One item to be asked.

    What ends in ``before`` carries what an earlier, unfinished record of the item says, so that its calls stay counted.
    """

    item_id: str
    body: Body
    billed_before: tuple[BilledCall, ...] = ()
    unreported_before: int = 0
    attempts_before: int = 0

    @classmethod
    def after(cls, before: ItemRecord | None, *, item_id: str, body: Body) -> Self:
        """Ask an item for the first time, or after what an earlier attempt left of it."""
        if before is None:
            return cls(item_id, body)
        return cls(
            item_id,
            body,
            billed_before=before.billed_calls,
            unreported_before=before.unreported_calls,
            attempts_before=before.attempts,
        )


@dataclass(frozen=True, slots=True)
class LiveOutcome:
    """How far a stage came: items recorded, calls made, and why it stopped early, if it did."""

    recorded: int
    ok: int
    calls: int
    stopped: StopReason | None
    refusal: ItemError | None = None
    """What the provider says to everything, where that is why it stopped."""

    @property
    def failed(self) -> int:
        """Recorded items that are not ok."""
        return self.recorded - self.ok


async def run_live(
    requests: Iterable[LiveRequest[Body]],
    *,
    answerer: Asks[Body],
    record: Callable[[ItemRecord], Awaitable[None]],
    policy: RetryPolicy,
    concurrency: int,
    endpoint: AskedModel,
    purse: Purse[Body] | None = None,
    should_stop: ShouldStop = never_stop,
    on_progress: Callable[[ItemRecord], None] | None = None,
    proven: bool = False,
    timing: Timing | None = None,
) -> LiveOutcome:
    """Ask every item and record it.

    Args:
        requests: drawn lazily, in order.
        answerer: the model under test.
        record: makes a record durable; the item's worker waits for it.
        policy: when a call is tried again.
        concurrency: calls under way at most.
        endpoint: whom an account fault is reported about.
        purse: pays, when there is a budget.
        should_stop: asked before every call and while waiting.
        on_progress: told after every record.
        proven: whether items of this stage were answered before.
        timing: clock, sleep and jitter.

    Raises:
        EvalPipelineError: the account, the key or the address is at fault; those items are not recorded.
    """
    work = _LiveWork(
        requests,
        record=record,
        breaker=Breaker(endpoint, proven=proven),
        refusals=RefusalWatch(proven=proven),
        on_progress=on_progress,
        base_url=endpoint.base_url,
    )
    caller: Caller[Body, Attempt] = Caller(
        send=answerer.ask,
        read=_as_it_is,
        policy=policy,
        concurrency=concurrency,
        should_stop=lambda: work.why_stop() or should_stop(),
        purse=purse,
        timing=timing or Timing(),
    )
    await run_workers(work.run(caller) for _ in range(concurrency))
    return await work.conclude(calls=caller.calls)


def _as_it_is(attempt: Attempt) -> Attempt:
    return attempt


class _LiveWork(Generic[Body]):
    """What the workers share."""

    def __init__(
        self,
        requests: Iterable[LiveRequest[Body]],
        *,
        record: Callable[[ItemRecord], Awaitable[None]],
        breaker: Breaker[ItemRecord],
        refusals: RefusalWatch,
        on_progress: Callable[[ItemRecord], None] | None,
        base_url: str,
    ) -> None:
        self._base_url = base_url
        self.breaker = breaker
        self._refusals = refusals
        self._requests: Iterator[LiveRequest[Body]] = iter(requests)
        self._record = record
        self._on_progress = on_progress
        self._recorded = 0
        self._ok = 0
        self._stopped: StopReason | None = None

    def why_stop(self) -> StopReason | None:
        """Tell whether the account or every request is refused."""
        if self.breaker.error:
            return StopReason.ACCOUNT_FAULT
        return StopReason.REFUSED_ALIKE if self._refusals.error else None

    async def run(self, caller: Caller[Body, Attempt]) -> None:
        """Work until there is nothing left or a reason to stop."""
        while self._stopped is None and (request := next(self._requests, None)) is not None:
            called = await caller.call(request.body)
            if called.stopped is not None:
                self._stopped = self._stopped or called.stopped
            await self._keep(request, called)

    async def conclude(self, *, calls: int) -> LiveOutcome:
        """Record what was held back, or raise what is wrong with the account."""
        for record in self.breaker.end():
            await self._write(record)
        if self.breaker.error is not None:
            raise self.breaker.error
        refusal = self._refusals.error if self._stopped is StopReason.REFUSED_ALIKE else None
        return LiveOutcome(recorded=self._recorded, ok=self._ok, calls=calls, stopped=self._stopped, refusal=refusal)

    async def _keep(self, request: LiveRequest[Body], called: Called[Attempt]) -> None:
        """Record a final item; one that was given up only if a bill would be forgotten otherwise."""
        if called.attempt is None or (called.stopped is not None and not called.billed):
            return
        record = settle(
            request.item_id,
            called.attempt,
            attempts=request.attempts_before + called.attempts,
            retried=(*request.billed_before, *called.retried),
            unreported_calls=request.unreported_before + called.unreported_calls,
            endpoint=self._base_url,
        )
        for ready in self.breaker.take(record, called.attempt):
            await self._write(ready)

    async def _write(self, record: ItemRecord) -> None:
        await self._record(record)
        self._recorded += 1
        self._refusals.take(record)
        self._ok += record.status is ItemStatus.OK
        if self._on_progress is not None:
            self._on_progress(record)
