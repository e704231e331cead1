from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from eval_pipeline.core.errors import ConflictError, NotFoundError, UnavailableError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState, Worker
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline_tests.storage.records import KEY, MOMENT, a_dataset, a_run

TEXT = Flow.TEXT
WORKER = Worker(host="a#1", pid=4_194_304, started_at=1763727015.31)


def names(ledger: SqlLedger, *, limit: int = 10, offset: int = 0, **filters: object) -> tuple[list[str], int]:
    chosen = {"project": "default", "flow": None, "state": None, **filters}
    page = ledger.list_runs(**chosen, limit=limit, offset=offset)  # type: ignore[arg-type]  # filters of many types
    return [run.key.run for run in page.items], page.total


def test_a_claimed_run_is_found_as_it_was_given(ledger: SqlLedger) -> None:
    run = a_run(worker=WORKER, max_cost_usd=0.1, dagster_run_id="d", error_code="c", error_message="m", error_hint="h")

    assert ledger.claim_run(run) == run
    found = ledger.find_run(flow=TEXT, key=KEY)

    assert found == run
    assert found is not None
    assert list(found.spec) == list(run.spec)


def test_moments_come_back_in_utc_from_any_time_zone(ledger: SqlLedger) -> None:
    ledger.claim_run(a_run(created_at=MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))))

    found = ledger.find_run(flow=TEXT, key=KEY)

    assert found is not None
    assert found.created_at == MOMENT
    assert found.created_at.tzinfo is UTC


