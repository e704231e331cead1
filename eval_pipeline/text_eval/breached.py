"""What a run that missed its threshold still tells: a report of what there is, that says so."""

from dataclasses import replace

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.answers import Answers
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.stages.report import write_report
from eval_pipeline.text_eval.stages.scores import make as make_scores


def write_breached(task: Task) -> dict[str, StageReader]:
    """Write the report of a run that missed its threshold, from what there is.

    Returns:
        what was made, by stage: scores of what was answered, too, unless all of them compare embeddings and there are
        none.
    """
    stages = task.deployment.stages
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    answers = Answers(
        dataset=stages.open(task.ref("dataset")),
        responses=stages.open(task.ref("responses")),
        embeddings=StoredRun(task.deployment, run).find("embeddings"),
    )
    if answers.embeddings is None and all(scorer.needs_embeddings for scorer in TextSpec.from_json(run.spec).scorers):
        return {"report": write_report(task, answers)}
    scores = make_scores(task, dataset=answers.dataset, responses=answers.responses, embeddings=answers.embeddings)
    return {"scores": scores, "report": write_report(task, replace(answers, scores=scores))}
