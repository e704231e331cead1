"""What Dagster knows of a stage to be made, read into a task that needs no Dagster."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
from dagster._core.storage.tags import PARENT_RUN_ID_TAG, REPORTING_USER_TAG, RETRY_NUMBER_TAG, USER_TAG

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.failures import explained
from eval_pipeline.defs.partitions import register_partition
from eval_pipeline.defs.worker_tags import worker_of, worker_tags
from eval_pipeline.runs.task import Task
from eval_pipeline.wiring.deployment import Deployment

_USER_TAGS: Final = (USER_TAG, "dagster/user", REPORTING_USER_TAG)


def task_of(
    step: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    *,
    flow: Flow,
    given: Mapping[str, Any] | None = None,
    refresh: bool = False,
    resend_lost: bool = False,
    endpoint_changed: bool = False,
) -> Task:
    """Read the task off the context, and name this process in the run's tags."""
    context = step.op_execution_context
    deployment: Deployment = context.resources.deployment
    if worker_of(context.run.tags, run_id=context.run_id) != deployment.worker:
        context.instance.add_run_tags(context.run_id, worker_tags(deployment.worker, run_id=context.run_id))
    with explained():
        key = RunKey.from_partition(context.partition_key)
    register_partition(context.instance, flow=flow, key=key)
    return Task(
        deployment=deployment,
        flow=flow,
        key=key,
        dagster_run_id=context.run_id,
        retried_run_id=context.run.tags.get(PARENT_RUN_ID_TAG) if RETRY_NUMBER_TAG in context.run.tags else None,
        progress=context.resources.progress,
        say=context.log.info,
        given=given or {},
        refresh=refresh,
        resend_lost=resend_lost,
        endpoint_changed=endpoint_changed,
        requested_by=_who_asked(context.run.tags),
    )


def _who_asked(tags: Mapping[str, str]) -> str:
    """Name the person of a run, where Dagster does; its open source webserver knows no users."""
    return next((tags[name] for name in _USER_TAGS if tags.get(name)), "dagster")
