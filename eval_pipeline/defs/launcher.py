"""The run launcher whose health check sees every run's process, also those that the command line executes.

Without it a run whose code server died stays STARTED for ever, and run monitoring fails a live run that it did not
launch itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClassData

from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.worker_tags import ALIVE_TAG, BEAT_EVERY_S, worker_of
from eval_pipeline.dispatch.workers import worker_is_dead

SILENCE_S = 6 * BEAT_EVERY_S
"""A process that cannot be seen and says nothing for so long is dead."""
_LOOKS_APART_S = 3 * BEAT_EVERY_S
"""What happened between two looks further apart than this was not watched: the database was away, or the watcher."""


class HealthCheckedRunLauncher(DefaultRunLauncher):
    """The default launcher, which also knows whether a run's process is alive."""

    def __init__(
        self, inst_data: ConfigurableClassData | None = None, *, now_s: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(inst_data)
        self._silences = _Silences(now_s)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Let run monitoring ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Tell whether the process that executes the run is alive.

        One that cannot be seen from here is believed as long as it writes that it lives: a process on another host,
        in another container, or before the machine was restarted. A run of ours whose process has not even named
        itself was killed in the moment between its start and that.
        """
        worker = worker_of(run.tags, run_id=run.run_id)
        if worker is None and not _is_ours(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "the run's process has not named itself")
        dead = worker_is_dead(worker) if worker else None
        if dead is False:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        who = f"process {worker.pid} on {worker.host}" if worker else "the process that started it"
        if dead:
            return CheckRunHealthResult(WorkerStatus.FAILED, f"{who} is gone")
        silent_s = self._silences.of(run.run_id, run.tags.get(ALIVE_TAG) if worker else None)
        if silent_s >= SILENCE_S:
            return CheckRunHealthResult(WorkerStatus.FAILED, f"{who} has given no sign of life for {silent_s:.0f} s")
        return CheckRunHealthResult(WorkerStatus.RUNNING, f"{who} cannot be seen from here")


def _is_ours(run: dg.DagsterRun) -> bool:
    """Tell whether our executor executes the run: it is of a job of ours, or materializes assets of ours alone."""
    flows = set(map(str, Flow))
    selected = {key.path[0] for key in run.asset_selection or ()}
    return run.job_name in flows or (bool(selected) and selected <= flows)


@dataclass(slots=True)
class _Silence:
    beat: str | None
    looked_at_s: float
    lasted_s: float = 0.0


class _Silences:
    """For how long processes said nothing, by the clock of whoever listens."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._known: dict[str, _Silence] = {}

    def of(self, run_id: str, beat: str | None) -> float:
        """Return for how many seconds the last beat of a run has been the same."""
        now_s = self._now_s()
        self._known = {id_: one for id_, one in self._known.items() if now_s - one.looked_at_s <= _LOOKS_APART_S}
        known = self._known.get(run_id)
        if known is None or known.beat != beat:
            self._known[run_id] = _Silence(beat, now_s)
            return 0.0
        known.lasted_s += now_s - known.looked_at_s
        known.looked_at_s = now_s
        return known.lasted_s
