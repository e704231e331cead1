"""A run is as alive as the process that it names, and no other."""

import subprocess
import sys
from collections.abc import Iterator, Mapping

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from eval_pipeline.core.runs import Worker
from eval_pipeline.defs.launcher import HealthCheckedRunLauncher
from eval_pipeline.defs.worker_tags import worker_of, worker_tags
from eval_pipeline.dispatch.workers import this_worker

RUN_ID = "11111111-1111-4111-8111-111111111111"
OTHER_ID = "22222222-2222-4222-8222-222222222222"


@pytest.fixture(scope="module")
def dead() -> Worker:
    """A process that has ended."""
    code = "from eval_pipeline.dispatch.workers import this_worker; w = this_worker(); print(w.pid, w.started_at)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    return Worker(host=this_worker().host, pid=int(said[0]), started_at=float(said[1]))


@pytest.fixture
def launcher() -> Iterator[HealthCheckedRunLauncher]:
    made = HealthCheckedRunLauncher()
    yield made
    made.dispose()


def _status(launcher: HealthCheckedRunLauncher, tags: Mapping[str, str]) -> WorkerStatus:
    return launcher.check_run_worker_health(dg.DagsterRun(job_name="text_eval", run_id=RUN_ID, tags=tags)).status


def test_tags_come_back_as_the_worker_that_wrote_them() -> None:
    worker = this_worker()

    assert worker_of(worker_tags(worker, run_id=RUN_ID), run_id=RUN_ID) == worker


def test_run_monitoring_may_ask(launcher: HealthCheckedRunLauncher) -> None:
    assert launcher.supports_check_run_worker_health


def test_a_run_whose_process_lives_is_running(launcher: HealthCheckedRunLauncher) -> None:
    assert _status(launcher, worker_tags(this_worker(), run_id=RUN_ID)) is WorkerStatus.RUNNING


def test_a_run_whose_process_is_gone_has_failed(launcher: HealthCheckedRunLauncher, dead: Worker) -> None:
    health = launcher.check_run_worker_health(
        dg.DagsterRun(job_name="text_eval", run_id=RUN_ID, tags=worker_tags(dead, run_id=RUN_ID))
    )

    assert health.status is WorkerStatus.FAILED
    assert str(dead.pid) in str(health.msg)


def test_a_retry_is_not_judged_by_the_tags_that_it_was_born_with(
    launcher: HealthCheckedRunLauncher, dead: Worker
) -> None:
    """Dagster copies tags to retries: without this every retry of a dead run would be failed at once."""
    assert _status(launcher, worker_tags(dead, run_id=OTHER_ID)) is WorkerStatus.RUNNING


def test_a_run_that_has_not_named_its_process_is_left_alone(launcher: HealthCheckedRunLauncher) -> None:
    assert _status(launcher, {}) is WorkerStatus.RUNNING


def test_a_process_on_another_host_is_left_alone(launcher: HealthCheckedRunLauncher, dead: Worker) -> None:
    elsewhere = Worker(host="another#0", pid=dead.pid, started_at=dead.started_at)

    assert _status(launcher, worker_tags(elsewhere, run_id=RUN_ID)) is WorkerStatus.RUNNING