def test_a_moment_without_time_zone_is_refused(ledger: SqlLedger) -> None:
    with pytest.raises(Exception, match="with a time zone"):
        ledger.claim_run(a_run(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the point of the test


def test_a_taken_name_is_refused_with_who_has_it_and_what_to_do(ledger: SqlLedger) -> None:
    ledger.claim_run(a_run(project="lab", state=RunState.RUNNING))

    with pytest.raises(
        ConflictError, match=r"'first' is taken in project 'lab' since 2026-05-21 12:30:15 UTC"
    ) as caught:
        ledger.claim_run(a_run(project="lab"))

    assert caught.value.code == "run_name_already_exists"
    assert "its state is running" in caught.value.message
    assert "eval-pipeline run retry first --project lab" in caught.value.hint


def test_a_name_is_free_in_another_project_and_in_another_flow(ledger: SqlLedger) -> None:
    ledger.claim_run(a_run())
    ledger.claim_run(a_run(project="lab"))
    ledger.claim_run(a_run(flow=Flow.STT))

    assert names(ledger) == (["first", "first"], 2)


def test_runs_are_listed_newest_first_filtered_before_paging_with_the_total(ledger: SqlLedger) -> None:
    for number in range(7):
        state = RunState.FAILED if number % 2 else RunState.COMPLETED
        ledger.claim_run(a_run(f"r{number}", state=state, flow=Flow.STT if number == 3 else TEXT))

    assert names(ledger) == ([f"r{number}" for number in range(6, -1, -1)], 7)
    assert names(ledger, state=RunState.FAILED) == (["r5", "r3", "r1"], 3)
    assert names(ledger, state=RunState.FAILED, flow=TEXT, limit=1, offset=1) == (["r1"], 2)
    assert names(ledger, limit=2, offset=6) == (["r0"], 7)
    assert names(ledger, offset=50) == ([], 7)
    assert names(ledger, limit=0) == ([], 7)
    assert names(ledger, project="lab") == ([], 0)


def test_a_state_changes_only_from_an_expected_one(ledger: SqlLedger) -> None:
    ledger.claim_run(a_run())
    resumable = frozenset({RunState.FAILED, RunState.INTERRUPTED})

    assert not ledger.set_run_state(flow=TEXT, key=KEY, to=RunState.RUNNING, expected=resumable)
    assert ledger.set_run_state(flow=TEXT, key=KEY, to=RunState.FAILED)
    assert ledger.set_run_state(flow=TEXT, key=KEY, to=RunState.RUNNING, expected=resumable)
    assert not ledger.set_run_state(flow=TEXT, key=KEY, to=RunState.RUNNING, expected=frozenset())


def test_a_state_brings_its_error_and_the_next_one_clears_it(ledger: SqlLedger) -> None:
    ledger.claim_run(a_run())
    error = UnavailableError("the store did not\0answer", code="store_unavailable", hint="start it")

    ledger.set_run_state(flow=TEXT, key=KEY, to=RunState.FAILED, error=error)
    failed = ledger.find_run(flow=TEXT, key=KEY)
    ledger.set_run_state(flow=TEXT, key=KEY, to=RunState.RUNNING)
    running = ledger.find_run(flow=TEXT, key=KEY)

    assert failed is not None
    assert (failed.error_code, failed.error_hint) == ("store_unavailable", "start it")
    assert failed.error_message == "the store did not\ufffdanswer"
    assert failed.updated_at > failed.created_at
    assert running is not None
    assert (running.error_code, running.error_message, running.error_hint) == (None, None, None)


def test_what_is_swapped_is_written_whole_where_the_row_still_is_as_it_was_read(ledger: SqlLedger) -> None:
    before = ledger.claim_run(a_run())
    mine = replace(before.moved(RunState.RUNNING), worker=WORKER, dagster_run_id="abc", max_cost_usd=1.25)
    theirs = replace(before, cancel_requested=True, max_cost_usd=99.0)

    assert ledger.swap_run(before, mine)
    assert not ledger.swap_run(before, theirs), "they read it before"

    during = ledger.find_run(flow=TEXT, key=KEY)
    assert during is not None
    assert during == replace(mine, updated_at=during.updated_at)
    assert ledger.swap_run(during, replace(during, worker=None, cancel_requested=True))
    after = ledger.find_run(flow=TEXT, key=KEY)
    assert after == replace(mine, worker=None, cancel_requested=True, updated_at=after.updated_at if after else MOMENT)


def test_a_run_that_is_being_deleted_never_comes_back(ledger: SqlLedger) -> None:
    run = ledger.claim_run(a_run())
    assert ledger.swap_run(run, run.moved(RunState.DELETING))
    deleting = ledger.find_run(flow=TEXT, key=KEY)
    assert deleting is not None

    assert not ledger.swap_run(deleting, deleting.moved(RunState.REQUESTED))
    assert not ledger.set_run_state(flow=TEXT, key=KEY, to=RunState.COMPLETED)
    assert ledger.find_run(flow=TEXT, key=KEY) == deleting


def test_a_deleted_run_frees_its_name(ledger: SqlLedger) -> None:
    ledger.claim_run(a_run())
    ledger.delete_run(flow=TEXT, key=KEY)

    assert ledger.find_run(flow=TEXT, key=KEY) is None
    assert ledger.claim_run(a_run()) == a_run()


def test_a_run_that_does_not_exist_cannot_be_changed(ledger: SqlLedger) -> None:
    key = RunKey(project="lab", run="ghost")
    changes = (
        lambda: ledger.set_run_state(flow=TEXT, key=key, to=RunState.FAILED),
        lambda: ledger.swap_run(a_run("ghost", project="lab"), a_run("ghost", project="lab", cancel_requested=True)),
        lambda: ledger.delete_run(flow=TEXT, key=key),
    )

    for change in changes:
        with pytest.raises(NotFoundError, match="project 'lab' has no run 'ghost'") as caught:
            change()
        assert caught.value.code == "run_not_found"


def test_a_run_cannot_be_claimed_on_a_dataset_that_was_deleted_meanwhile(ledger: SqlLedger) -> None:
    dataset = ledger.add_dataset(a_dataset())
    ledger.delete_dataset(project="default", name=dataset.name, version=None)

    with pytest.raises(NotFoundError, match="has been deleted") as caught:
        ledger.claim_run(a_run())

    assert caught.value.code == "dataset_not_found"
    assert ledger.find_run(flow=TEXT, key=KEY) is None


def test_the_running_runs_of_all_projects_come_oldest_first(ledger: SqlLedger) -> None:
    ledger.add_dataset(a_dataset(project="other"))
    for project in ("default", "other"):
        for name in ("first", "second"):
            ledger.claim_run(a_run(name, project=project))
    for key in (RunKey("other", "first"), RunKey("default", "second"), RunKey("default", "first")):
        ledger.set_run_state(flow=TEXT, key=key, to=RunState.RUNNING)

    assert [run.key.run for run in ledger.running_runs(limit=2)] == ["first", "second"]
    assert len(ledger.running_runs(limit=10)) == 3
