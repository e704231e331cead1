"""Turns runs that were requested outside Dagster into partitions and Dagster runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG, RUN_KEY_TAG

from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.names import command_on
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.defs.partitions import RUNS
from eval_pipeline.dispatch.workers import worker_is_dead
from eval_pipeline.runs.panels.waiting import request_waiting
from eval_pipeline.wiring.deployment import Deployment

RUNS_A_TICK = 50
RUNNING_A_TICK = 1_000
RETRIED_WITHIN = timedelta(seconds=60)
"""Dagster retries a dead run within seconds, or, when its code location is not there, never."""
MOST_ATTEMPTS = 5
"""Dagster runs that may end without having begun, or without having taken a stage on, before a person is asked."""
ENDED = frozenset({dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED})


def start_requested_runs(deployment: Deployment, instance: dg.DagsterInstance) -> dg.SensorResult | dg.SkipReason:
    """Read the waiting requests off the ledger, and ask for a Dagster run for each that has none under way.

    A worker may die before it has begun: the request then still waits, and is asked for again a bounded number of
    times. Runs whose worker is gone are written down as interrupted.
    """
    note_lost_workers(deployment, instance)
    request_waiting(deployment, limit=RUNNING_A_TICK)
    waiting = [run for flow in Flow for run in deployment.ledger.requested_runs(flow=flow, limit=RUNS_A_TICK)]
    asked = [(run, request) for run in waiting if (request := _request(deployment, instance, run)) is not None]
    requests = [request for _, request in asked]
    if not requests:
        return dg.SkipReason(
            f"{counted(len(waiting), 'requested run', verb=('is', 'are'))} about to begin"
            if waiting
            else "no run is requested"
        )
    partitions: dict[Flow, list[str]] = {}
    for run, _ in asked:
        partitions.setdefault(run.flow, []).append(run.key.partition)
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[RUNS[flow].build_add_request(keys) for flow, keys in partitions.items()],
    )


def _request(deployment: Deployment, instance: dg.DagsterInstance, run: RunRecord) -> dg.RunRequest | None:
    name = f"{run.flow}/{run.key.partition}@{run.updated_at.isoformat()}"
    tried = runs_started_for(instance, name, partition=run.key.partition)
    if any(is_under_way(one) for one in tried):
        return None
    if tried and _give_up(deployment, run, [one.dagster_run for one in tried]):
        return None
    return dg.RunRequest(
        run_key=run_key(name, number=len(tried)),
        partition_key=run.key.partition,
        job_name=str(run.flow),
    )


def run_key(name: str, *, number: int) -> str:
    """Return the key of the run that is asked for after so many for the same thing: Dagster remembers keys for ever."""
    return f"{name}/{number}"


def runs_started_for(instance: dg.DagsterInstance, name: str, *, partition: str) -> list[dg.RunRecord]:
    """Return the runs of a partition that sensors asked for by one name, newest first, with Dagster's retries of them.

    Dagster keeps the key of a run among its own tags, which its list does not show.
    """
    of_partition = instance.get_run_records(dg.RunsFilter(tags={PARTITION_NAME_TAG: partition}))
    return [run for run in of_partition if run.dagster_run.tags.get(RUN_KEY_TAG, "").rpartition("/")[0] == name]


def is_under_way(record: dg.RunRecord) -> bool:
    """Tell whether a Dagster run has not ended, or Dagster is about to retry it."""
    run = record.dagster_run
    if run.status not in ENDED:
        return True
    since = datetime.now(UTC) - record.update_timestamp.astimezone(UTC)
    return run.is_complete_and_waiting_to_retry and timedelta() <= since < RETRIED_WITHIN


def note_lost_workers(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    """Write down which runs lost their worker: a dead process of this host, or one that Dagster has given up."""
    for run in deployment.ledger.running_runs(limit=RUNNING_A_TICK):
        dead = run.worker is None or worker_is_dead(run.worker)
        if dead is None and run.dagster_run_id is not None:
            executed = instance.get_run_by_id(run.dagster_run_id)
            dead = executed is not None and executed.status in ENDED
        if dead:
            deployment.ledger.swap_run(run, run.moved(RunState.INTERRUPTED))


def _give_up(deployment: Deployment, run: RunRecord, tried: Sequence[dg.DagsterRun]) -> bool:
    """Close a request that a person cancelled in Dagster, or that has failed to begin often enough."""
    ledger, expected = deployment.ledger, frozenset({RunState.REQUESTED})
    if any(one.status is dg.DagsterRunStatus.CANCELED for one in tried):
        ledger.set_run_state(flow=run.flow, key=run.key, to=RunState.CANCELLED, expected=expected)
        return True
    if len(tried) < MOST_ATTEMPTS:
        return False
    error = UnavailableError(
        f"{len(tried)} Dagster runs ended before the first stage of {run.key.partition} began",
        code="run_never_began",
        hint=f"the newest one's log in the Dagster UI says why; then: {command_on('run retry', run.key)}",
    )
    ledger.set_run_state(flow=run.flow, key=run.key, to=RunState.FAILED, expected=expected, error=error)
    return True
