"""Submits the questions of a batch run; a fast run needs no provider job."""

from functools import partial

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.answers import submit_questions
from eval_pipeline.runs.batches import submit_first_round
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.stages.responses import questions_of

NOBODY_ASKED = "answers were recorded: nobody is asked"


def make(task: Task, *, dataset: StageReader) -> StageReader:
    """Submit the questions of a batch run; note that a fast run, and one of recorded answers, needs no provider job."""
    if TextSpec.from_json(find_run(task.deployment, flow=task.flow, key=task.key).spec).recorded is not None:
        return submit_first_round(task, "response_batch", inputs={"dataset": dataset}, work=lambda _: NOBODY_ASKED)
    return submit_questions(
        task, "response_batch", inputs={"dataset": dataset}, questions=partial(questions_of, dataset=dataset)
    )
