"""Requests on the ledger become partitions and Dagster runs."""

from pathlib import Path

import dagster as dg
import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.defs.run_sensors import RUNS_A_TICK, requested_text_runs
from eval_pipeline.defs.text_eval import requested_runs
from eval_pipeline.dispatch.workers import this_worker
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.run_control import reopen
from eval_pipeline_tests.storage.records import a_dataset, a_run


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    opened = Deployment(environ={"EVAL_PIPELINE_HOME": str(tmp_path / "home")})
    opened.ledger.add_dataset(a_dataset())
    return opened


def _request(ledger: SqlLedger, name: str, project: str = "default") -> RunKey:
    return ledger.claim_run(a_run(name, project=project)).key


def _tick(deployment: Deployment) -> dg.SensorResult:
    result = requested_text_runs(deployment)
    assert isinstance(result, dg.SensorResult)
    return result


def test_nothing_requested_is_said(deployment: Deployment) -> None:
    assert isinstance(requested_text_runs(deployment), dg.SkipReason)


def test_a_request_becomes_a_partition_and_a_run(deployment: Deployment) -> None:
    deployment.ledger.add_dataset(a_dataset(project="other"))
    _request(deployment.ledger, "first")
    _request(deployment.ledger, "second", project="other")

    result = _tick(deployment)

    assert [request.partition_key for request in result.run_requests or []] == ["first", "other~second"]
    [added] = result.dynamic_partitions_requests or []
    assert (added.partitions_def_name, added.partition_keys) == ("text_runs", ["first", "other~second"])


def test_a_run_that_is_worked_on_is_not_started(deployment: Deployment) -> None:
    key = _request(deployment.ledger, "first")
    deployment.ledger.set_run_worker(flow=Flow.TEXT, key=key, worker=this_worker(), dagster_run_id=None)

    assert isinstance(requested_text_runs(deployment), dg.SkipReason)


def test_one_request_asks_for_one_run_however_often_it_is_seen_and_a_retry_for_another(deployment: Deployment) -> None:
    """Dagster remembers run keys for ever."""
    key = _request(deployment.ledger, "first")
    first, again = ((_tick(deployment).run_requests or [])[0].run_key for _ in range(2))
    assert first == again

    deployment.ledger.set_run_state(flow=Flow.TEXT, key=key, to=RunState.FAILED)
    reopen(deployment, flow=Flow.TEXT, key=key, max_cost_usd=None, here=False)

    assert (_tick(deployment).run_requests or [])[0].run_key != first


def test_a_tick_is_bounded(deployment: Deployment) -> None:
    for number in range(RUNS_A_TICK + 1):
        _request(deployment.ledger, f"run-{number}")

    assert len(_tick(deployment).run_requests or []) == RUNS_A_TICK


def test_the_sensor_runs_from_the_start_on_the_text_job() -> None:
    assert requested_runs.default_status is dg.DefaultSensorStatus.RUNNING
    assert requested_runs.job_name == "text_eval"
