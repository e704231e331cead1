"""The report of a run of sessions; with it the run ends."""

from eval_pipeline.core.counting import counted
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.life import end_run
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.stages.agreement import make as make_agreement
from eval_pipeline.session_eval.stages.session_scores import make as make_scores


def make(
    task: Task,
    *,
    sessions: StageReader,
    judgements: StageReader,
    session_scores: StageReader | None,
    agreement: StageReader | None,
) -> StageReader:
    """Write the report, and with it end the run: completed, or failed when the threshold was missed."""
    if session_scores is None:
        session_scores = make_scores(task, sessions=sessions, judgements=judgements)
    if agreement is None:
        agreement = make_agreement(task, sessions=sessions, judgements=judgements, session_scores=session_scores)
    written = write_report(
        task, sessions=sessions, judgements=judgements, session_scores=session_scores, agreement=agreement
    )
    end_run(task, PaidSummary.of(judgements.manifest).threshold)
    return written


def write_report(
    task: Task,
    *,
    sessions: StageReader,
    judgements: StageReader,
    session_scores: StageReader,
    agreement: StageReader,
) -> StageReader:
    """Write the report of what there is; a missed threshold is marked in it."""
    deployment, ref = task.deployment, task.ref("report")
    inputs = {
        "sessions": sessions,
        "judgements": judgements,
        "session_scores": session_scores,
        "agreement": agreement,
    }
    with at_work(deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage:
        paid = PaidSummary.of(judgements.manifest)
        counts = paid.counts
        told = "" if counts is None else f"{counts.ok:,} of {counted(counts.total, 'judgement')} there."
        key = stage.files.add_file("report.md", told.encode())
        stage.files.finish(
            {
                "url": deployment.objects.url(key),
                "markdown": told,
                "breached": paid.threshold.breached,
                "threshold": paid.threshold.to_json(),
                "cost": None if paid.cost is None else paid.cost.to_json(),
            }
        )
    return deployment.stages.open(ref)
