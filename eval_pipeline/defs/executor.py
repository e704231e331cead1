"""The executor of every job: Dagster's own, in one process, which names itself in the run's tags before it begins.

Whoever judges a run's process (``launcher.py``) can do so from its first moment: a process that is killed before its
first step has named itself, and one that waits for a free slot of a pool goes on telling that it lives.
"""

from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.executor_definition import _core_in_process_executor_creation
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.executor.in_process import InProcessExecutor

from eval_pipeline.defs.worker_tags import telling_life, worker_tags
from eval_pipeline.dispatch.workers import this_worker

_AFTER_A_CHECK = "the report says what failed and why; run retry asks again what failed in passing"


class NamedInProcessExecutor(InProcessExecutor):
    """Dagster's in-process executor in a process that says who it is."""

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """Execute the steps, and tell the run's tags which process does so and that it lives."""
        instance, run_id = plan_context.instance, plan_context.run_id
        instance.add_run_tags(run_id, worker_tags(this_worker(), run_id=run_id))
        failed = None
        with telling_life(instance, run_id):
            for event in super().execute(plan_context, execution_plan):
                failed = failed or _what_failed(event)
                yield event
        if failed is not None:  # Dagster shows a stack trace with every failure: the last words are plain
            instance.report_engine_event(failed, plan_context.dagster_run)


def _what_failed(event: DagsterEvent) -> str | None:
    """Return in plain words what failed, and what to do about it; None for what failed unexplained."""
    if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        return None if check.passed or not check.blocking else f"{check.description}\nhint: {_AFTER_A_CHECK}"
    data = event.step_failure_data.user_failure_data if event.is_step_failure else None
    return None if data is None or data.description is None else data.description


@dg.executor(name="in_process", config_schema=dg.in_process_executor.config_schema.as_field())
def named_in_process_executor(context: dg.InitExecutorContext) -> NamedInProcessExecutor:
    """All steps in a single process, which names itself in the run's tags."""
    made = _core_in_process_executor_creation(context.executor_config)
    return NamedInProcessExecutor(
        retries=made.retries, step_dependency_config=made.step_dependency_config, marker_to_close=made.marker_to_close
    )
