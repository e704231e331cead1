"""What a tick of the sensor costs: calls to the provider, and time with and without a long history, on SQLite.

The sensor is called as Dagster calls it, with the instance of the home; the provider is a list in this process.
"""

import argparse
import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG

from benchmarks.batch_files import FileBatches, job_of_files
from benchmarks.measure import REPEATS
from eval_pipeline.core.batches import BatchJob, BatchListing, JobState, Phase, ProviderBatch
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.batch_sensors import look_after_batches
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.protocols import protocols_of

OTHERS: Final = 40
"""Batches of others that the account's list shows between ours."""
READY: Final = 20
"""Of the open jobs, those that have ended: the sensor asks Dagster about their runs."""
_PAGE: Final = 100


class _Account(FileBatches):
    """An account whose list shows the batches of the jobs and of others, a hundred a call; counts the calls."""

    def __init__(self, folder: Path, *, jobs: int) -> None:
        super().__init__(folder)
        self.calls = 0
        self._created_at = utc_now() - timedelta(minutes=5)
        ids = [f"b{number}" for number in range(jobs)]
        for number in range(OTHERS):
            ids.insert(number * jobs // OTHERS, f"other-{number}")
        self._ids = ids

    def list(self, *, since: datetime | None, most_calls: int) -> BatchListing:
        """Count a call for every hundred."""
        del since
        shown = self._ids[: _PAGE * most_calls]
        calls = -(-len(shown) // _PAGE)
        self.calls += calls
        whole = len(shown) == len(self._ids)
        return BatchListing(batches=tuple(map(self._batch, shown)), whole=whole, calls=calls, provider_now=utc_now())

    def find(self, batch_id: str) -> ProviderBatch:
        """Count the call."""
        self.calls += 1
        return self._batch(batch_id)

    def _batch(self, batch_id: str) -> ProviderBatch:
        return ProviderBatch(
            id=batch_id, phase=Phase.WORKING, status="in_progress", key=None, created_at=self._created_at
        )


def tick(folder: Path, *, jobs: int, finished: int) -> dict[str, float]:
    """Let the sensor tick, before and after many runs have come and gone."""
    account = _Account(folder / "provider", jobs=jobs)
    models.open_batches = lambda *_, **__: account  # type: ignore[assignment]
    deployment = Deployment()
    try:
        with open_instance() as instance:
            deployment.ledger.add_jobs([_job(number) for number in range(jobs)])
            _tick(instance, deployment, asked=0)  # writes down what is new
            account.calls = 0
            _tick(instance, deployment, asked=0)
            calls = account.calls
            for job in deployment.ledger.open_jobs(protocols=protocols_of("openai"), limit=READY):
                deployment.ledger.change_job(job, to=JobState.ENDED)
            before_s = min(_timed_tick(instance, deployment) for _ in range(REPEATS))
            _add_history(instance, deployment, finished)
            after_s = min(_timed_tick(instance, deployment) for _ in range(REPEATS))
    finally:
        deployment.close()
    return {"calls": calls, "before_s": before_s, "after_s": after_s}


def _timed_tick(instance: dg.DagsterInstance, deployment: Deployment) -> float:
    started_s = time.perf_counter()
    _tick(instance, deployment)
    return time.perf_counter() - started_s


def _tick(instance: dg.DagsterInstance, deployment: Deployment, *, asked: int = READY) -> None:
    with dg.build_sensor_context(instance=instance) as context:
        answer = look_after_batches(context, deployment, family="openai")
    requests = len(answer.run_requests or []) if isinstance(answer, dg.SensorResult) else 0
    if requests != asked:
        raise RuntimeError(f"the sensor asks for {requests} runs, {asked} stages are ready: {answer}")


def _add_history(instance: dg.DagsterInstance, deployment: Deployment, runs: int) -> None:
    """Record finished runs, each with a job that was collected and the run that collected it."""
    first = 10 * runs
    deployment.ledger.add_jobs([_job(first + number, state=JobState.COLLECTED) for number in range(runs)])
    for number in range(runs):
        partition = f"default/run-{first + number}"
        tags = {"dagster/partition": partition, RUN_KEY_TAG: f"{partition}/responses/{number}/0"}
        run = dg.DagsterRun(job_name=str(Flow.TEXT), run_id=str(uuid4()), status=dg.DagsterRunStatus.SUCCESS, tags=tags)
        instance.run_storage.add_run(run)


def _job(number: int, *, state: JobState = JobState.SUBMITTED) -> BatchJob:
    return job_of_files(number, state=state, provider_created_at=utc_now() - timedelta(minutes=5))


def main() -> int:
    """Measure in a home of its own, which the environment names, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_polling", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("jobs", type=int)
    parser.add_argument("finished", type=int)
    given = parser.parse_args()
    found: dict[str, Any] = tick(given.folder, jobs=given.jobs, finished=given.finished)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
