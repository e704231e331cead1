"""Submits the questions of a batch run; a fast run needs no provider job."""

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.runs.batches import submit_first_round
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.batches import Questions
from eval_pipeline.text_eval.spec import TextSpec


def make(task: Task, *, dataset: StageReader) -> StageReader:
    """Submit the questions of a batch run; note that a fast run needs no provider job."""

    def work(run: RunRecord) -> BatchWork:
        return Questions(task, TextSpec.from_json(run.spec), dataset).work()

    return submit_first_round(
        task,
        "response_batch",
        inputs={"dataset": dataset},
        work=work,
    )
