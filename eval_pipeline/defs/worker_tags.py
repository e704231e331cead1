"""The tags by which a run names the process that executes it: which run, host, process id, start time.

Dagster copies a run's tags to its retries, so the process is believed only by the run that it was written for.
"""

from collections.abc import Mapping

from eval_pipeline.core.runs import Worker

RUN_TAG = "eval_pipeline/executed_run"
HOST_TAG = "eval_pipeline/host"
PID_TAG = "eval_pipeline/pid"
STARTED_TAG = "eval_pipeline/process_started_at"


def worker_tags(worker: Worker, *, run_id: str) -> dict[str, str]:
    """Return the tags that name the process which executes a run."""
    return {
        RUN_TAG: run_id,
        HOST_TAG: worker.host,
        PID_TAG: str(worker.pid),
        STARTED_TAG: repr(worker.started_at),
    }


def worker_of(tags: Mapping[str, str], *, run_id: str) -> Worker | None:
    """Read the tags back; None when the run's process has not written them yet."""
    if tags.get(RUN_TAG) != run_id or not {HOST_TAG, PID_TAG, STARTED_TAG} <= set(tags):
        return None
    return Worker(host=tags[HOST_TAG], pid=int(tags[PID_TAG]), started_at=float(tags[STARTED_TAG]))
