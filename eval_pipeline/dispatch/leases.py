"""The right to write one stage, held by one process at a time.

The holder raises a counter; a taker believes only its own monotonic clock: a counter that stood still for the whole
patience belongs to nobody. A holder whose process is known to be dead is not waited for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from threading import Event, Thread
from time import monotonic
from typing import Final, assert_never

from eval_pipeline.core.errors import ConflictError, UnavailableError
from eval_pipeline.core.ports.ledger import Lease, LeaseHeld, LeaseLedger
from eval_pipeline.core.runs import Worker
from eval_pipeline.dispatch.workers import worker_is_dead

STAGE_IN_USE: Final = "stage_in_use"
PATIENCE_S: Final = 60.0
BEAT_EVERY_S: Final = 5.0
_LOOKS_PER_BEAT: Final = 4
_OVERSLEPT: Final = 1.5
"""Of a wait between two looks, what counts at most."""


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The time that leases run on; tests bring their own."""

    monotonic_s: Callable[[], float] = monotonic
    wait: Callable[[Event, float], bool] = Event.wait
    """Wait until the event is set, at most so many seconds; tells whether it is set."""


@dataclass(frozen=True, slots=True)
class _Rhythm:
    patience_s: float
    beat_every_s: float
    clockwork: Clockwork
    above: int


class _End(StrEnum):
    """How a lease came to be ours no more."""

    TAKEN = "taken"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class _Taken:
    lease: Lease
    asked_at_s: float


class HeldLease:
    """A lease in our hands, kept alive by a thread until ``stop``."""

    def __init__(
        self,
        taken: _Taken,
        ledger: LeaseLedger,
        *,
        rhythm: _Rhythm,
        on_lost: Callable[[], None],
        on_beat: Callable[[], None],
    ) -> None:
        self._lease = taken.lease
        self._proven_at_s = taken.asked_at_s
        self._ledger = ledger
        self._rhythm = rhythm
        self._clockwork = rhythm.clockwork
        self._on_lost = on_lost
        self._on_beat = on_beat
        self._ended: _End | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._keep_beating, name=f"lease of {taken.lease.resource}", daemon=True)

    @property
    def token(self) -> int:
        """The fencing token: higher than that of every earlier holder."""
        return self._lease.token

    @property
    def lost(self) -> bool:
        """Whether others may hold the lease; costs no query while our beats come through.

        A process that stood still, or a machine too busy to let it beat, asks the ledger: as long as nobody took the
        lease meanwhile, it is ours, and the beat that asks makes every taker wait anew. Once lost, it stays lost.
        """
        silent_s = self._clockwork.monotonic_s() - self._proven_at_s
        if self._ended is None and silent_s >= self._rhythm.patience_s:
            self._ask_whether_ours()
        return self._ended is not None

    def check(self) -> None:
        """Ask the ledger, and raise ``lease_lost`` or ``lease_unproven`` when the lease is no longer ours."""
        now = None if self.lost else self._ledger.find_lease(self._lease.resource)
        if self._ended is None and (now is None or now.token != self.token):
            self._ended = _End.TAKEN
        if self._ended is not None:
            raise _lease_ended(self._lease.resource, self._ended, patience_s=self._rhythm.patience_s)

    def _ask_whether_ours(self) -> None:
        try:
            ours = self._ledger.beat_lease(self._lease)
        except UnavailableError:
            self._ended = _End.UNPROVEN
            return
        self._proven_at_s = self._clockwork.monotonic_s()
        self._ended = None if ours else _End.TAKEN

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """End the beats and give the lease back."""
        self._stopped.set()
        self._thread.join()
        with suppress(UnavailableError):  # the next taker finds a dead process or a counter that stands still
            self._ledger.release_lease(self._lease)

    def _keep_beating(self) -> None:
        while not self._clockwork.wait(self._stopped, self._rhythm.beat_every_s):
            self._beat()
            if self.lost:
                self._on_lost()
                return

    def _beat(self) -> None:
        asked_at_s = self._clockwork.monotonic_s()
        with suppress(UnavailableError):  # tried again at the next beat, until the patience is over
            if not self._ledger.beat_lease(self._lease):
                self._ended = _End.TAKEN
                return
            self._proven_at_s = asked_at_s
            self._on_beat()


