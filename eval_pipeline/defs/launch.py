"""Executes a run in this process, recorded in the Dagster instance like any other run."""

import logging
from collections.abc import Mapping, Sequence
from uuid import uuid4

import dagster as dg

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.failures import explanation
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.defs.partitions import PARTITION_SETS
from eval_pipeline.defs.worker_tags import telling_life, worker_tags
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.runs.life import find_run, stored_error
from eval_pipeline.wiring.deployment import Deployment

_LEFT_TO_PEOPLE = {"dagster/max_retries": "0"}
"""A command that died is not taken up behind its person's back: ``run retry`` does that."""
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def execute_run(
    deployment: Deployment,
    key: RunKey,
    *,
    flow: Flow,
    progress: Progress,
    stages: Sequence[str] = (),
    refresh: bool = False,
    resend_lost: bool = False,
    given: Mapping[str, Mapping[str, object]] | None = None,
) -> EvalPipelineError | None:
    """Make the stages of a claimed run (all by default); what is stored already is not paid for again.

    Args:
        deployment: where the run lives.
        key: the run.
        flow: whose run it is.
        progress: where stages tell how far they are.
        stages: only these.
        refresh: start the paid stages over and pay again.
        resend_lost: send items again whose batch result is gone.
        given: what a person set for stages, by their names.

    Returns:
        what stopped it, if anything did; the ledger tells what became of the run.
    """
    # a stage that waits for its provider skips its check, and all that follows, on purpose
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    with open_instance() as instance:
        run_id = str(uuid4())
        definitions = build_definitions(open_it=lambda: deployment, progress=progress)
        instance.add_dynamic_partitions(PARTITION_SETS[flow], [key.partition])
        with telling_life(instance, run_id):
            result = definitions.resolve_job_def(str(flow)).execute_in_process(
                instance=instance,
                partition_key=key.partition,
                run_config={
                    **_QUIET,
                    "ops": _config(flow, refresh=refresh, resend_lost=resend_lost, given=given or {}),
                },
                tags={**worker_tags(deployment.worker, run_id=run_id), **_LEFT_TO_PEOPLE},
                run_id=run_id,
                asset_selection=[dg.AssetKey([str(flow), stage]) for stage in stages] or None,
                raise_on_error=False,
            )
        problem = explanation(result)
        if problem is not None:  # Dagster shows a stack trace with every failure: the last words in the UI are plain
            told = stored_error(find_run(deployment, flow=flow, key=key)) or problem
            instance.report_engine_event(f"{told.message}\nhint: {told.hint}", result.dagster_run)
        return problem


def _config(
    flow: Flow, *, refresh: bool, resend_lost: bool, given: Mapping[str, Mapping[str, object]]
) -> dict[str, object]:
    """Configure only what differs from the defaults: an op that is not selected takes no configuration."""
    wanted = {name: True for name, given in (("refresh", refresh), ("resend_lost", resend_lost)) if given}
    paid = {f"{flow}__{stage}": {"config": wanted} for stage in plan_of(flow).paid_stages if wanted}
    return {**paid, **{f"{flow}__{stage}": {"config": dict(values)} for stage, values in given.items() if values}}
