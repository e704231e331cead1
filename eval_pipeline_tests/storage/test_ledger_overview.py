"""Sessions by how they stand: the query says what the decision says, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.session_results import ScoredStatus, SessionStatus
from eval_pipeline.core.sessions import ContentPlace, SessionRecord, SessionScope
from eval_pipeline.session_eval.scoring.standing import Result, status_of
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline_tests.session_eval.scoring.test_session_scores import NOW
from eval_pipeline_tests.storage.records import MOMENT, a_run
from eval_pipeline_tests.storage.test_ledger_session_results import RESULT

KEY = RunKey(project="default", run="first")
OTHER = replace(NOW, rubric_fingerprint="sha256:other")
CASES = {
    f"{status or 'none'} {fingerprint} {'now' if instrument is NOW else 'other'} {'at work' if at_work else 'idle'}": (
        status,
        fingerprint,
        instrument,
        at_work,
    )
    for status in (None, *ScoredStatus)
    for fingerprint in ("same", "grown")
    for instrument in (NOW, OTHER)
    for at_work in (False, True)
}


def a_session(name: str, *, place: int) -> SessionRecord:
    return SessionRecord(
        session_id=name,
        fingerprint="sha256:same",
        about="",
        profile_id="odd" if place % 2 else None,
        name=f"Gespräch 100% {place}",
        pinned=place == 5,
        created_at=None,
        last_active=None if place == 3 else MOMENT + timedelta(minutes=place),
        messages=2,
        facts="{}",
        outcome=None,
        place=ContentPlace("part", place),
    )


@pytest.fixture
def told(ledger: SqlLedger) -> SqlLedger:
    sessions = [a_session(name, place=place) for place, name in enumerate(CASES)]
    ledger.begin_part(project="default", key="part")
    ledger.record_sessions(project="default", key="part", sessions=sessions)
    ledger.claim_run(a_run(flow=Flow.SESSIONS, state=RunState.RUNNING))
    results = [
        replace(
            RESULT, session_id=name, status=status, session_fingerprint=f"sha256:{fingerprint}", instrument=of.digest
        )
        for name, (status, fingerprint, of, _) in CASES.items()
        if status is not None
    ]
    ledger.record_results(KEY, results)
    ledger.begin_sessions(KEY, [name for name, (*_, at_work) in CASES.items() if at_work])
    return ledger


def found(
    ledger: SqlLedger, *statuses: SessionStatus, instrument: str | None = NOW.digest, limit: int = 500
) -> list[str]:
    page = ledger.sessions_standing(
        project="default", scope=SessionScope(), statuses=statuses, instrument=instrument, limit=limit, offset=0
    )
    return [record.session_id for record in page.items]


def test_the_query_says_of_every_session_what_the_decision_says(told: SqlLedger) -> None:
    for current in (NOW, None):
        stands: dict[SessionStatus, list[str]] = {status: [] for status in SessionStatus}
        for name in found(told):
            status, fingerprint, instrument, at_work = CASES[name]
            result = None
            if status is not None:
                result = Result(session_fingerprint=f"sha256:{fingerprint}", instrument=instrument, status=status)
            standing = status_of(session_fingerprint="sha256:same", result=result, current=current, is_running=at_work)
            stands[standing.status].append(name)
        digest = None if current is None else current.digest
        assert {status: found(told, status, instrument=digest) for status in SessionStatus} == stands
    assert len(found(told, SessionStatus.STALE, SessionStatus.PENDING)) == len(found(told, SessionStatus.STALE)) + len(
        found(told, SessionStatus.PENDING)
    )
    assert all(stands.values())


def test_pages_come_in_one_order_and_know_their_total(told: SqlLedger) -> None:
    names = list(CASES)
    whole = found(told)

    assert whole[0] == names[5]  # pinned
    assert whole[-1] == names[3]  # without a last activity
    assert whole[1:-1] == [name for name in reversed(names) if name not in {names[3], names[5]}]
    pages = [
        told.sessions_standing(
            project="default", scope=SessionScope(), statuses=(), instrument=None, limit=5, offset=offset
        )
        for offset in range(0, 35, 5)
    ]
    assert [record.session_id for page in pages for record in page.items] == whole
    assert {page.total for page in pages} == {len(CASES)}
    odd = told.sessions_standing(
        project="default",
        scope=SessionScope(profile="odd", search="100% 1"),
        statuses=(),
        instrument=None,
        limit=500,
        offset=0,
    )
    assert odd.total == len([place for place in range(len(CASES)) if place % 2 and str(place).startswith("1")])
    ended = told.set_run_state(flow=Flow.SESSIONS, key=KEY, to=RunState.COMPLETED)
    assert ended
    assert found(told, SessionStatus.RUNNING) == []
