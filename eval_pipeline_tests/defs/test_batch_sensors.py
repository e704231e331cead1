"""The sensor that looks after open batches: what it asks for, what it says, what its checks show."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData, TickStatus
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.tags import RUN_KEY_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.sensor import MIN_INTERVAL_LOOP_TIME
from dagster._utils.error import SerializableErrorInfo
from sqlalchemy import Engine, event

from eval_pipeline.core.batches import BatchJob, JobState
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.defs import batch_sensors
from eval_pipeline.defs.batch_sensors import LONGEST_PAUSE, MOST_ATTEMPTS, look_after_batches, pause_after
from eval_pipeline.defs.collectors import BEAT_EVERY_S, COLLECTORS
from eval_pipeline.defs.daemons import failing_sensors
from eval_pipeline.defs.sensors import SENSORS
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.providers.openai.batches import OpenAIBatches
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.defs.asked_runs import tags_of
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import a_dataset, a_job, a_run, as_it_stands, change_run

KEY = "sk-test-7f3a9c1e5b"
RESPONSES = dg.AssetCheckKey(dg.AssetKey(["text_eval", "response_batch"]), "batch_freshness")


@pytest.fixture
def nowhere() -> Iterator[str]:
    """Give the URL of a provider that cannot be reached: what the sensor does then depends on the ledger alone."""
    with socket.socket() as taken:  # bound, and never listening
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


@pytest.fixture
def deployment(tmp_path: Path, nowhere: str) -> Iterator[Deployment]:
    environ = {
        "EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home")),
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": nowhere,
    }
    opened = Deployment(environ={**environ, "NO_PROXY": "127.0.0.1"})
    opened.ledger.add_dataset(a_dataset())
    yield opened
    opened.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sensor ask again at its next tick."""
    monkeypatch.setattr(batch_sensors, "PAUSES", ())


def stage_of(run: str) -> StageRef:
    return StageRef(flow=Flow.TEXT, key=RunKey(project="default", run=run), stage="responses")


def add_job(deployment: Deployment, run: str, *, state: JobState = JobState.SUBMITTED, **facts: Any) -> BatchJob:  # noqa: ANN401 - fields of a job
    """Record a run with one job that went out under our key, a moment ago."""
    key = deployment.ledger.claim_run(a_run(run)).key
    change_run(deployment.ledger, key=key, dagster_run_id=f"dagster-{run}")
    base_url = deployment.endpoints("default").find(OPENAI).base_url
    account = OpenAIBatches(api_key=KEY, base_url=base_url).account
    now = utc_now()
    job = a_job(
        run,
        at=now,
        account=account,
        base_url=base_url,
        state=state,
        provider_id=f"batch_{run}",
        provider_created_at=now,
    )
    (recorded,) = deployment.ledger.add_jobs([replace(job, **facts)])
    return recorded


def tick(
    deployment: Deployment, instance: dg.DagsterInstance, cursor: str | None = None
) -> tuple[dg.SensorResult | dg.SkipReason, str]:
    """Let the sensor tick once; returns what it answers and its cursor."""
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        answer = look_after_batches(context, deployment, family=OPENAI)
        if isinstance(answer, dg.SkipReason):
            assert context.cursor is not None
            return answer, context.cursor
        assert not context.cursor_updated, "Dagster takes the cursor of one of the two alone"
        assert answer.cursor is not None
        return answer, answer.cursor


