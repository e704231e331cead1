"""One request until it has a final answer: its turn, its budget, its retries. Answers and embeddings share it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, BilledCall
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.dispatch.budget import Purse
from eval_pipeline.dispatch.gate import Gate, ShouldStop, StopReason, Timing

Request = TypeVar("Request")
Reply = TypeVar("Reply")
HELD_WHILE_THROTTLED_S = 1.0
"""Of 60 items at concurrency 20 under 2 a second, 60 get through with 126 calls; without holding 45 with 229."""
_LOST = Attempt(outcome=AttemptOutcome.MISSING, maybe_billed=True)
_NOT_MADE = Attempt(outcome=AttemptOutcome.MISSING)
TIME_VARIABLE = "EVAL_ITEM_TIME_BUDGET_SECONDS"
ATTEMPTS_WHILE_UNREACHED = 3
"""Where nothing ever connected, a refused connection is a wrong address sooner than a passing fault."""


@dataclass(slots=True)
class Tries:
    """The attempts at one request so far, and what those that were tried again were billed for."""

    started_s: float = 0.0
    attempts: int = 0
    retried: tuple[BilledCall, ...] = ()
    unreported_calls: int = 0

    def leave_behind(self, attempt: Attempt) -> None:
        """Keep what an attempt was billed for, now that another one follows it."""
        if attempt.usage is not None:
            self.retried = (*self.retried, BilledCall(attempt.usage, attempt.model, attempt.served))
        self.unreported_calls += attempt.cost_uncertain


@dataclass(frozen=True, slots=True)
class _Made(Generic[Reply]):
    """One call that was made; without a delay it was the last."""

    reply: Reply
    attempt: Attempt
    delay_s: float | None


@dataclass(frozen=True, slots=True)
class Called(Generic[Reply]):
    """What became of one request; ``stopped`` means that it was given up before its last chance.

    ``reply`` and ``attempt`` are the last ones, None when no call was made; ``retried`` and ``unreported_calls`` tell
    of the ones before.
    """

    reply: Reply | None
    attempt: Attempt | None
    attempts: int
    retried: tuple[BilledCall, ...]
    unreported_calls: int
    stopped: StopReason | None

    @property
    def billed(self) -> bool:
        """Whether some attempt was billed, or may have been, which must not be forgotten."""
        last = self.attempt is not None and (self.attempt.usage is not None or self.attempt.cost_uncertain)
        return last or bool(self.retried) or self.unreported_calls > 0


class Caller(Generic[Request, Reply]):
    """Makes the calls of one stage.

    Args:
        send: makes one call; never raises for what a provider does.
        read: tells what a reply amounts to.
        policy: when to try again.
        concurrency: calls under way at most.
        should_stop: asked before every call and while waiting.
        purse: pays, when there is a budget.
        timing: clock, sleep and jitter.
    """

    def __init__(
        self,
        *,
        send: Callable[[Request], Awaitable[Reply]],
        read: Callable[[Reply], Attempt],
        policy: RetryPolicy,
        concurrency: int,
        should_stop: ShouldStop,
        purse: Purse[Request] | None,
        timing: Timing,
    ) -> None:
        self._send = send
        self._read = read
        self._policy = policy
        self._purse = purse
        self._timing = timing
        self._should_stop = should_stop
        self._reached = False
        self._out_of_budget = False
        self.gate = Gate(
            concurrency=concurrency, should_stop=self.why_stop, timing=timing, most_pause_s=policy.time_budget_s
        )
        self.calls = 0

    def why_stop(self) -> StopReason | None:
        """Return why no further call may start."""
        return StopReason.BUDGET if self._out_of_budget else self._should_stop()

    async def call(self, request: Request) -> Called[Reply]:
        """Make calls until one is final or there is a reason to stop."""
        tries = Tries()
        reply, attempt = None, None
        delay_s: float | None = 0.0
        while delay_s is not None:
            made = await self.gate.sleep(delay_s) or await self._turn(request, tries)
            if isinstance(made, StopReason):
                return _called(reply, attempt, tries, stopped=made)
            if attempt is not None:
                tries.leave_behind(attempt)
            reply, attempt, delay_s = made.reply, made.attempt, made.delay_s
        return _called(reply, None if attempt is None else self._explained(attempt, tries), tries, stopped=None)

    async def _turn(self, request: Request, tries: Tries) -> "_Made[Reply] | StopReason":
        """Wait for a turn and make one call.

        Who is told "too many" keeps the turn for a while: else the pace would fall, and the calls that wait for a
        retry would be replaced by others all the same.
        """
        if reason := await self.gate.enter():
            return reason
        try:
            made = await self._paid_call(request, tries)
            if isinstance(made, StopReason):
                return made
            reply, attempt = made
            delay_s = self._delay_s(attempt, tries)
            held_s = min(delay_s or 0.0, HELD_WHILE_THROTTLED_S) if attempt.throttled else 0.0
            await self.gate.sleep(held_s)
            return _Made(reply, attempt, delay_s=None if delay_s is None else delay_s - held_s)
        finally:
            self.gate.leave()

    async def _paid_call(self, request: Request, tries: Tries) -> tuple[Reply, Attempt] | StopReason:
        if self._purse is None:
            return await self._one_call(request, tries)
        reservation = await self._purse.reserve(request)
        if reservation is None:
            self._out_of_budget = True
            return StopReason.BUDGET
        attempt = _LOST
        try:
            if reason := self.why_stop():
                attempt = _NOT_MADE
                return reason
            reply, attempt = await self._one_call(request, tries)
            return reply, attempt
        finally:
            self._purse.settle(reservation, attempt)

    async def _one_call(self, request: Request, tries: Tries) -> tuple[Reply, Attempt]:
        called_at_s = self._timing.clock()
        if tries.attempts == 0:
            tries.started_s = called_at_s
        tries.attempts += 1
        self.calls += 1
        reply = await self._send(request)
        attempt = self._read(reply)
        self._reached = self._reached or attempt.account_fault is not AccountFault.UNREACHABLE
        self.gate.learn(attempt, called_at_s=called_at_s)
        return reply, attempt

    def _delay_s(self, attempt: Attempt, tries: Tries) -> float | None:
        """Return how long to wait before the next attempt, None when this one is final."""
        if not attempt.transient:
            return None
        if not self._reached and tries.attempts >= ATTEMPTS_WHILE_UNREACHED:
            return None
        elapsed_s = self._timing.clock() - tries.started_s
        if self._policy.asks_too_much(attempt.retry_after_s, elapsed_s=elapsed_s):
            return self._policy.last_delay_s(attempts=tries.attempts, elapsed_s=elapsed_s)
        return self._policy.delay_s(
            attempts=tries.attempts,
            elapsed_s=elapsed_s,
            retry_after_s=attempt.retry_after_s,
            jitter=self._timing.jitter(),
        )

    def _explained(self, attempt: Attempt, tries: Tries) -> Attempt:
        """Say of a final attempt that the provider asks for more patience than an item has."""
        elapsed_s = self._timing.clock() - tries.started_s
        asked_s, error = attempt.retry_after_s, attempt.error
        if asked_s is None or error is None or not attempt.transient or attempt.account_fault is not None:
            return attempt
        if not self._policy.asks_too_much(asked_s, elapsed_s=elapsed_s):
            return attempt
        words = (
            f"{error.message}; it asks to be left alone for {asked_s:,.0f} s, which is more than is left of an item's "
            f"time, {self._policy.time_budget_s:,.0f} s ({TIME_VARIABLE})"
        )
        told = replace(error, message=words)
        return replace(attempt, error=told, account_fault=AccountFault.TOLD_TO_WAIT)


def _called(reply: Reply | None, attempt: Attempt | None, tries: Tries, *, stopped: StopReason | None) -> Called[Reply]:
    return Called(reply, attempt, tries.attempts, tries.retried, tries.unreported_calls, stopped=stopped)


async def run_workers(workers: Iterable[Awaitable[None]]) -> None:
    """Run the workers to their end; the first error of one ends all and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(_run(worker))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _run(worker: Awaitable[None]) -> None:
    await worker
