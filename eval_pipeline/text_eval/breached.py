"""What a run that missed its threshold still tells: a report of what there is, that says so."""

from dataclasses import replace

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.answers import Answers
from eval_pipeline.text_eval.stages.report import write_report
from eval_pipeline.text_eval.stages.scores import make as make_scores


def write_breached(task: Task) -> dict[str, StageReader]:
    """Write the report of a run that missed its threshold, from what there is.

    Returns:
        what was made, by stage: where there are embeddings, scores cost nothing and say which pairs failed.
    """
    stages = task.deployment.stages
    answers = Answers(
        dataset=stages.open(task.ref("dataset")),
        responses=stages.open(task.ref("responses")),
        embeddings=_embeddings_of_these(task),
    )
    if answers.embeddings is None:
        return {"report": write_report(task, answers)}
    scores = make_scores(task, dataset=answers.dataset, responses=answers.responses, embeddings=answers.embeddings)
    return {"scores": scores, "report": write_report(task, replace(answers, scores=scores))}


def _embeddings_of_these(task: Task) -> StageReader | None:
    """Return the embeddings that were made from the present responses, if any."""
    stages = task.deployment.stages
    embeddings = stages.find(task.ref("embeddings"))
    responses = stages.open(task.ref("responses")).manifest
    if embeddings is None or embeddings.manifest.inputs.get("responses") != responses.sha256:
        return None
    return embeddings
