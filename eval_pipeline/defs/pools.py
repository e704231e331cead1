"""A slot of the pool of the provider that a stage asks, which only its run's specification tells.

Dagster takes the pool of an asset from its definition, before there is a run; a stage that may ask one provider or
another would hold the pool of neither or of the wrong one. So the slot is claimed here, as Dagster's executor does.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import sleep

import dagster as dg
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from eval_pipeline.runs.flow import Stage
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.task import Task

_LOOK_EVERY_S = 0.2


def static_pool(stage: Stage) -> str | None:
    """Return the pool that a stage holds whatever its run asks."""
    return stage.paid.pool if stage.paid is not None and isinstance(stage.paid.pool, str) else None


def slot(context: dg.AssetExecutionContext, task: Task, stage: Stage) -> AbstractContextManager[None]:
    """Hold a slot of the pool that the run's specification names, for as long as the stage is made."""
    if stage.paid is None or isinstance(stage.paid.pool, str):
        return nullcontext()
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    return _held(context, stage.paid.pool(run.spec))


@contextmanager
def _held(context: dg.AssetExecutionContext, pool: str) -> Iterator[None]:
    step = context.op_execution_context.get_step_execution_context().step.key
    with InstanceConcurrencyContext(context.instance, context.run) as slots:
        if not slots.claim(pool, step):
            context.log.info("waiting for a slot of the pool %s", pool)
            while not slots.claim(pool, step):
                sleep(_LOOK_EVERY_S)
        try:
            yield
        finally:
            slots.free_step(step)
