"""How a run ends, once all that it makes is there: completed, or failed when it missed its threshold."""

from eval_pipeline.core.runs import RunState
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.runs.task import Task


def end_run(task: Task, threshold: Threshold) -> None:
    """Note that the run is completed, or failed when it missed its threshold."""
    breached = threshold.breached
    task.deployment.ledger.set_run_state(
        flow=task.flow,
        key=task.key,
        to=RunState.FAILED if breached else RunState.COMPLETED,
        error=threshold.error(task.key) if breached else None,
    )
