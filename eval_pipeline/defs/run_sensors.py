"""Turns runs that were requested outside Dagster into partitions and Dagster runs."""

import dagster as dg

from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.defs.partitions import text_runs
from eval_pipeline.wiring.deployment import Deployment

RUNS_A_TICK = 50


def run_request(run: RunRecord) -> dg.RunRequest:
    """Ask for a run; the key changes when the run is requested again, for Dagster remembers keys for ever."""
    return dg.RunRequest(run_key=f"{run.key.partition}@{run.updated_at.isoformat()}", partition_key=run.key.partition)


def requested_text_runs(deployment: Deployment) -> dg.SensorResult | dg.SkipReason:
    """Read the waiting requests off the ledger."""
    waiting = deployment.ledger.requested_runs(flow=Flow.TEXT, limit=RUNS_A_TICK)
    if not waiting:
        return dg.SkipReason("no run is requested")
    return dg.SensorResult(
        run_requests=[run_request(run) for run in waiting],
        dynamic_partitions_requests=[text_runs.build_add_request([run.key.partition for run in waiting])],
    )
