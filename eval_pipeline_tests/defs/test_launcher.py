"""A run is as alive as the process that it names, and no other; one that cannot be seen is as alive as it says."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from eval_pipeline.core.runs import Worker
from eval_pipeline.defs.launcher import SILENCE_S, HealthCheckedRunLauncher
from eval_pipeline.defs.worker_tags import ALIVE_TAG, worker_of, worker_tags
from eval_pipeline.dispatch.workers import this_worker

RUN_ID = "11111111-1111-4111-8111-111111111111"
OTHER_ID = "22222222-2222-4222-8222-222222222222"
POLL_S = 20.0


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


def test_a_process_of_the_first_version_is_seen_while_its_installation_is_upgraded() -> None:
    said = {"executed_run": RUN_ID, "host": "here", "pid": "7", "process_started_at": "1.5"}
    tags = {f"eval_pipeline/{name}": value for name, value in said.items()}

    assert worker_of(tags, run_id=RUN_ID) == Worker(host="here", pid=7, started_at=1.5)
    assert worker_of(tags, run_id=OTHER_ID) is None


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


class Clock:
    """A clock that is set by hand."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Watch:
    """Run monitoring that looks again and again at one run."""

    clock: Clock
    launcher: HealthCheckedRunLauncher

    def after(self, seconds: float, run: dg.DagsterRun) -> WorkerStatus:
        """Look every twenty seconds for so long; return what was said last."""
        for _ in range(int(seconds / POLL_S)):
            status = self.launcher.check_run_worker_health(run).status
            self.clock.now_s += POLL_S
        return status


@pytest.fixture
def watch() -> Iterator[Watch]:
    clock = Clock()
    made = HealthCheckedRunLauncher(now_s=clock)
    yield Watch(clock, made)
    made.dispose()


def _run(tags: Mapping[str, str], **about: Any) -> dg.DagsterRun:  # noqa: ANN401 - as it takes them
    return dg.DagsterRun(**{"job_name": "text_eval", "run_id": RUN_ID, "tags": tags, **about})


ASSETS = frozenset({dg.AssetKey(["stt_eval", "scores"])})


@pytest.mark.parametrize("about", [{"job_name": "stt_eval"}, {"job_name": "__ASSET_JOB", "asset_selection": ASSETS}])
def test_a_run_whose_process_died_before_it_named_itself_has_failed(watch: Watch, about: Mapping[str, Any]) -> None:
    run = _run({}, **about)

    assert watch.after(SILENCE_S, run) is WorkerStatus.RUNNING
    assert watch.after(POLL_S, run) is WorkerStatus.FAILED


def test_a_run_of_somebody_elses_job_is_left_alone(watch: Watch) -> None:
    assert watch.after(10 * SILENCE_S, _run({}, job_name="theirs")) is WorkerStatus.RUNNING
    mixed = frozenset({*ASSETS, dg.AssetKey(["theirs"])})
    assert watch.after(10 * SILENCE_S, _run({}, job_name="__ASSET_JOB", asset_selection=mixed)) is WorkerStatus.RUNNING


def _elsewhere(alive_at: str) -> dg.DagsterRun:
    worker = Worker(host="another#0", pid=7, started_at=1.0)
    return _run({**worker_tags(worker, run_id=RUN_ID), ALIVE_TAG: alive_at})


def test_a_process_that_cannot_be_seen_is_alive_as_long_as_it_says_so(watch: Watch) -> None:
    for beat in range(20):
        assert watch.after(SILENCE_S - POLL_S, _elsewhere(str(beat))) is WorkerStatus.RUNNING


def test_a_process_that_cannot_be_seen_and_says_nothing_has_failed(watch: Watch) -> None:
    """Its container was replaced, or the machine was restarted: nobody will ever see its end."""
    assert watch.after(SILENCE_S, _elsewhere("then")) is WorkerStatus.RUNNING

    health = watch.launcher.check_run_worker_health(_elsewhere("then"))

    assert health.status is WorkerStatus.FAILED
    assert health.msg == "process 7 on another#0 has given no sign of life for 120 s"


def test_time_in_which_nobody_looked_is_no_silence(watch: Watch) -> None:
    """The database was away for an hour: neither could the process write nor anybody read."""
    assert watch.after(SILENCE_S, _elsewhere("then")) is WorkerStatus.RUNNING
    watch.clock.now_s += 3_600

    assert watch.after(SILENCE_S, _elsewhere("then")) is WorkerStatus.RUNNING
    assert watch.after(POLL_S, _elsewhere("then")) is WorkerStatus.FAILED
