"""One installation under fire: a home, a daemon, runs without end, and whoever restarts what died."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.runs.life import state_of
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.chaos.processes import Family, Kind, eval_pipeline, kill, processes_of

ITEMS = 12
OPEN_AT_ONCE = 2
RETRIES = 40
"""Of one run; every kill of a worker may need one."""
_PACKAGED = Path(__file__).parents[2] / "eval_pipeline" / "defs" / "dagster.yaml"
_IMPATIENT = {
    "EVAL_BATCH_POLL_SECONDS": "1",
    "EVAL_BATCH_MAX_REQUESTS": "5",
    "EVAL_BATCH_CREATE_TIMEOUT_SECONDS": "2",
    "EVAL_LEASE_PATIENCE_SECONDS": "4",
    "PYTHONWARNINGS": "ignore",
}
_TO_RETRY = frozenset({RunState.INTERRUPTED, RunState.FAILED, RunState.INCOMPLETE})


@dataclass
class Installation:
    """A home and all that works on it."""

    name: str
    folder: Path
    environ: dict[str, str]
    chance: Random
    kills: Counter[Kind] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    started: list[str] = field(default_factory=list)
    commands: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _daemon: subprocess.Popen[bytes] | None = None
    _had_code_server: bool = False

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.environ |= {**_IMPATIENT, "EVAL_PIPELINE_HOME": str(self.home), "DAGSTER_HOME": str(self.home / "dagster")}
        self.family = Family(self.environ, self.folder)

    def prepare(self) -> None:
        """Add the questions, and make the home."""
        rows = "\n".join(f"What is {number} and {number}?,It is {2 * number}." for number in range(ITEMS))
        (self.folder / "golden.csv").write_text(f"question,answer\n{rows}\n", encoding="utf-8")
        added = self.family.start(eval_pipeline("dataset", "add", "golden", "golden.csv"), log="commands.log")
        if added.wait(120) != 0:
            raise RuntimeError(f"the dataset could not be added: see {self.folder / 'commands.log'}")
        config = re.sub(r"poll_interval_seconds: \d+", "poll_interval_seconds: 2", _PACKAGED.read_text())
        words = "import os; del os.environ['DAGSTER_HOME']; from eval_pipeline.defs.instance import open_instance as o"
        opening = [sys.executable, "-c", f"{words}\nwith o(): pass"]
        if self.family.start(opening, log="commands.log").wait(120) != 0:
            raise RuntimeError(f"the home could not be opened: see {self.folder / 'commands.log'}")
        (self.home / "dagster" / "dagster.yaml").write_text(config)
        self.deployment = Deployment(environ=self.environ)

    def look_after(self, *, more: bool) -> None:
        """Restart what died, retry what was interrupted, and ask for more."""
        living = {kind for _, kind in processes_of(self.home)}
        if self._daemon is None or self._daemon.poll() is not None or Kind.CODE_SERVER not in living:
            self._restart_daemon(living)
        self._ask_again_for_what_never_came()
        runs = self.runs()
        for run in runs:
            if run.state in _TO_RETRY or state_of(run) in _TO_RETRY:
                self._retry(run)
        unfinished = sum(run.state is not RunState.COMPLETED for run in runs) + len(self.started) - len(runs)
        if more and unfinished < OPEN_AT_ONCE:
            self._ask_for_a_run()

    def _restart_daemon(self, living: set[Kind]) -> None:
        """Start it again; a new one is given the time to start its code server."""
        if self._daemon is not None and self._daemon.poll() is None:
            if Kind.CODE_SERVER in living or not self._had_code_server:
                self._had_code_server = Kind.CODE_SERVER in living
                return
            self._daemon.kill()
            self._daemon.wait()
        for pid, kind in processes_of(self.home):
            if kind is Kind.CODE_SERVER:
                kill(pid)  # the last daemon's
        command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "eval_pipeline.definitions"]
        self._daemon = self.family.start(command, log="daemon.log")
        self._had_code_server = False

    def _ask_for_a_run(self) -> None:
        name = f"run-{len(self.started):03d}"
        self.started.append(name)
        self._command(name, "text", "run", name, "--dataset", "golden", self.chance.choice(("--wait", "--no-wait")))

    def _retry(self, run: RunRecord) -> None:
        name = run.key.run
        if name in self.commands and self.commands[name].poll() is None:
            return
        self.retries[name] += 1
        if self.retries[name] > RETRIES:
            raise RuntimeError(f"{self.name}: {name} is {run.state} after {RETRIES} retries: {run.error_message}")
        self._command(name, "run", "retry", name, self.chance.choice(("--wait", "--no-wait")))

    def _command(self, name: str, *words: str) -> None:
        self.commands[name] = self.family.start(eval_pipeline(*words), log="commands.log")

    def _ask_again_for_what_never_came(self) -> None:
        """Repeat the commands that were killed before they had claimed the name."""
        known = {run.key.run for run in self.runs()}
        for name in self.started:
            if name not in known and self.commands[name].poll() is not None:
                self._command(name, "text", "run", name, "--dataset", "golden", "--no-wait")

    def runs(self) -> list[RunRecord]:
        """Return all runs."""
        page = self.deployment.ledger.list_runs(project="default", flow=Flow.TEXT, state=None, limit=1_000, offset=0)
        return list(page.items)

    def kill_one(self) -> Kind | None:
        """Kill a process of a random kind."""
        found = sorted(processes_of(self.home))
        kinds = sorted({kind for _, kind in found})
        if not kinds:
            return None
        kind = self.chance.choice(kinds)
        pid = self.chance.choice([pid for pid, its in found if its is kind])
        if not kill(pid):
            return None
        self.kills[kind] += 1
        return kind

    def standing(self) -> str:
        """Say how far the runs are."""
        states = Counter(str(state_of(run)) for run in self.runs())
        return f"{self.name}: {dict(states)}, {len(self.started)} asked for, {sum(self.kills.values())} kills"

    def is_over(self) -> bool:
        """Tell whether everything that was asked for is completed."""
        runs = self.runs()
        return len(runs) == len(self.started) and all(run.state is RunState.COMPLETED for run in runs)

    def progress(self) -> tuple[object, ...]:
        """Return what changes as long as something moves."""
        jobs = [job for run in self.runs() for job in self.deployment.ledger.run_jobs(flow=run.flow, key=run.key)]
        return (
            *((run.key.run, run.state, run.updated_at) for run in self.runs()),
            *((job.id, job.version) for job in jobs),
        )

    def end(self) -> None:
        """End all processes."""
        self.family.end(self.home)
        if hasattr(self, "deployment"):
            self.deployment.close()
