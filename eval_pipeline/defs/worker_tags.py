"""The two tags by which a run names the process that executes it, and tells when that last said that it lives.

Dagster copies a run's tags to its retries, so the process is believed only by the run that it was written for.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Event, Thread

import dagster as dg

from eval_pipeline.core.runs import Worker

WORKER_TAG = "eval_pipeline/worker"
"""The process: the run that it executes, its host, its id and when it began, a space between them."""
ALIVE_TAG = "eval_pipeline/alive_at"
BEAT_EVERY_S = 20.0
"""So often a process says that it lives: where process ids cannot be seen, that is all there is to judge it by."""
_OLD_TAGS = tuple(f"eval_pipeline/{name}" for name in ("executed_run", "host", "pid", "process_started_at"))
"""What version 0.1.0 wrote: a process of it may still be at work while its installation is upgraded."""


def worker_tags(worker: Worker, *, run_id: str) -> dict[str, str]:
    """Return the tags that name the process which executes a run, alive now."""
    return {WORKER_TAG: f"{run_id} {worker.host} {worker.pid} {worker.started_at!r}", ALIVE_TAG: _now()}


def worker_of(tags: Mapping[str, str], *, run_id: str) -> Worker | None:
    """Read the tags back; None when the run's process has not written them yet."""
    said = tags[WORKER_TAG].split() if WORKER_TAG in tags else [tags[name] for name in _OLD_TAGS if name in tags]
    if len(said) != len(_OLD_TAGS) or said[0] != run_id:
        return None
    _, host, pid, started_at = said
    return Worker(host=host, pid=int(pid), started_at=float(started_at))


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
