"""What a run that missed its threshold still tells: scores and a report of what there is, that says so."""

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval.stages.report import write_report
from eval_pipeline.stt_eval.stages.scores import make as make_scores


def write_breached(task: Task) -> dict[str, StageReader]:
    """Write scores and report of a run that missed its threshold, from what there is; returns what was made."""
    stages = task.deployment.stages
    dataset, transcripts = stages.open(task.ref("dataset")), stages.open(task.ref("transcripts"))
    scores = make_scores(task, dataset=dataset, transcripts=transcripts)
    return {"scores": scores, "report": write_report(task, dataset=dataset, transcripts=transcripts, scores=scores)}
