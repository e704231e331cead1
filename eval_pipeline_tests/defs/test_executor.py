"""The executor names its process before anything else happens in a run, and says that it lives."""

import threading
import time
from collections.abc import Iterator

import dagster as dg
import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.defs.executor import named_in_process_executor
from eval_pipeline.defs.failures import explained
from eval_pipeline.defs.worker_tags import ALIVE_TAG, telling_life, worker_of
from eval_pipeline.dispatch.workers import this_worker

PATIENCE_S = 30


def _tags(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return dict(run.tags)


@dg.resource
def seen_first(context: dg.InitResourceContext) -> dict[str, str]:
    """Read the run's tags when resources are made, before the first step."""
    assert context.instance is not None
    assert context.run is not None
    return _tags(context.instance, context.run.run_id)


@dg.op(required_resource_keys={"seen_first"})
def look(context: dg.OpExecutionContext) -> None:
    assert worker_of(context.resources.seen_first, run_id=context.run_id) == this_worker()


@dg.job(executor_def=named_in_process_executor, resource_defs={"seen_first": seen_first})
def looking() -> None:
    look()


@pytest.fixture
def instance(tmp_path: object) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def test_the_process_is_named_before_the_first_step(instance: dg.DagsterInstance) -> None:
    config = {"execution": {"config": {"retries": {"disabled": {}}}}}

    result = dg.execute_job(dg.reconstructable(looking), instance=instance, run_config=config)

    assert result.success
    assert ALIVE_TAG in _tags(instance, result.run_id)


@dg.op
def fail() -> None:
    with explained():
        raise UsageError("3 of 4 items failed", code="failure_threshold_breached", hint="see the report")


@dg.job(executor_def=named_in_process_executor)
def failing() -> None:
    fail()


def test_the_last_words_of_a_run_that_failed_are_plain(instance: dg.DagsterInstance) -> None:
    """Dagster shows a stack trace with every failure."""
    result = dg.execute_job(dg.reconstructable(failing), instance=instance)

    said = [str(entry.dagster_event.message) for entry in instance.all_logs(result.run_id) if entry.dagster_event]
    assert said[-2:] == ["3 of 4 items failed\nhint: see the report", said[-1]]
    assert 'run for "failing" failed' in said[-1]


@dg.asset
def judged() -> int:
    return 1


@dg.asset_check(asset=judged, blocking=True)
def threshold() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="2 of 3 items failed.")


def definitions_that_breach() -> dg.JobDefinition:
    job = dg.define_asset_job("breaching", executor_def=named_in_process_executor)
    return dg.Definitions(assets=[judged], asset_checks=[threshold], jobs=[job]).resolve_job_def("breaching")


def test_the_last_words_of_a_missed_threshold_are_its_own(instance: dg.DagsterInstance) -> None:
    result = dg.execute_job(dg.reconstructable(definitions_that_breach), instance=instance)

    said = [str(entry.dagster_event.message) for entry in instance.all_logs(result.run_id) if entry.dagster_event]
    assert said[-2].startswith("2 of 3 items failed.\nhint: the report says what failed")


def test_a_living_process_goes_on_saying_so_and_then_stops(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(looking)
    said: set[str] = set()
    deadline = time.monotonic() + PATIENCE_S

    with telling_life(instance, run.run_id, every_s=0.01):
        while len(said) < 3:
            assert time.monotonic() < deadline
            said |= {value for name, value in _tags(instance, run.run_id).items() if name == ALIVE_TAG}

    assert not [thread for thread in threading.enumerate() if run.run_id in thread.name]
