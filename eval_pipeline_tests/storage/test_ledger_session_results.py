"""Results and ratings of sessions in the ledger: on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import StatementError

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.session_results import ScoredStatus, SessionRating, SessionResult
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline.storage.ledger_session_results import remove_run
from eval_pipeline_tests.storage.records import MOMENT

FIRST, SECOND, THIRD = (RunKey(project="default", run=name) for name in ("first", "second", "third"))
RESULT = SessionResult(
    session_id="A",
    run="first",
    session_fingerprint="sha256:a",
    instrument="sha256:i",
    status=ScoredStatus.EVALUATED,
    may_be_retried=False,
    mean=200 / 3,
    complexity=None,
    axes={"goal_completion": {"mean": 200 / 3, "reason": None}, "efficiency": {"mean": None, "reason": "x"}},
    cells=4,
    cells_failed=0,
    cost_usd=Decimal("0.012300000000000001"),
    profile_id="सहायता",
    last_active=MOMENT,
    judged_at=MOMENT,
)
FAILED = replace(RESULT, status=ScoredStatus.FAILED, mean=None, may_be_retried=True)


def record(ledger: SqlLedger, key: RunKey, *results: SessionResult) -> None:
    ledger.record_results(key, [replace(result, run=key.run) for result in results])


def history(ledger: SqlLedger, session_id: str = "A") -> list[SessionResult]:
    return list(ledger.session_results(project="default", session_id=session_id))


def latest(ledger: SqlLedger) -> dict[str, str]:
    return {result.session_id: result.run for result in ledger.latest_results(project="default")}


def series(ledger: SqlLedger, **asked: object) -> set[tuple[str, str, float | None]]:
    rows = ledger.series_results(project="default", **asked)  # type: ignore[arg-type]
    return {(row.session_id, row.instrument, row.mean) for row in rows}


def test_what_a_run_came_to_comes_back_as_it_was_and_the_latest_run_stands(ledger: SqlLedger) -> None:
    record(ledger, FIRST, RESULT, replace(RESULT, session_id="B", cost_usd=None, last_active=None, complexity=25.5))
    record(ledger, SECOND, replace(RESULT, mean=50.0))
    record(ledger, RunKey(project="lab", run="first"), RESULT)

    assert history(ledger)[1] == RESULT
    assert [one.run for one in history(ledger)] == ["second", "first"]
    assert latest(ledger) == {"A": "second", "B": "first"}
    assert [one.session_id for one in ledger.latest_results(project="default", session_ids=["B", "C"])] == ["B"]
    [stands] = ledger.latest_standings(project="default", session_ids=["B"])
    assert stands == ("B", "sha256:a", "sha256:i", "evaluated", False, 0)
    assert history(ledger, "B")[0].complexity == 25.5
    # scored again, the first run stays the earlier one
    record(ledger, FIRST, replace(RESULT, mean=1.0))
    assert [(one.run, one.mean) for one in history(ledger)] == [("second", 50.0), ("first", 1.0)]
    assert latest(ledger)["A"] == "second"


def test_a_series_has_each_session_once_and_no_failure_takes_its_score_away(ledger: SqlLedger) -> None:
    other = replace(RESULT, instrument="sha256:other", mean=10.0)
    record(ledger, FIRST, RESULT, replace(FAILED, session_id="B"), replace(RESULT, session_id="C", last_active=None))
    record(ledger, SECOND, replace(RESULT, mean=50.0), replace(FAILED, session_id="B"))
    record(ledger, THIRD, FAILED, replace(other, session_id="B"))

    assert series(ledger) == {
        ("A", "sha256:i", 50.0),
        ("B", "sha256:i", None),
        ("B", "sha256:other", 10.0),
        ("C", "sha256:i", RESULT.mean),
    }
    later = MOMENT + timedelta(seconds=1)
    assert series(ledger, since=later) == {("C", "sha256:i", RESULT.mean)}
    assert series(ledger, profile="other") == set()
    assert series(ledger, profile="सहायता", since=MOMENT) == series(ledger)


def test_failures_at_one_content_and_instrument_are_counted(ledger: SqlLedger) -> None:
    for key in (FIRST, SECOND, THIRD):
        record(ledger, key, FAILED)
    assert [one.failed_tries for one in history(ledger)] == [3, 2, 1]
    record(ledger, RunKey(project="default", run="fourth"), replace(FAILED, session_fingerprint="sha256:grown"))
    assert history(ledger)[0].failed_tries == 1


def test_a_run_that_is_deleted_takes_its_results_along_and_the_earlier_ones_stand_again(ledger: SqlLedger) -> None:
    record(ledger, FIRST, RESULT)
    record(ledger, SECOND, replace(RESULT, mean=50.0), replace(RESULT, session_id="B"))
    with ledger._database.write() as connection:
        remove_run(connection, SECOND)

    assert latest(ledger) == {"A": "first"}
    assert series(ledger) == {("A", "sha256:i", RESULT.mean)}


def test_more_sessions_than_one_statement_takes(ledger: SqlLedger) -> None:
    names = [f"s{number:04}" for number in range(1_003)]
    record(ledger, FIRST, *(replace(RESULT, session_id=name) for name in names))
    record(ledger, SECOND, *(replace(FAILED, session_id=name) for name in names[:700]))
    ledger.begin_sessions(FIRST, names)

    assert sorted(latest(ledger)) == names
    assert sum(run == "second" for run in latest(ledger).values()) == 700
    assert len(series(ledger)) == 1_003
    assert len(list(ledger.latest_results(project="default", session_ids=names))) == 1_003
    ledger.delete_results(project="default", session_ids=names[1:])
    assert latest(ledger) == {"s0000": "second"}


def test_what_people_rated_is_kept_entry_by_entry(ledger: SqlLedger) -> None:
    rating = SessionRating(
        session_id="A",
        session_fingerprint="sha256:a",
        axis="goal_completion",
        rater="मीरा",
        level=75.0,
        comment="ok\0",
        rated_at=MOMENT,
    )
    entries = [rating, replace(rating, session_id="B", level=None, comment=None), replace(rating, level=50.0)]
    ledger.add_ratings(project="default", ratings=entries[:2])
    ledger.add_ratings(project="default", ratings=entries[2:])
    with pytest.raises(StatementError, match="time zone"):
        ledger.add_ratings(project="default", ratings=[rating, replace(rating, rated_at=MOMENT.replace(tzinfo=None))])
    ledger.add_ratings(project="lab", ratings=[])

    told = [replace(one, comment="ok\ufffd") if one.comment else one for one in entries]
    assert list(ledger.session_ratings(project="default")) == told
    assert list(ledger.session_ratings(project="default", session_ids=["A"])) == [told[0], told[2]]
    assert list(ledger.session_ratings(project="lab")) == []


def test_an_instrument_is_kept_once(ledger: SqlLedger) -> None:
    ledger.keep_instrument(project="default", digest="sha256:i", document={"panel_version": "1"})
    ledger.keep_instrument(project="default", digest="sha256:i", document={"panel_version": "2"})

    assert ledger.instruments(project="default") == {"sha256:i": {"panel_version": "1"}}
    assert ledger.instruments(project="lab") == {}


def test_runs_that_record_at_once_leave_one_latest_result_of_every_session(ledger: SqlLedger) -> None:
    def judge(_: int) -> None:
        for number in range(3):
            key = RunKey(project="default", run=f"run {number}")
            record(ledger, key, RESULT, replace(RESULT, session_id="B"))
            ledger.keep_instrument(project="default", digest="sha256:i", document={})

    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(judge, range(4)))

    assert set(latest(ledger)) == {"A", "B"}
    assert len(history(ledger)) == 3
