"""Where calls wait for their turn: as many under way as the pace allows, none before the provider said so."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from eval_pipeline.core.outcomes import Attempt
from eval_pipeline.core.pacing import Pace

STOP_CHECK_S = 0.5
_CLOCK_GRAIN_S = 1e-6


class StopReason(StrEnum):
    """Why a stage stops at an item boundary before everything is asked; it can be resumed."""

    BUDGET = "budget_exhausted"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    ACCOUNT_FAULT = "account_fault"
    REFUSED_ALIKE = "refused_alike"
    """The first requests were all refused with the same words."""


ShouldStop = Callable[[], StopReason | None]


def never_stop() -> StopReason | None:
    """Never ask to stop."""
    return None


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock, the sleep and the dice; tests bring their own."""

    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random


class Gate:
    """Admits calls at the present pace."""

    def __init__(
        self, *, concurrency: int, should_stop: ShouldStop, timing: Timing, most_pause_s: float = float("inf")
    ) -> None:
        self.pace = Pace.start(concurrency)
        self._most_pause_s = most_pause_s
        self._has_cut_a_pause = False
        """Whether a pause beyond all measure was kept as far as it may be, and nothing was answered since."""
        self.active = 0
        self._should_stop = should_stop
        self._timing = timing
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> StopReason | None:
        """Wait for a turn; a reason means that there will be none."""
        while True:
            if reason := self._should_stop():
                self._send_all_home()
                return reason
            pause_s = self.pace.resume_at_s - self._timing.clock()
            if pause_s > _CLOCK_GRAIN_S:
                await self.sleep(pause_s)
            elif self.active < self.pace.slots:
                self.active += 1
                return None
            else:
                await self._wait_for_room()

    def leave(self) -> None:
        """Give the turn to the next in line."""
        self.active -= 1
        self._admit()

    def learn(self, attempt: Attempt, *, called_at_s: float) -> None:
        """Adapt the pace to how a call went."""
        if attempt.throttled:
            self.pace = self.pace.after_throttle(
                called_at_s=called_at_s, now_s=self._timing.clock(), retry_after_s=self._pause_s(attempt.retry_after_s)
            )
        elif not attempt.transient and attempt.account_fault is None:
            self._has_cut_a_pause = False
            self.pace = self.pace.after_success()

    def _pause_s(self, asked_s: float | None) -> float | None:
        """Return how long nobody is to call; what is beyond all measure is kept once, and as far as it may."""
        if asked_s is None or asked_s <= self._most_pause_s:
            return asked_s
        was_cut, self._has_cut_a_pause = self._has_cut_a_pause, True
        under_way = self.pace.resume_at_s > self._timing.clock()
        return None if was_cut and not under_way else self._most_pause_s

    async def sleep(self, seconds: float) -> StopReason | None:
        """Sleep in slices; a reason to stop ends it early."""
        left_s = seconds
        while left_s > 0:
            if reason := self._should_stop():
                return reason
            slice_s = min(left_s, STOP_CHECK_S)
            await self._timing.sleep(slice_s)
            left_s -= slice_s
        return self._should_stop()

    async def _wait_for_room(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _send_all_home(self) -> None:
        """Wake everybody who waits for room: whoever has found out that nothing follows leaves no room to them."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _admit(self) -> None:
        free = self.pace.slots - self.active
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # a cancelled wait leaves its future behind
                turn.set_result(None)
                free -= 1
