"""The tags by which a run names the process that executes it: host, process id, start time."""

from collections.abc import Mapping

from eval_pipeline.core.runs import Worker

HOST_TAG = "eval_pipeline/host"
PID_TAG = "eval_pipeline/pid"
STARTED_TAG = "eval_pipeline/process_started_at"


def worker_tags(worker: Worker) -> dict[str, str]:
    """Return the tags that name a process."""
    return {HOST_TAG: worker.host, PID_TAG: str(worker.pid), STARTED_TAG: repr(worker.started_at)}


def worker_of(tags: Mapping[str, str]) -> Worker | None:
    """Read the tags back; None when the run's process has not written them yet."""
    if not {HOST_TAG, PID_TAG, STARTED_TAG} <= set(tags):
        return None
    return Worker(host=tags[HOST_TAG], pid=int(tags[PID_TAG]), started_at=float(tags[STARTED_TAG]))
