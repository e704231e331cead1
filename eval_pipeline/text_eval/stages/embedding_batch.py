"""Submits the texts of a batch run; a fast run needs no provider job."""

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode, RunRecord
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.runs.batches import submit_first_round
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.batches import Texts
from eval_pipeline.text_eval.rates import embedding_mode
from eval_pipeline.text_eval.spec import TextSpec

NOT_COMPARED = "no scorer compares embeddings"
NO_BATCHES = "live: the endpoint of the embedding model has no batches"


def make(task: Task, *, dataset: StageReader, responses: StageReader) -> StageReader:
    """Submit the texts of a batch run; note that a fast run needs no provider job."""

    def work(run: RunRecord) -> BatchWork | str:
        spec = TextSpec.from_json(run.spec)
        if not spec.needs_embeddings:
            return NOT_COMPARED
        in_batches = embedding_mode(spec) is RunMode.BATCH
        return Texts(task, spec, dataset, responses).work() if in_batches else NO_BATCHES

    return submit_first_round(
        task,
        "embedding_batch",
        inputs={"responses": responses},
        work=work,
    )