@contextmanager
def hold(
    ledger: LeaseLedger,
    resource: str,
    *,
    worker: Worker,
    patience_s: float = PATIENCE_S,
    beat_every_s: float = BEAT_EVERY_S,
    on_lost: Callable[[], None] = lambda: None,
    on_beat: Callable[[], None] = lambda: None,
    above: int = 0,
    clockwork: Clockwork = Clockwork(),
) -> Iterator[HeldLease]:
    """Hold the lease on a resource for the time of a ``with``, or raise ``stage_in_use``.

    Args:
        ledger: where leases are kept.
        resource: what must not be written by two at once.
        worker: who we are.
        patience_s: how long a counter must stand still before its lease may be taken; the same for all processes.
        beat_every_s: how often we raise ours; a small part of the patience.
        on_lost: called once, in the beating thread, when the lease is lost.
        on_beat: called in the beating thread after each beat; may read the ledger.
        above: the token is to be above this: the store holds it already.
        clockwork: the time to run on.
    """
    if patience_s < 2 * beat_every_s:
        raise ValueError(f"a patience of {patience_s} s is too short for a beat every {beat_every_s} s: two would hold")
    rhythm = _Rhythm(patience_s=patience_s, beat_every_s=beat_every_s, clockwork=clockwork, above=above)
    taken = _acquire(ledger, resource, worker=worker, rhythm=rhythm)
    held = HeldLease(taken, ledger, rhythm=rhythm, on_lost=on_lost, on_beat=on_beat)
    held.start()
    try:
        yield held
    finally:
        held.stop()


def _acquire(ledger: LeaseLedger, resource: str, *, worker: Worker, rhythm: _Rhythm) -> _Taken:
    clockwork = rhythm.clockwork
    first: LeaseHeld | None = None
    waited_s = 0.0
    look_every_s = rhythm.beat_every_s / _LOOKS_PER_BEAT
    while True:
        asked_at_s = clockwork.monotonic_s()
        overdue = first is not None and waited_s >= rhythm.patience_s
        answer = _try(ledger, resource, worker=worker, seen=first if overdue else None, above=rhythm.above)
        if isinstance(answer, Lease):
            return _Taken(lease=answer, asked_at_s=asked_at_s)
        if first is None:
            first = answer
        elif (answer.token, answer.counter) != (first.token, first.counter):
            raise _stage_in_use(answer, patience_s=rhythm.patience_s)
        before_s = clockwork.monotonic_s()
        clockwork.wait(Event(), look_every_s)
        # where we oversleep, the holder does so, too: a busy machine makes nobody dead
        waited_s += min(clockwork.monotonic_s() - before_s, _OVERSLEPT * look_every_s)


def _try(
    ledger: LeaseLedger, resource: str, *, worker: Worker, seen: LeaseHeld | None, above: int
) -> Lease | LeaseHeld:
    answer = ledger.acquire_lease(resource, holder=worker, seen=seen, above=above)
    if isinstance(answer, LeaseHeld) and worker_is_dead(answer.holder):
        return ledger.acquire_lease(resource, holder=worker, seen=answer, above=above)
    return answer


def _stage_in_use(held: LeaseHeld, *, patience_s: float) -> ConflictError:
    holder = held.holder
    return ConflictError(
        f"{held.resource} is being worked on by process {holder.pid} on {holder.host} "
        f"since {held.since:%Y-%m-%d %H:%M:%S} UTC",
        code=STAGE_IN_USE,
        hint=f"wait until it ends, or end that process: then this command takes over within {patience_s:.0f} s",
    )


def _lease_ended(resource: str, end: _End, *, patience_s: float) -> ConflictError:
    match end:
        case _End.TAKEN:
            return ConflictError(
                f"another process took {resource} over: this one stood still for longer than {patience_s:g} s",
                code="lease_lost",
                hint="what is stored stays; when nobody works on it any more: eval-pipeline run retry RUN",
            )
        case _End.UNPROVEN:
            return ConflictError(
                f"the ledger could not be asked for {patience_s:g} s whether {resource} is still ours to work on",
                code="lease_unproven",
                hint="look at the database; what is stored stays, and eval-pipeline run retry RUN goes on",
            )
        case _:
            assert_never(end)
