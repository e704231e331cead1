"""Judging a paid stage after everything is stored: passed, or a failed run with a report that says so."""

import dagster as dg

from eval_pipeline.core.counting import counted
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.defs.metadata import describe
from eval_pipeline.runs.flow import breached_module
from eval_pipeline.runs.life import end_run
from eval_pipeline.runs.task import Task


def judge(context: dg.AssetCheckExecutionContext, task: Task, *, stage: str) -> dg.AssetCheckResult:
    """Compare the failures of a stage with the run's threshold.

    A failed blocking check skips all that is downstream, so the report of what there is is written here.
    """
    threshold = PaidSummary.of(task.deployment.stages.open(task.ref(stage)).manifest).threshold
    if threshold.breached:
        _fail_run(context, task=task, threshold=threshold)
    return dg.AssetCheckResult(
        passed=not threshold.breached,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_sentence(threshold),
        metadata={
            "observed": "no items" if threshold.observed is None else threshold.observed,
            "threshold": threshold.value,
            "failed": threshold.failed,
            "total": threshold.total,
        },
    )


def _fail_run(context: dg.AssetCheckExecutionContext, *, task: Task, threshold: Threshold) -> None:
    for name, made in breached_module(task.flow).write_breached(task).items():
        context.op_execution_context.log_event(
            dg.AssetMaterialization(
                asset_key=[str(task.flow), name], partition=task.key.partition, metadata=describe(made)
            )
        )
    end_run(task, threshold)


def _sentence(threshold: Threshold) -> str:
    if threshold.observed is None:
        return "There was nothing to evaluate."
    relation = "more than" if threshold.breached else "not more than"
    return (
        f"{threshold.failed:,} of {counted(threshold.total, 'item')} failed ({threshold.observed:.2%}): "
        f"{relation} the {threshold.value:.2%} that the run allows.{_why(threshold)}"
    )


def _why(threshold: Threshold) -> str:
    return "".join(f" {counted(reason.count, 'time')} {reason.words.rstrip('.')}." for reason in threshold.reasons)
