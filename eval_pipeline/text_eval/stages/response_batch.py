"""Submits the questions of a batch run; a fast run needs no provider job."""

from functools import partial

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.answers import submit_questions
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.stages.responses import questions_of


def make(task: Task, *, dataset: StageReader) -> StageReader:
    """Submit the questions of a batch run; note that a fast run needs no provider job."""
    return submit_questions(
        task, "response_batch", inputs={"dataset": dataset}, questions=partial(questions_of, dataset=dataset)
    )
