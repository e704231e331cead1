import os
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from threading import Event, Thread

import pytest

from eval_pipeline.core.errors import ConflictError, UnavailableError
from eval_pipeline.core.ports.ledger import Lease, LeaseHeld, LeaseLedger
from eval_pipeline.core.runs import Worker
from eval_pipeline.dispatch.leases import Clockwork, hold
from eval_pipeline.dispatch.workers import this_worker
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline_tests.crowd import CONTEXT, PATIENCE_S, all_at_once
from eval_pipeline_tests.dispatch.clocks import HoldersClock, TakersClock
from eval_pipeline_tests.storage.records import a_run

STAGE = "text_eval/default/first/responses"
ELSEWHERE = Worker(host="elsewhere#12345678", pid=7, started_at=1.0)
BEAT_S = 5.0
STILL_S = 60.0
OTHERS = 3


@dataclass(slots=True)
class Interrupted:
    """A ledger whose database can be down."""

    ledger: LeaseLedger
    down: bool = False

    def _reach(self) -> LeaseLedger:
        if self.down:
            raise UnavailableError("the database is down", code="database_unavailable", hint="start it")
        return self.ledger

    def acquire_lease(
        self, resource: str, *, holder: Worker, seen: LeaseHeld | None = None, above: int = 0
    ) -> Lease | LeaseHeld:
        return self._reach().acquire_lease(resource, holder=holder, seen=seen, above=above)

    def beat_lease(self, lease: Lease) -> bool:
        return self._reach().beat_lease(lease)

    def release_lease(self, lease: Lease) -> None:
        self._reach().release_lease(lease)

    def find_lease(self, resource: str) -> LeaseHeld | None:
        return self._reach().find_lease(resource)


def hold_until_the_others_gave_up(url: str) -> str:
    all_refused = Event()

    def look() -> None:
        if ledger.list_runs(project="default", flow=None, state=None, limit=0, offset=0).total == OTHERS:
            all_refused.set()

    with closing(open_ledger(url)) as ledger:
        try:
            with hold(ledger, STAGE, worker=this_worker(), beat_every_s=0.05, on_beat=look) as held:
                assert all_refused.wait(PATIENCE_S)
                held.check()
                return f"held {held.token}"
        except ConflictError as error:
            ledger.claim_run(a_run(f"refused-{os.getpid()}"))  # tells the holder
            return error.code


def test_of_several_processes_that_want_a_stage_at_once_one_works_and_the_others_say_so(
    ledger: SqlLedger, ledger_url: str
) -> None:
    answers = all_at_once(hold_until_the_others_gave_up, ledger_url, processes=OTHERS + 1)

    assert sorted(answers) == ["held 1"] + ["stage_in_use"] * OTHERS
    assert ledger.find_lease(STAGE) is None


def test_of_several_threads_that_want_a_stage_at_once_one_works(ledger: SqlLedger) -> None:
    outcomes: list[str] = []
    won, refused = Event(), Event()

    def work() -> None:
        try:
            with hold(ledger, STAGE, worker=this_worker(), patience_s=STILL_S, beat_every_s=0.02) as held:
                won.set()
                assert refused.wait(PATIENCE_S)
                outcomes.append(f"held {held.token}")
        except ConflictError as error:
            outcomes.append(error.code)
            refused.set()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert won.is_set()
    assert outcomes == ["stage_in_use", "held 1"]


def hold_until_killed(url: str, ready: Connection) -> None:
    with closing(open_ledger(url)) as ledger, hold(ledger, STAGE, worker=this_worker()) as held:
        ready.send(held.token)
        Event().wait(PATIENCE_S)


def test_the_stage_of_a_killed_process_of_this_host_is_taken_over_at_once(ledger: SqlLedger, ledger_url: str) -> None:
    ready, theirs = CONTEXT.Pipe()
    holder = CONTEXT.Process(target=hold_until_killed, args=(ledger_url, theirs))
    holder.start()
    assert ready.poll(PATIENCE_S)
    assert ready.recv() == 1
    os.kill(holder.pid or 0, signal.SIGKILL)
    holder.join(PATIENCE_S)
    clock = TakersClock()

    with hold(ledger, STAGE, worker=this_worker(), clockwork=clock.clockwork()) as held:
        assert held.token == 2


