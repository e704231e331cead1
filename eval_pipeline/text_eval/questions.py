"""What a text run asks the model under test: every question, behind the earlier turns that its row has.

Stages that an earlier version made have no column of turns; they are asked as they were.
"""

from collections.abc import Iterator

import orjson

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.turns import Input, input_of, read_turns
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
    names = [name for name in ("item_id", "question", "turns") if name in dataset.manifest.columns]
    for table in dataset.batches(names, rows=_ROWS_AT_ONCE):
        ids, questions, *turns = (table.column(name).to_pylist() for name in names)
        if turns and any(turns[0]):
            yield from zip(ids, map(_behind_turns, questions, turns[0]), strict=True)
        else:
            yield from zip(ids, questions, strict=True)


def _behind_turns(question: str, turns: str | None) -> Input:
    return question if turns is None else input_of(question, read_turns(orjson.loads(turns)))
