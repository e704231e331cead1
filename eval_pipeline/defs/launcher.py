"""The run launcher whose health check sees every run's process, also those that the command line executes.

Without it a run whose code server died stays STARTED for ever, and run monitoring fails a live run that it did not
launch itself.
"""

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

from eval_pipeline.defs.worker_tags import worker_of
from eval_pipeline.dispatch.workers import worker_is_dead


class HealthCheckedRunLauncher(DefaultRunLauncher):
    """The default launcher, which also knows whether a run's process is alive."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Let run monitoring ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Tell whether the process that executes the run is alive.

        A process on another host cannot be seen from here: its run is left alone.
        """
        worker = worker_of(run.tags, run_id=run.run_id)
        if worker is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "the run's process has not named itself yet")
        if worker_is_dead(worker):
            return CheckRunHealthResult(WorkerStatus.FAILED, f"process {worker.pid} on {worker.host} is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)
