"""Requests on the ledger become partitions and Dagster runs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, MAX_RETRIES_TAG, WILL_RETRY_TAG

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState, Worker
from eval_pipeline.defs import run_sensors
from eval_pipeline.defs.run_sensors import MOST_ATTEMPTS, RUNS_A_TICK, start_requested_runs
from eval_pipeline.defs.sensors import requested_runs
from eval_pipeline.dispatch.workers import this_worker
from eval_pipeline.runs.control import reopen
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.defs.asked_runs import tags_of
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import a_dataset, a_run, change_run


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    opened = Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home"))})
    opened.ledger.add_dataset(a_dataset())
    return opened


def _request(ledger: SqlLedger, name: str, project: str = "default") -> RunKey:
    return ledger.claim_run(a_run(name, project=project)).key


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def _tick(deployment: Deployment, instance: dg.DagsterInstance) -> dg.SensorResult:
    result = start_requested_runs(deployment, instance)
    assert isinstance(result, dg.SensorResult)
    return result


def _end(instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus, **tags: str) -> None:
    """Record the Dagster run that a request led to."""
    instance.create_run_for_job(_nothing, tags={**tags_of(request), **tags}, status=status)


@dg.job
def _nothing() -> None:
    """Be a job that runs can be recorded of."""


def test_nothing_requested_is_said(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    assert isinstance(start_requested_runs(deployment, instance), dg.SkipReason)


def test_a_request_becomes_a_partition_and_a_run(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    deployment.ledger.add_dataset(a_dataset(project="other"))
    _request(deployment.ledger, "first")
    _request(deployment.ledger, "second", project="other")

    result = _tick(deployment, instance)

    assert [request.partition_key for request in result.run_requests or []] == ["first", "other~second"]
    [added] = result.dynamic_partitions_requests or []
    assert (added.partitions_def_name, added.partition_keys) == ("text_runs", ["first", "other~second"])


def test_a_run_that_is_worked_on_is_not_started(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    key = _request(deployment.ledger, "first")
    change_run(deployment.ledger, key=key, worker=this_worker())

    assert isinstance(start_requested_runs(deployment, instance), dg.SkipReason)


def test_one_request_asks_for_one_run_however_often_it_is_seen_and_a_retry_for_another(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    """Dagster remembers run keys for ever."""
    key = _request(deployment.ledger, "first")
    first, again = ((_tick(deployment, instance).run_requests or [])[0].run_key for _ in range(2))
    assert first == again

    deployment.ledger.set_run_state(flow=Flow.TEXT, key=key, to=RunState.FAILED)
    reopen(deployment, flow=Flow.TEXT, key=key, max_cost_usd=None, here=False)

    assert (_tick(deployment, instance).run_requests or [])[0].run_key != first


def test_a_request_whose_worker_died_before_it_began_is_asked_for_again_and_not_for_ever(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    key = _request(deployment.ledger, "first")
    keys = set()
    for _ in range(MOST_ATTEMPTS):
        [request] = _tick(deployment, instance).run_requests or []
        keys.add(request.run_key)
        _end(instance, request, dg.DagsterRunStatus.FAILURE)

    assert isinstance(start_requested_runs(deployment, instance), dg.SkipReason)
    run = deployment.ledger.find_run(flow=Flow.TEXT, key=key)
    assert len(keys) == MOST_ATTEMPTS
    assert run is not None
    assert (run.state, run.error_code) == (RunState.FAILED, "run_never_began")


def test_a_request_that_is_about_to_begin_is_not_asked_for_twice(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    _request(deployment.ledger, "first")
    [request] = _tick(deployment, instance).run_requests or []
    _end(instance, request, dg.DagsterRunStatus.STARTED)

    assert isinstance(start_requested_runs(deployment, instance), dg.SkipReason)


def test_a_request_that_dagster_is_about_to_retry_is_left_to_it(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever for a retry: where the code location was away, it never comes."""
    _request(deployment.ledger, "first")
    [request] = _tick(deployment, instance).run_requests or []
    assert MAX_RETRIES_TAG not in request.tags, "a run that has begun is retried by Dagster"
    _end(instance, request, dg.DagsterRunStatus.FAILURE, **{WILL_RETRY_TAG: "true"})

    assert isinstance(start_requested_runs(deployment, instance), dg.SkipReason)
    monkeypatch.setattr(run_sensors, "RETRIED_WITHIN", timedelta())
    assert len(_tick(deployment, instance).run_requests or []) == 1


def test_a_request_that_dagster_retried_in_vain_is_asked_for_again(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    _request(deployment.ledger, "first")
    [request] = _tick(deployment, instance).run_requests or []
    _end(instance, request, dg.DagsterRunStatus.FAILURE, **{WILL_RETRY_TAG: "true", AUTO_RETRY_RUN_ID_TAG: "the retry"})
    _end(instance, request, dg.DagsterRunStatus.FAILURE, **{WILL_RETRY_TAG: "false"})

    assert len(_tick(deployment, instance).run_requests or []) == 1


ELSEWHERE = Worker(host="another#0", pid=7, started_at=1.0)
DEAD = replace(this_worker(), started_at=0.5)


@pytest.mark.parametrize(
    ("worker", "status", "state"),
    [
        (this_worker(), None, RunState.RUNNING),
        (DEAD, None, RunState.INTERRUPTED),
        (ELSEWHERE, dg.DagsterRunStatus.STARTED, RunState.RUNNING),
        (ELSEWHERE, dg.DagsterRunStatus.FAILURE, RunState.INTERRUPTED),
        (ELSEWHERE, None, RunState.RUNNING),
    ],
    ids=["alive", "dead", "elsewhere", "elsewhere and given up", "of another Dagster instance"],
)
def test_a_run_that_lost_its_worker_is_written_down_as_interrupted(
    deployment: Deployment,
    instance: dg.DagsterInstance,
    worker: Worker,
    status: dg.DagsterRunStatus | None,
    state: RunState,
) -> None:
    key = _request(deployment.ledger, "first")
    executed = instance.create_run_for_job(_nothing, status=status).run_id if status else "unknown"
    change_run(deployment.ledger, key=key, worker=worker, dagster_run_id=executed, state=RunState.RUNNING)

    start_requested_runs(deployment, instance)

    run = deployment.ledger.find_run(flow=Flow.TEXT, key=key)
    assert run is not None
    assert run.state is state


def test_a_request_that_a_person_cancels_in_dagster_is_cancelled(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    key = _request(deployment.ledger, "first")
    [request] = _tick(deployment, instance).run_requests or []
    _end(instance, request, dg.DagsterRunStatus.CANCELED)

    assert isinstance(start_requested_runs(deployment, instance), dg.SkipReason)
    run = deployment.ledger.find_run(flow=Flow.TEXT, key=key)
    assert run is not None
    assert run.state is RunState.CANCELLED


def test_a_tick_is_bounded(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    for number in range(RUNS_A_TICK + 1):
        _request(deployment.ledger, f"run-{number}")

    assert len(_tick(deployment, instance).run_requests or []) == RUNS_A_TICK


def test_the_sensor_runs_from_the_start_on_the_text_job() -> None:
    assert requested_runs.default_status is dg.DefaultSensorStatus.RUNNING
    assert "text_eval" in [job.name for job in requested_runs.jobs]
