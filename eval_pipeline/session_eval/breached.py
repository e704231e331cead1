"""What a run that missed its threshold still tells: scores, agreement and a report of what there is, that says so."""

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.stages.agreement import make as make_agreement
from eval_pipeline.session_eval.stages.report import write_report
from eval_pipeline.session_eval.stages.session_scores import make as make_scores


def write_breached(task: Task) -> dict[str, StageReader]:
    """Write what can be told of a run that missed its threshold, from what there is; returns what was made."""
    stages = task.deployment.stages
    sessions, judgements = stages.open(task.ref("sessions")), stages.open(task.ref("judgements"))
    scores = make_scores(task, sessions=sessions, judgements=judgements)
    agreement = make_agreement(task, sessions=sessions, judgements=judgements, session_scores=scores)
    report = write_report(task, sessions=sessions, judgements=judgements, session_scores=scores, agreement=agreement)
    return {"session_scores": scores, "agreement": agreement, "report": report}
