"""The batch jobs of the ledger, on SQLite and on PostgreSQL."""

from contextlib import closing
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from eval_pipeline.core.batches import BatchJob, JobState
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.runs import Flow
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.storage.records import MOMENT, a_job, as_it_stands

OPENAI_JOBS = (ApiProtocol.OPENAI_RESPONSES, ApiProtocol.OPENAI_CHAT)
INTENT = a_job(submission_key="key-0")
STAGE = INTENT.stage


def intent(shard: int, **changes: object) -> BatchJob:
    return replace(INTENT, shard=shard, submission_key=f"key-{shard}", **changes)  # type: ignore[arg-type]


def added(ledger: SqlLedger, job: BatchJob = INTENT) -> BatchJob:
    (recorded,) = ledger.add_jobs([job])
    return recorded


def changed(job: BatchJob | None) -> BatchJob:
    assert job is not None
    return job


def test_every_field_comes_back_as_it_was_written(ledger: SqlLedger) -> None:
    later = MOMENT + timedelta(seconds=1.5)
    whole = replace(
        INTENT,
        token=7,
        create_started_at=later,
        sought_since=later,
        waits_until=later,
        empty_lists=2,
        listed_at=later,
        provider_id="batch_1",
        provider_status="in_progress",
        provider_created_at=later,
        input_file_id="file-1",
        output_file_id="file-2",
        error_file_id="file-3",
        total=5,
        completed=4,
        failed=1,
        looks_without_files=3,
        unseen_since=later,
        looked_at=later,
        cancel_requested_at=later,
        cancelled_by_us=True,
        ended_at=later,
        collected_at=later,
        outcomes={"ok": 4, "failed": 1},
        anomalies=("an id came twice: 'ü'",),
        error_code="a_code",
        error_message="words",
    )
    left_out = [
        field.name
        for field in fields(BatchJob)
        if field.name not in {"id", "version", "round", "shard", "attempt"}
        and getattr(whole, field.name) == field.default
    ]

    recorded = added(ledger, whole)

    assert not left_out, "a field that has its default proves nothing"
    assert recorded == replace(whole, id=recorded.id)
    assert as_it_stands(ledger, recorded) == recorded
    assert ledger.stage_jobs(STAGE) == [recorded]


def test_intents_that_are_recorded_again_stand_as_they_are(ledger: SqlLedger) -> None:
    first = ledger.add_jobs([intent(0), intent(1)])
    moved = changed(ledger.change_job(first[0], to=JobState.SUBMITTED, provider_id="batch_1"))

    again = ledger.add_jobs([intent(0, fingerprint="other"), intent(1), intent(2)])

    assert list(again[:2]) == [moved, first[1]]
    assert len(ledger.stage_jobs(STAGE)) == 3


def test_intents_are_recorded_all_or_none(ledger: SqlLedger) -> None:
    broken = intent(1, model=None)

    with pytest.raises(Exception, match=r"(?i)null"):
        ledger.add_jobs([intent(0), broken])

    assert ledger.stage_jobs(STAGE) == []


def record(url: str) -> list[int]:
    with closing(open_ledger(url)) as ledger:
        return [job.id for job in ledger.add_jobs([intent(shard) for shard in range(5)])]


def test_many_processes_that_record_the_same_intents_record_them_once(ledger: SqlLedger, ledger_url: str) -> None:
    answers = all_at_once(record, ledger_url, processes=4)

    assert len({tuple(answer) for answer in answers}) == 1
    assert len(ledger.stage_jobs(STAGE)) == 5


def submit(url: str) -> bool:
    with closing(open_ledger(url)) as ledger:
        job = replace(ledger.stage_jobs(STAGE)[0], version=0, state=JobState.INTENT)
        return ledger.change_job(job, to=JobState.SUBMITTED, provider_id="batch_1") is not None


def test_of_many_processes_that_change_one_job_one_does(ledger: SqlLedger, ledger_url: str) -> None:
    added(ledger)

    assert sorted(all_at_once(submit, ledger_url, processes=4)) == [False, False, False, True]


def test_a_change_of_what_was_read_too_long_ago_is_not_made(ledger: SqlLedger) -> None:
    read = added(ledger)
    newer = changed(ledger.change_job(read, empty_lists=1))

    assert ledger.change_job(read, to=JobState.CANCELLED) is None
    assert as_it_stands(ledger, read) == newer
    assert newer.version == read.version + 1


