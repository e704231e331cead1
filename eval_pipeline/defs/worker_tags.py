"""The tags by which a run names the process that executes it: which run, host, process id, start time, last beat.

Dagster copies a run's tags to its retries, so the process is believed only by the run that it was written for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Event, Thread

import dagster as dg

from eval_pipeline.core.runs import Worker

RUN_TAG = "eval_pipeline/executed_run"
HOST_TAG = "eval_pipeline/host"
PID_TAG = "eval_pipeline/pid"
STARTED_TAG = "eval_pipeline/process_started_at"
ALIVE_TAG = "eval_pipeline/alive_at"
BEAT_EVERY_S = 20.0
"""So often a process says that it lives: where process ids cannot be seen, that is all there is to judge it by."""


def worker_tags(worker: Worker, *, run_id: str) -> dict[str, str]:
    """Return the tags that name the process which executes a run, alive now."""
    return {
        RUN_TAG: run_id,
        HOST_TAG: worker.host,
        PID_TAG: str(worker.pid),
        STARTED_TAG: repr(worker.started_at),
        ALIVE_TAG: _now(),
    }


def worker_of(tags: Mapping[str, str], *, run_id: str) -> Worker | None:
    """Read the tags back; None when the run's process has not written them yet."""
    if tags.get(RUN_TAG) != run_id or not {HOST_TAG, PID_TAG, STARTED_TAG} <= set(tags):
        return None
    return Worker(host=tags[HOST_TAG], pid=int(tags[PID_TAG]), started_at=float(tags[STARTED_TAG]))


@contextmanager
def telling_life(instance: dg.DagsterInstance, run_id: str, *, every_s: float = BEAT_EVERY_S) -> Iterator[None]:
    """Write into the run's tags that its process lives, for the time of a ``with``.

    Args:
        instance: where the run is.
        run_id: of the run.
        every_s: seconds from one beat to the next.
    """
    ended = Event()

    def beat() -> None:
        while not ended.wait(every_s):
            with suppress(Exception):  # whatever keeps one beat from being written, the next one may be
                instance.add_run_tags(run_id, {ALIVE_TAG: _now()})

    beating = Thread(target=beat, name=f"life of {run_id}", daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
