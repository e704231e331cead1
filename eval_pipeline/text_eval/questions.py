"""What a text run asks the model under test."""

from collections.abc import Iterator

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.runs.answers import Question, Questions
from eval_pipeline.text_eval.spec import TextSpec

_ROWS_AT_ONCE = 4_096


def questions_of(run: RunRecord, *, dataset: StageReader) -> Questions:
    """Ask every item of the dataset."""
    spec = TextSpec.from_json(run.spec)
    return Questions(
        stage="responses",
        endpoint=spec.endpoint,
        frozen=spec.answers_at,
        body=spec.model_body,
        mode=spec.mode,
        concurrency=spec.concurrency,
        failure_threshold=spec.failure_threshold,
        total=dataset.manifest.rows,
        each=lambda: _questions(dataset),
    )


def _questions(dataset: StageReader) -> Iterator[Question]:
    for table in dataset.batches(["item_id", "question"], rows=_ROWS_AT_ONCE):
        yield from zip(table.column("item_id").to_pylist(), table.column("question").to_pylist(), strict=True)