def requests_of(answer: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    return list(answer.run_requests or []) if isinstance(answer, dg.SensorResult) else []


def words_of(answer: dg.SensorResult | dg.SkipReason) -> str:
    reason = answer.skip_reason if isinstance(answer, dg.SensorResult) else answer
    assert isinstance(reason, dg.SkipReason)
    return str(reason.skip_message)


def evaluations(instance: dg.DagsterInstance, partition: str) -> list[tuple[bool, str]]:
    """Return the evaluations of the check, newest first."""
    records = instance.event_log_storage.get_asset_check_execution_history(RESPONSES, limit=10)
    found = [record.event.asset_check_evaluation for record in records if record.event]
    statuses = {record.status for record in records}
    assert statuses <= {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
    return [(one.passed, one.description or "") for one in found if one and one.partition == partition]


def test_nothing_open_is_said(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    answer, _ = tick(deployment, instance)

    assert words_of(answer) == "no batch is open"


def test_every_round_of_the_daemon_is_a_look() -> None:
    assert all(sensor.minimum_interval_seconds < MIN_INTERVAL_LOOP_TIME for sensor in SENSORS)


def test_the_collector_says_now_and_then_that_it_lives(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, cursor = utc_now(), None
    beats = []
    for moment in (now, now + timedelta(seconds=BEAT_EVERY_S + 1), now - timedelta(days=1)):  # the last was set back
        monkeypatch.setattr(batch_sensors, "utc_now", lambda moment=moment: moment)
        for _ in range(3):
            _, cursor = tick(deployment, instance, cursor)
        beats.append(len(instance.fetch_materializations(COLLECTORS[OPENAI].key, limit=10).records))

    assert beats == [1, 2, 3]


def test_a_collector_whose_ticks_fail_does_not_say_that_it_lives(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster keeps what a tick leaves only if it ends well, which is after this function has returned."""
    now = utc_now()
    _, kept = tick(deployment, instance)
    for minutes in range(5, 30):
        moment = now + timedelta(minutes=minutes)
        monkeypatch.setattr(batch_sensors, "utc_now", lambda moment=moment: moment)
        tick(deployment, instance, kept)

    assert instance.fetch_materializations(COLLECTORS[OPENAI].key, limit=10).records == []


def test_a_request_brings_its_partition_with_it(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    """It may have been deleted in the UI: Dagster then fails the tick, and nobody's batches are collected."""
    for run in ("first", "second"):
        add_job(deployment, run, state=JobState.ENDED)

    answer, _ = tick(deployment, instance)

    assert isinstance(answer, dg.SensorResult)
    [added] = answer.dynamic_partitions_requests or []
    assert (added.partitions_def_name, list(added.partition_keys)) == ("text_runs", ["first", "second"])


def test_a_sensor_whose_newest_tick_failed_is_told() -> None:
    with dg.instance_for_test() as instance:
        for name, status in (("openai_batches", TickStatus.FAILURE), ("gemini_batches", TickStatus.SKIPPED)):
            origin = RemoteInstigatorOrigin(
                RemoteRepositoryOrigin(InProcessCodeLocationOrigin(_loadable()), "repository"), name
            )
            told = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
            instance.add_instigator_state(told)
            error = SerializableErrorInfo("partition first not found\n\nmore", [], "DagsterUnknownPartitionError")
            instance.create_tick(
                TickData(
                    instigator_origin_id=told.instigator_origin_id,
                    instigator_name=name,
                    instigator_type=InstigatorType.SENSOR,
                    status=status,
                    timestamp=utc_now().timestamp(),
                    selector_id=told.selector_id,
                    error=error if status is TickStatus.FAILURE else None,
                )
            )

        assert failing_sensors(instance) == ["the sensor openai_batches fails: partition first not found"]


def _loadable() -> LoadableTargetOrigin:
    return LoadableTargetOrigin(executable_path="python", module_name="eval_pipeline.definitions")


def test_what_has_ended_is_collected_by_one_run_of_its_partition(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    add_job(deployment, "first", state=JobState.ENDED)

    [request] = requests_of(tick(deployment, instance)[0])

    assert request.partition_key == "first"
    selected = [key.path[-1] for key in request.asset_selection or []]
    assert selected[:2] == ["response_batch", "responses"], "what submitted died before it had told so"
    assert not any(name.startswith("eval_pipeline/") for name in request.tags), "bookkeeping fills no rows"


def test_no_second_run_is_asked_for_while_one_is_under_way(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    add_job(deployment, "first", state=JobState.ENDED)
    [request] = requests_of(tick(deployment, instance)[0])
    instance.create_run_for_job(_job(), tags=tags_of(request), status=dg.DagsterRunStatus.STARTED)

    assert requests_of(tick(deployment, instance)[0]) == []


def test_a_run_of_the_partition_that_a_person_started_is_waited_for(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    add_job(deployment, "first", state=JobState.ENDED)
    instance.create_run_for_job(_job(), tags={"dagster/partition": "first"}, status=dg.DagsterRunStatus.STARTED)

    assert requests_of(tick(deployment, instance)[0]) == []


@pytest.mark.parametrize("ended", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS], ids=str)
def test_after_some_runs_that_do_not_take_a_stage_on_a_person_is_told(
    deployment: Deployment, instance: dg.DagsterInstance, ended: dg.DagsterRunStatus
) -> None:
    """A run that finds its stage held by another process succeeds and has collected nothing."""
    add_job(deployment, "first", state=JobState.ENDED)
    keys = set()
    for _ in range(MOST_ATTEMPTS):
        [request] = requests_of(tick(deployment, instance)[0])
        keys.add(request.run_key)
        instance.create_run_for_job(_job(), tags=tags_of(request), status=ended)

    answer, _ = tick(deployment, instance)

    assert len(keys) == MOST_ATTEMPTS, "Dagster starts a run key once"
    assert len(requests_of(answer)) == 1, "at growing intervals, without an end: the provider may come back"
    assert evaluations(instance, "first")[0][0] is False


def test_a_stage_that_was_not_taken_on_again_and_again_is_given_time(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its provider may be away for some minutes."""
    monkeypatch.setattr(batch_sensors, "PAUSES", (timedelta(), timedelta(minutes=1)))
    add_job(deployment, "first", state=JobState.ENDED)
    for _ in range(2):
        [request] = requests_of(tick(deployment, instance)[0])
        instance.create_run_for_job(_job(), tags=tags_of(request), status=dg.DagsterRunStatus.FAILURE)

    assert requests_of(tick(deployment, instance)[0]) == []
    monkeypatch.setattr(batch_sensors, "PAUSES", (timedelta(), timedelta()))
    assert len(requests_of(tick(deployment, instance)[0])) == 1


def test_results_that_nobody_can_collect_fail_the_check_a_week_before_they_expire(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    """The alert of what keeps them from being collected stands beside it."""
    ended_at = utc_now() - timedelta(days=25)
    job = add_job(deployment, "first", state=JobState.ENDED, ended_at=ended_at, output_file_id="file-out")
    for _ in range(MOST_ATTEMPTS):
        [request] = requests_of(tick(deployment, instance)[0])
        instance.create_run_for_job(_job(), tags=tags_of(request), status=dg.DagsterRunStatus.FAILURE)

    _, cursor = tick(deployment, instance)
    [(passed, words)] = evaluations(instance, "first")
    deployment.ledger.change_job(job, to=JobState.COLLECTED)
    tick(deployment, instance, cursor)

    assert not passed
    assert "the results of batch batch_first are not collected and expire in 4 days" in words
    assert "see their logs" in words
    assert evaluations(instance, "first") == [(True, "every batch is within its window")]


def test_results_under_a_key_that_is_gone_are_told_to_expire(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    month_ago = utc_now() - timedelta(days=29)
    add_job(deployment, "first", account="another", base_url="https://elsewhere.example", provider_created_at=month_ago)

    answer, _ = tick(deployment, instance)

    assert "give OPENAI_API_KEY and OPENAI_BASE_URL of that account back" in words_of(answer)
    assert "expire in 0 days" in words_of(answer)
    assert "expire in 0 days" in evaluations(instance, "first")[0][1]


def test_many_open_jobs_are_looked_after_in_pages(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_sensors, "JOBS_A_TICK", 2)
    for number in range(3):
        add_job(deployment, f"run-{number}", state=JobState.ENDED)

    first, cursor = tick(deployment, instance)
    second, cursor = tick(deployment, instance, cursor)

    assert [request.partition_key for request in requests_of(first)] == ["run-0", "run-1"]
    assert [request.partition_key for request in requests_of(second)] == ["run-2"]
    assert json.loads(cursor)["after_id"] == 0


def test_an_overdue_batch_fails_its_check_once_and_passes_it_again(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    """A provider that is down says nothing of a batch; the ledger knows how old it is. Dagster takes one evaluation."""
    job = add_job(deployment, "first", provider_created_at=utc_now() - timedelta(days=2))

    _, cursor = tick(deployment, instance)
    for _ in range(3):  # ticks that see what was told already
        _, cursor = tick(deployment, instance, cursor)
    [(passed, words)] = evaluations(instance, "first")
    deployment.ledger.change_job(job, provider_created_at=utc_now())
    tick(deployment, instance, cursor)

    assert not passed
    assert "batch_first is open for longer than its window" in words
    assert evaluations(instance, "first") == [(True, "every batch is within its window")]


def test_a_check_passes_again_when_the_batch_is_not_open_any_more(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    job = add_job(deployment, "first", provider_created_at=utc_now() - timedelta(days=2))
    _, cursor = tick(deployment, instance)
    deployment.ledger.change_job(job, to=JobState.CANCELLED)

    _, cursor = tick(deployment, instance, cursor)

    assert evaluations(instance, "first") == [(True, "every batch is within its window")]
    assert json.loads(cursor)["alerts"] == {}


def test_a_stage_is_taken_on_with_all_that_come_after_it_and_none_before(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    add_job(deployment, "first", state=JobState.ENDED, stage=replace(stage_of("first"), stage="embeddings"))
    submitting = replace(stage_of("first"), stage="embedding_batch")
    told = deployment.stages.writer(submitting, schema=None, attempt=1, spec_hash="s", inputs={}, check=lambda: None)
    with told as files:
        files.finish({})

    [request] = requests_of(tick(deployment, instance)[0])

    assert [key.path for key in request.asset_selection or []] == [
        ["text_eval", stage] for stage in ("embeddings", "scores", "report", "traces")
    ]


def test_a_store_that_cannot_be_read_is_told_and_hides_no_other_run(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    for run in ("first", "second"):
        add_job(deployment, run, state=JobState.ENDED)
    deployment.objects.put("text_eval/default/first/response_batch/manifest.json", b"no manifest")

    answer, _ = tick(deployment, instance)

    assert [request.partition_key for request in requests_of(answer)] == ["second"]
    assert evaluations(instance, "first")[0][0] is False


def test_what_was_submitted_anew_is_waited_for_no_longer(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job(deployment, "first", state=JobState.ENDED)
    [request] = requests_of(tick(deployment, instance)[0])
    for _ in range(MOST_ATTEMPTS):
        instance.create_run_for_job(_job(), tags=tags_of(request), status=dg.DagsterRunStatus.FAILURE)
    monkeypatch.setattr(batch_sensors, "PAUSES", (timedelta(minutes=1),))
    assert requests_of(tick(deployment, instance)[0]) == []

    deployment.ledger.change_job(job, to=JobState.COLLECTED)
    deployment.ledger.add_jobs([replace(job, round=1, submission_key="next")])
    [again] = requests_of(tick(deployment, instance)[0])

    assert again.run_key != request.run_key


def test_a_tick_costs_what_is_open_and_not_what_ever_was(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    add_job(deployment, "open", state=JobState.ENDED)
    _, cursor = tick(deployment, instance)
    _, cursor = tick(deployment, instance, cursor)
    before = statements_of_a_tick(deployment, instance, cursor)
    for number in range(50):
        add_job(deployment, f"done-{number}", state=JobState.COLLECTED)
        tags = {"dagster/partition": f"done-{number}", RUN_KEY_TAG: f"done-{number}/responses/{number}/0"}
        instance.create_run_for_job(_job(), tags=tags, status=dg.DagsterRunStatus.SUCCESS)

    assert statements_of_a_tick(deployment, instance, cursor) == before


def statements_of_a_tick(deployment: Deployment, instance: dg.DagsterInstance, cursor: str) -> int:
    """Count what a tick asks of the ledger and of Dagster's own database."""
    statements: list[str] = []

    @event.listens_for(Engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    try:
        answer, _ = tick(deployment, instance, cursor)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [request.partition_key for request in requests_of(answer)] == ["open"]
    return len(statements)


def test_a_batch_of_another_key_is_left_alone_and_a_person_is_told(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    job = add_job(deployment, "first", account="another", base_url="https://elsewhere.example/v1")

    answer, _ = tick(deployment, instance)

    assert requests_of(answer) == []
    assert as_it_stands(deployment.ledger, job) == job
    assert "give OPENAI_API_KEY and OPENAI_BASE_URL of that account back" in words_of(answer)
    assert evaluations(instance, "first")[0][0] is False


def test_pauses_grow_without_an_end() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_sensors, "PAUSES", (timedelta(), timedelta(seconds=15), timedelta(minutes=3)))
        pauses = [pause_after(attempts) for attempts in range(1_000)]

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[2], pauses[4], pauses[-1]) == (
        timedelta(),
        timedelta(seconds=15),
        timedelta(minutes=6),
        LONGEST_PAUSE,
    )


@dg.job
def _nothing() -> None:
    """Be a job that runs can be recorded of."""


def _job() -> dg.JobDefinition:
    return _nothing
