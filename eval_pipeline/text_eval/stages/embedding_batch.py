"""Submits the texts of a batch run; a fast run needs no provider job."""

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.runs.batches import submit_first_round
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.batches import Texts
from eval_pipeline.text_eval.spec import TextSpec

NOT_COMPARED = "no scorer compares embeddings"


def make(task: Task, *, dataset: StageReader, responses: StageReader) -> StageReader:
    """Submit the texts of a batch run; note that a fast run needs no provider job."""

    def work(run: RunRecord) -> BatchWork | str:
        spec = TextSpec.from_json(run.spec)
        return Texts(task, spec, dataset, responses).work() if spec.needs_embeddings else NOT_COMPARED

    return submit_first_round(
        task,
        "embedding_batch",
        inputs={"responses": responses},
        work=work,
    )
