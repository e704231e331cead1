"""A real daemon beside this process: it starts what was requested, buries what is dead and leaves alone what lives."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import dagster as dg
from dagster._core.events import DagsterEventType

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState, Worker
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.daemons import _alive
from eval_pipeline.defs.worker_tags import worker_of, worker_tags
from eval_pipeline.dispatch.workers import this_worker
from eval_pipeline.runs.claims import claim
from eval_pipeline.runs.life import find_run
from eval_pipeline.stt_eval import prepare as stt_runs
from eval_pipeline.stt_eval.clips.catalog import add_audio_dataset
from eval_pipeline.stt_eval.request import SttRequest
from eval_pipeline.text_eval import prepare as text_runs
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline_tests.laboratory import FAST, Laboratory, Silence, open_laboratory
from eval_pipeline_tests.providing import Provider
from eval_pipeline_tests.standins.speaking import clip

PATIENCE_S = 60
LOOK_EVERY_S = 0.1
PACKAGED = Path(__file__).parents[2] / "eval_pipeline" / "defs" / "dagster.yaml"
REQUESTED = RunKey(project="default", run="requested")
BOTH = (Flow.TEXT, Flow.STT)
FREE = {**FAST, "scorers": ["exact_match"]}


@contextmanager
def _daemon(lab: Laboratory) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the daemon as ``eval-pipeline up`` prepares it, with a monitor that looks every second."""
    home = lab.deployment.home
    config = re.sub(r"poll_interval_seconds: \d+", "poll_interval_seconds: 1", PACKAGED.read_text())
    (home / "dagster" / "dagster.yaml").write_text(config)
    environment = {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONWARNINGS": "ignore",
        "EVAL_PIPELINE_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "OPENAI_API_KEY": "any",
        "OPENAI_BASE_URL": lab.provider.base_url,
    }
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "eval_pipeline.definitions"]
    with (home / "daemon.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


class _Until(Silence):
    """Keeps a run in the middle of its work until something has happened."""

    def __init__(self, wait: Callable[[], None]) -> None:
        self._wait = wait

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        del failed, total, cost_usd
        if stage == "responses" and done == 1:
            self._wait()


def _report_dead(lab: Laboratory) -> str:
    """Record a run whose process ended without a word."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    worker = Worker(host=this_worker().host, pid=ended.pid, started_at=0.0)
    job = build_definitions(open_it=lambda: lab.deployment).resolve_job_def("text_eval")
    run = lab.instance.create_run_for_job(job, tags={"dagster/partition": "dead"})
    lab.instance.add_run_tags(run.run_id, worker_tags(worker, run_id=run.run_id))
    started = dg.DagsterEvent(DagsterEventType.RUN_START.value, job_name="text_eval")
    lab.instance.report_dagster_event(started, run_id=run.run_id)
    return str(run.run_id)


def test_a_daemon_starts_requests_buries_the_dead_and_leaves_the_living_alone(
    shared_provider: Provider, tmp_path: Path
) -> None:
    with shared_provider.behaving(), open_laboratory(tmp_path / "home", shared_provider) as lab:
        prepared = text_runs.prepare(
            TextRequest.from_mapping(FREE), project="default", run="requested", deployment=lab.deployment
        )
        claim(prepared, flow=Flow.TEXT, requested_by="somebody", deployment=lab.deployment, here=False)
        _request_speech(lab, "requested")
        dead = _report_dead(lab)
        with _daemon(lab) as daemon:

            def wait_for(what: Callable[[], bool]) -> None:
                deadline = time.monotonic() + PATIENCE_S
                while not what():
                    assert time.monotonic() < deadline, (lab.deployment.home / "daemon.log").read_text()[-5_000:]
                    assert daemon.poll() is None
                    _pause(daemon)

            def work_is_done() -> bool:
                ended = {find_run(lab.deployment, flow=flow, key=REQUESTED).state for flow in BOTH}
                return ended == {RunState.COMPLETED} and _status(lab, dead) is dg.DagsterRunStatus.FAILURE

            live = lab.materialize("live", config=FREE, progress=_Until(lambda: wait_for(work_is_done)))
            wait_for(lambda: _alive(lab.instance))

        assert live.success
        assert lab.state("live") is RunState.COMPLETED
        started = lab.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": "requested"}))
        assert {run.job_name for run in started} == {"text_eval", "stt_eval"}
        for run in started:
            assert run.status is dg.DagsterRunStatus.SUCCESS
            assert worker_of(run.tags, run_id=run.run_id) is not None
        assert lab.provider.answers.requests == 6


def _request_speech(lab: Laboratory, name: str) -> None:
    """Request a live speech run, of the name that a text run has."""
    folder = lab.deployment.home / "clips"
    folder.mkdir()
    (folder / "one.wav").write_bytes(clip(1, seconds=0.1))
    add_audio_dataset(
        ledger=lab.deployment.ledger,
        objects=lab.deployment.objects,
        project="default",
        name="clips",
        source=str(folder),
        language="en",
        description=None,
        settings=lab.deployment.settings,
        s3_client=lab.deployment.s3_client,
    )
    request = SttRequest.from_mapping({"dataset": "clips", "mode": "fast", "models": ["whisper-1"]})
    prepared = stt_runs.prepare(request, project="default", run=name, deployment=lab.deployment)
    claim(prepared, flow=Flow.STT, requested_by="somebody", deployment=lab.deployment, here=False)


def _status(lab: Laboratory, run_id: str) -> dg.DagsterRunStatus:
    run = lab.instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def _pause(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(LOOK_EVERY_S)
    except subprocess.TimeoutExpired:
        return