def take(ledger: LeaseLedger, clock: TakersClock) -> int:
    """Take the stage and give it back; returns the token. The beating thread gets the real clock's waits."""
    stop_waiting_at_once = Clockwork(monotonic_s=lambda: clock.now_s, wait=takers_wait(clock))
    with hold(
        ledger, STAGE, worker=this_worker(), patience_s=STILL_S, beat_every_s=BEAT_S, clockwork=stop_waiting_at_once
    ) as held:
        return held.token


def takers_wait(clock: TakersClock) -> Callable[[Event, float], bool]:
    return lambda event, seconds: event.wait(PATIENCE_S) if seconds == BEAT_S else clock.wait(event, seconds)


def foreign_lease(ledger: LeaseLedger) -> Lease:
    lease = ledger.acquire_lease(STAGE, holder=ELSEWHERE)
    assert isinstance(lease, Lease)
    return lease


def test_a_counter_of_another_host_that_stands_still_is_taken_over_after_the_patience(ledger: SqlLedger) -> None:
    foreign_lease(ledger)
    clock = TakersClock()

    assert take(ledger, clock) == 2
    assert STILL_S <= clock.now_s - 1000.0 < STILL_S + BEAT_S


def test_a_counter_of_another_host_that_moves_is_respected(ledger: SqlLedger) -> None:
    lease = foreign_lease(ledger)
    clock = TakersClock(during=lambda: clock.now_s > 1050.0 and ledger.beat_lease(lease))

    with pytest.raises(ConflictError, match=r"text_eval/default/first/responses is being worked on") as caught:
        take(ledger, clock)

    assert caught.value.code == "stage_in_use"
    assert "by process 7 on elsewhere#12345678 since 20" in caught.value.message
    assert "takes over within 60 s" in caught.value.hint
    assert ledger.beat_lease(lease)


def test_a_stage_that_is_given_back_while_we_watch_is_taken(ledger: SqlLedger) -> None:
    lease = foreign_lease(ledger)

    assert take(ledger, TakersClock(during=lambda: ledger.release_lease(lease))) == 2


def test_a_wall_clock_that_jumps_neither_hastens_nor_delays_a_takeover(ledger: SqlLedger) -> None:
    years = iter([1970, 2100])
    ledger._now = lambda: datetime(next(years), 1, 1, tzinfo=UTC)
    foreign_lease(ledger)
    clock = TakersClock()

    assert take(ledger, clock) == 2
    assert STILL_S <= clock.now_s - 1000.0 < STILL_S + BEAT_S


def test_a_stage_is_given_back_at_the_end_and_tokens_only_rise(ledger: SqlLedger) -> None:
    tokens = [take(ledger, TakersClock()) for _ in range(3)]

    assert tokens == [1, 2, 3]
    assert ledger.find_lease(STAGE) is None


def test_a_stage_is_given_back_when_the_work_fails(ledger: SqlLedger) -> None:
    with pytest.raises(ZeroDivisionError), hold(ledger, STAGE, worker=this_worker()):
        _ = 1 / 0

    assert ledger.find_lease(STAGE) is None


def test_each_beat_raises_the_counter_and_calls_back(ledger: SqlLedger) -> None:
    clock, beats = HoldersClock(), []

    with hold(
        ledger, STAGE, worker=this_worker(), on_beat=lambda: beats.append(1), clockwork=clock.clockwork()
    ) as held:
        clock.let_beat()
        clock.let_beat()
        now = ledger.find_lease(STAGE)
        held.check()

    assert now is not None
    assert (now.counter, len(beats)) == (2, 2)


def steal(ledger: LeaseLedger) -> None:
    assert isinstance(ledger.acquire_lease(STAGE, holder=ELSEWHERE, seen=ledger.find_lease(STAGE)), Lease)


def test_a_check_notices_that_the_stage_was_taken_over(ledger: SqlLedger) -> None:
    clock = HoldersClock()
    with hold(ledger, STAGE, worker=this_worker(), clockwork=clock.clockwork()) as held:
        held.check()
        steal(ledger)
        unaware = held.lost
        with pytest.raises(ConflictError, match=STAGE) as caught:
            held.check()
        aware = held.lost

    assert (unaware, aware) == (False, True)
    assert caught.value.code == "lease_lost"
    assert "run retry" in caught.value.hint
    assert ledger.find_lease(STAGE) is not None


