"""How soon a run goes on once its provider is done: a real daemon, the stand-in as provider, a clock outside both."""

import json
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.figures import Figure, tell
from benchmarks.live_runs import EVAL_PIPELINE, Site
from benchmarks.measure import REPEATS, ProcessFailedError
from eval_pipeline.core.batches import JobState
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.wiring.deployment import Deployment

ITEMS: Final = 1_000
POLL_S: Final = 5
ALLOWED_S: Final = 20.0
_PATIENCE_S: Final = 180.0
_LOOK_EVERY_S: Final = 0.05
_NEVER_S: Final = 10**6


@dataclass(frozen=True, slots=True)
class _Waits:
    """Seconds from a completed batch to stored scores; the vectors' are the last part of the answers'."""

    from_answers_s: float
    from_vectors_s: float


def measure_latency(site: Site, *, items: int = ITEMS) -> list[Figure]:
    """Let batches complete one after the other and wait for the scores; the daemon's worst moment counts."""
    dataset = site.add_items(items)
    with _daemon(site) as installation:
        waits = [installation.run(f"latency-{number}", dataset=dataset) for number in range(REPEATS)]
    return [
        _figure(f"from completed vectors of {items:,} items to their scores", [one.from_vectors_s for one in waits]),
        _figure(
            f"from completed answers of {items:,} items to their scores, by way of the vectors' batch",
            [one.from_answers_s for one in waits],
        ),
    ]


def _figure(what: str, found_s: list[float]) -> Figure:
    return Figure(
        what=what,
        measured=f"{max(found_s):.1f} s, the longest of {len(found_s)}",
        limit=f"{ALLOWED_S:g} s, a look every {POLL_S} s",
        ratio=max(found_s) / ALLOWED_S,
        allowed=1.0,
    )


@dataclass(frozen=True, slots=True)
class _Installation:
    """A home with a daemon, and the provider in our hands."""

    site: Site
    deployment: Deployment
    is_up: Callable[[], bool]

    def run(self, name: str, *, dataset: str) -> _Waits:
        """Take one run from its request to its scores."""
        tell(f"run {name} through the daemon")
        arguments = ["--mode", "batch", "--model", "gpt-4o-mini", "--no-wait"]
        self.site.command("text", "run", name, "--dataset", dataset, *arguments)
        key = RunKey(project="default", run=name)
        self._wait_for(lambda: self._waits_for_provider(key, "responses"), what=f"{name} to wait for its answers")
        answered_s = self._complete_all()
        self._wait_for(lambda: self._waits_for_provider(key, "embeddings"), what=f"{name} to wait for its vectors")
        embedded_s = self._complete_all()
        scores = StageRef(flow=Flow.TEXT, key=key, stage="scores")
        self._wait_for(lambda: self.deployment.stages.find(scores) is not None, what=f"the scores of {name}")
        scored_s = time.monotonic()
        self._wait_for(lambda: self._state(key) is RunState.COMPLETED, what=f"the end of {name}")
        return _Waits(from_answers_s=scored_s - answered_s, from_vectors_s=scored_s - embedded_s)

    def _waits_for_provider(self, key: RunKey, stage: str) -> bool:
        jobs = self.deployment.ledger.stage_jobs(StageRef(flow=Flow.TEXT, key=key, stage=stage))
        out = bool(jobs) and all(job.state is JobState.SUBMITTED for job in jobs)
        return out and self._state(key) is RunState.WAITING

    def _state(self, key: RunKey) -> RunState | None:
        run = self.deployment.ledger.find_run(flow=Flow.TEXT, key=key)
        return None if run is None else run.state

    def _complete_all(self) -> float:
        """Complete every batch; returns the moment from which the provider says so."""
        post(f"{self.site.control_url}/batches/all", {"status": "completed"})
        return time.monotonic()

    def _wait_for(self, happened: Callable[[], bool], *, what: str) -> None:
        deadline_s = time.monotonic() + _PATIENCE_S
        while not happened():
            if time.monotonic() > deadline_s or not self.is_up():
                raise ProcessFailedError(f"waited in vain for {what}: see what the daemon wrote, above")
            time.sleep(_LOOK_EVERY_S)


@contextmanager
def _daemon(site: Site) -> Iterator[_Installation]:
    """Run ``eval-pipeline up`` on the site's home; batches stay open until they are told to complete."""
    post(f"{site.control_url}/batch_settings", {"batch_seconds": _NEVER_S})
    environ = site.environ | {"EVAL_BATCH_POLL_SECONDS": str(POLL_S)}
    deployment = Deployment(environ=environ)
    log = site.folder / "up.log"
    with log.open("wb") as file:
        command = [EVAL_PIPELINE, "up", "--port", str(_free_port())]
        process = subprocess.Popen(
            command, cwd=site.folder, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    try:
        yield _Installation(site=site, deployment=deployment, is_up=lambda: process.poll() is None)
    except BaseException:
        tell(log.read_text(encoding="utf-8", errors="replace")[-4_000:])
        raise
    finally:
        _end(process)
        deployment.close()
        post(f"{site.control_url}/batch_settings", {"batch_seconds": 0})


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def post(url: str, document: dict[str, Any]) -> None:
    """Change something at the stand-in."""
    request = urllib.request.Request(url, data=json.dumps(document).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
