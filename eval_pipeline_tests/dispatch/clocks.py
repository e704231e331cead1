"""Clocks for tests of leases: one passes only while a taker waits, one only when the test lets the holder beat."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Semaphore

from eval_pipeline.dispatch.leases import Clockwork
from eval_pipeline_tests.crowd import PATIENCE_S


def nothing() -> None:
    """Happen not."""


@dataclass(slots=True)
class TakersClock:
    """Time that passes only while somebody waits; ``during`` is what others do meanwhile."""

    during: Callable[[], object] = nothing
    now_s: float = 1000.0

    def clockwork(self) -> Clockwork:
        return Clockwork(monotonic_s=lambda: self.now_s, wait=self.wait)

    def wait(self, event: Event, seconds: float) -> bool:
        self.now_s += seconds
        self.during()
        return event.is_set()


@dataclass(slots=True)
class HoldersClock:
    """Time that passes only when the test lets the beating thread beat once."""

    now_s: float = 1000.0
    permits: Semaphore = field(default_factory=lambda: Semaphore(0))
    idle: Semaphore = field(default_factory=lambda: Semaphore(0))

    def clockwork(self) -> Clockwork:
        return Clockwork(monotonic_s=lambda: self.now_s, wait=self.wait)

    def wait(self, event: Event, seconds: float) -> bool:
        self.idle.release()
        while not event.wait(0.001):
            if self.permits.acquire(blocking=False):
                self.now_s += seconds
                return False
        return True

    def let_beat(self) -> None:
        """Let the thread beat once, and return when it has."""
        assert self.idle.acquire(timeout=PATIENCE_S)
        self.permits.release()
        assert self.idle.acquire(timeout=PATIENCE_S)
        self.idle.release()

    def let_beat_for_the_last_time(self, *, until: Event) -> None:
        self.permits.release()
        assert until.wait(PATIENCE_S)
