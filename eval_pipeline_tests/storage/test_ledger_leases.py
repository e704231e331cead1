from contextlib import closing
from dataclasses import replace

from eval_pipeline.core.ports.ledger import Lease, LeaseHeld
from eval_pipeline.core.runs import Worker
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.storage.records import MOMENT

STAGE = "text_eval/default/first/responses"
ANN = Worker(host="ann#1", pid=11, started_at=100.25)
BOB = Worker(host="bob#2", pid=22, started_at=200.5)


def taken(answer: Lease | LeaseHeld) -> Lease:
    assert isinstance(answer, Lease)
    return answer


def held(answer: Lease | LeaseHeld) -> LeaseHeld:
    assert isinstance(answer, LeaseHeld)
    return answer


def test_a_free_lease_is_taken_and_then_shown_to_others(ledger: SqlLedger) -> None:
    lease = taken(ledger.acquire_lease(STAGE, holder=ANN))
    answer = held(ledger.acquire_lease(STAGE, holder=BOB))

    assert lease == Lease(resource=STAGE, holder=ANN, token=1)
    assert (answer.resource, answer.holder, answer.token, answer.counter) == (STAGE, ANN, 1, 0)
    assert ledger.find_lease(STAGE) == answer
    assert ledger.find_lease("another") is None


def test_the_same_worker_cannot_take_a_lease_twice(ledger: SqlLedger) -> None:
    ledger.acquire_lease(STAGE, holder=ANN)

    assert held(ledger.acquire_lease(STAGE, holder=ANN)).holder == ANN


def take(url: str) -> str:
    with closing(open_ledger(url)) as ledger:
        return type(ledger.acquire_lease(STAGE, holder=ANN)).__name__


def test_of_many_processes_that_take_a_lease_at_once_one_gets_it(ledger: SqlLedger, ledger_url: str) -> None:
    assert sorted(all_at_once(take, ledger_url, processes=4)) == ["Lease"] + ["LeaseHeld"] * 3
    assert ledger.find_lease(STAGE) is not None


def take_what_stood_still(url: str) -> str:
    seen = LeaseHeld(resource=STAGE, holder=ANN, token=1, counter=0, since=MOMENT)
    with closing(open_ledger(url)) as ledger:
        return type(ledger.acquire_lease(STAGE, holder=BOB, seen=seen)).__name__


def test_of_many_processes_that_take_over_the_same_lease_at_once_one_gets_it(
    ledger: SqlLedger, ledger_url: str
) -> None:
    ledger.acquire_lease(STAGE, holder=ANN)

    assert sorted(all_at_once(take_what_stood_still, ledger_url, processes=4)) == ["Lease"] + ["LeaseHeld"] * 3


def test_each_beat_raises_the_counter(ledger: SqlLedger) -> None:
    lease = taken(ledger.acquire_lease(STAGE, holder=ANN))

    assert [ledger.beat_lease(lease), ledger.beat_lease(lease)] == [True, True]
    assert held(ledger.acquire_lease(STAGE, holder=BOB)).counter == 2


def test_a_lease_is_taken_over_only_while_it_stands_exactly_as_seen(ledger: SqlLedger) -> None:
    lease = taken(ledger.acquire_lease(STAGE, holder=ANN))
    seen = held(ledger.acquire_lease(STAGE, holder=BOB))
    ledger.beat_lease(lease)
    moved = held(ledger.acquire_lease(STAGE, holder=BOB, seen=seen))

    assert moved.counter == 1
    assert held(ledger.acquire_lease(STAGE, holder=BOB, seen=replace(moved, token=0))) == moved
    assert taken(ledger.acquire_lease(STAGE, holder=BOB, seen=moved)).token == 2


def test_a_lease_that_was_taken_over_neither_beats_nor_releases(ledger: SqlLedger) -> None:
    lost = taken(ledger.acquire_lease(STAGE, holder=ANN))
    ledger.acquire_lease(STAGE, holder=BOB, seen=ledger.find_lease(STAGE))

    assert not ledger.beat_lease(lost)
    ledger.release_lease(lost)
    now = ledger.find_lease(STAGE)
    assert now is not None
    assert (now.holder, now.token, now.counter) == (BOB, 2, 0)


def test_tokens_only_rise_also_over_releases(ledger: SqlLedger) -> None:
    tokens = []
    for worker in (ANN, BOB, ANN):
        lease = taken(ledger.acquire_lease(STAGE, holder=worker))
        tokens.append(lease.token)
        ledger.release_lease(lease)
        ledger.release_lease(lease)
        assert ledger.find_lease(STAGE) is None
        assert not ledger.beat_lease(lease)

    assert tokens == [1, 2, 3]