@pytest.mark.parametrize("to", [JobState.INTENT, JobState.ENDED, JobState.COLLECTED])
def test_a_way_that_does_not_exist_is_refused(ledger: SqlLedger, to: JobState) -> None:
    job = added(ledger)

    with pytest.raises(ValueError, match=f"intent cannot become {to}"):
        ledger.change_job(job, to=to)

    assert as_it_stands(ledger, job) == job


@pytest.mark.parametrize("name", ["submission_key", "fingerprint", "round", "state", "no_such_column"])
def test_what_a_job_is_cannot_be_changed(ledger: SqlLedger, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        ledger.change_job(added(ledger), **{name: "other"})


def test_a_file_is_submitted_again_in_one_transaction_with_the_end_of_its_job(ledger: SqlLedger) -> None:
    submitted = changed(ledger.change_job(added(ledger), to=JobState.SUBMITTED, provider_id="batch_1"))
    ended = changed(ledger.change_job(submitted, to=JobState.ENDED))
    follower = replace(INTENT, attempt=1, submission_key="key-0-again")

    again = changed(ledger.resubmit_job(ended, again=follower, error_code="token_limit_exceeded"))

    assert [(job.attempt, job.state) for job in ledger.stage_jobs(STAGE)] == [
        (0, JobState.FAILED),
        (1, JobState.INTENT),
    ]
    assert again.submission_key == "key-0-again"
    assert ledger.resubmit_job(ended, again=replace(follower, attempt=2)) is None, "it is closed already"
    assert len(ledger.stage_jobs(STAGE)) == 2


def test_jobs_come_in_the_order_of_their_submission(ledger: SqlLedger) -> None:
    places = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)]
    ledger.add_jobs(
        [
            replace(INTENT, round=number, shard=shard, attempt=attempt, submission_key=f"{number}{shard}{attempt}")
            for number, shard, attempt in places
        ]
    )

    assert [(job.round, job.shard, job.attempt) for job in ledger.stage_jobs(STAGE)] == sorted(places)


def test_open_jobs_come_in_pages_and_closed_ones_never(ledger: SqlLedger) -> None:
    jobs = ledger.add_jobs([intent(shard) for shard in range(7)])
    ledger.change_job(jobs[2], to=JobState.CANCELLED)
    ledger.add_jobs([intent(8, provider="gemini", protocol=ApiProtocol.GEMINI)])

    first = ledger.open_jobs(protocols=OPENAI_JOBS, limit=4)
    second = ledger.open_jobs(protocols=OPENAI_JOBS, after_id=first[-1].id, limit=4)

    assert [job.shard for job in first] == [0, 1, 3, 4]
    assert [job.shard for job in second] == [5, 6]
    assert [job.shard for job in ledger.open_jobs(protocols=[ApiProtocol.GEMINI])] == [8]


def test_jobs_of_other_runs_and_projects_are_not_mixed_in(ledger: SqlLedger) -> None:
    other = replace(STAGE, key=RunKey(project="health", run="first"))
    ledger.add_jobs([INTENT, replace(INTENT, stage=other, submission_key="other")])

    assert [job.stage for job in ledger.run_jobs(flow=Flow.TEXT, key=STAGE.key)] == [STAGE]
    assert [job.stage for job in ledger.stage_jobs(other)] == [other]


def test_finding_open_jobs_costs_what_is_open_and_not_what_ever_was(ledger: SqlLedger, ledger_url: str) -> None:
    ledger.add_jobs([intent(shard, state=JobState.COLLECTED) for shard in range(300)])
    ledger.add_jobs([intent(5_000)])
    statements: list[tuple[str, Any]] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    try:
        found = ledger.open_jobs(protocols=OPENAI_JOBS)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    statement, parameters = next(taken for taken in statements if "batch_jobs" in taken[0])
    explain = "EXPLAIN QUERY PLAN" if ledger_url.startswith("sqlite") else "EXPLAIN"
    with ledger._database.write() as connection:
        connection.exec_driver_sql("ANALYZE")
        plan = " ".join(map(str, connection.exec_driver_sql(f"{explain} {statement}", parameters)))

    assert [job.shard for job in found] == [5_000]
    assert "ix_batch_jobs_open" in plan