def test_a_beat_notices_that_the_stage_was_taken_over(ledger: SqlLedger) -> None:
    clock, lost = HoldersClock(), Event()
    with hold(ledger, STAGE, worker=this_worker(), on_lost=lost.set, clockwork=clock.clockwork()) as held:
        steal(ledger)
        clock.let_beat_for_the_last_time(until=lost)

        assert held.lost
        with pytest.raises(ConflictError):
            held.check()


def test_a_database_that_is_down_for_a_while_costs_no_lease(ledger: SqlLedger) -> None:
    clock, flaky = HoldersClock(), Interrupted(ledger)
    with hold(
        flaky, STAGE, worker=this_worker(), patience_s=STILL_S, beat_every_s=BEAT_S, clockwork=clock.clockwork()
    ) as held:
        flaky.down = True
        for _ in range(5):
            clock.let_beat()
        with pytest.raises(UnavailableError):
            held.check()
        flaky.down = False
        clock.let_beat()
        held.check()

        assert clock.now_s == 1030.0


def test_a_database_that_stays_down_costs_the_lease_when_the_patience_is_over(ledger: SqlLedger) -> None:
    clock, flaky, lost = HoldersClock(), Interrupted(ledger), Event()
    with hold(
        flaky,
        STAGE,
        worker=this_worker(),
        patience_s=STILL_S,
        beat_every_s=BEAT_S,
        on_lost=lost.set,
        clockwork=clock.clockwork(),
    ) as held:
        flaky.down = True
        for _ in range(11):
            clock.let_beat()
        before = held.lost
        clock.let_beat_for_the_last_time(until=lost)

        assert (before, held.lost) == (False, True)
        with pytest.raises(ConflictError, match="could not be asked") as caught:
            held.check()
        assert caught.value.code == "lease_unproven"


def test_a_holder_that_stood_still_goes_on_as_long_as_nobody_took_the_stage(ledger: SqlLedger) -> None:
    clock = HoldersClock()
    with hold(ledger, STAGE, worker=this_worker(), patience_s=STILL_S, clockwork=clock.clockwork()) as held:
        seen = ledger.find_lease(STAGE)
        clock.now_s += 10 * STILL_S

        assert not held.lost
        held.check()
        late = ledger.acquire_lease(STAGE, holder=ELSEWHERE, seen=seen)
        assert isinstance(late, LeaseHeld), "who waited meanwhile sees that the holder lives"


def test_a_holder_that_stood_still_knows_at_once_that_the_stage_was_taken(ledger: SqlLedger) -> None:
    clock = HoldersClock()
    with hold(ledger, STAGE, worker=this_worker(), patience_s=STILL_S, clockwork=clock.clockwork()) as held:
        steal(ledger)
        clock.now_s += STILL_S

        assert held.lost
        with pytest.raises(ConflictError, match="another process took") as caught:
            held.check()
        assert caught.value.code == "lease_lost"


def test_a_taker_on_a_busy_machine_gives_the_holder_more_time(ledger: SqlLedger) -> None:
    """Where every sleep takes ten times as long, the holder's do so, too: the patience counts the looks."""
    steal_from = ledger.acquire_lease(STAGE, holder=ELSEWHERE)
    assert isinstance(steal_from, Lease)
    clock = TakersClock()
    busy = Clockwork(monotonic_s=lambda: clock.now_s, wait=lambda event, seconds: clock.wait(event, 10 * seconds))
    began_s = clock.now_s

    with hold(ledger, STAGE, worker=this_worker(), patience_s=STILL_S, beat_every_s=BEAT_S, clockwork=busy):
        assert clock.now_s - began_s >= 5 * STILL_S


def test_a_patience_that_one_late_beat_exhausts_is_refused(ledger: SqlLedger) -> None:
    with (
        pytest.raises(ValueError, match=r"a patience of 9\.0 s is too short"),
        hold(ledger, STAGE, worker=this_worker(), patience_s=9.0, beat_every_s=5.0),
    ):
        pass
