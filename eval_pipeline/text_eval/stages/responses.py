"""The ``responses`` stage: every item asked once, live or by batches, recorded as it is answered, in dataset order."""

from collections.abc import Iterator
from functools import partial

import orjson

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.passages import passages_json, searches_files
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.record_columns import call_columns, error_columns
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.core.turns import Input, input_of, read_turns
from eval_pipeline.runs.answers import Question, Questions, make_answers
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.recorded_answers import make_recorded
from eval_pipeline.text_eval.retrieval import RetrievalTally
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.thinking import without_thinking
from eval_pipeline.wiring import models

_ROWS_AT_ONCE = 4_096


def make(task: Task, *, dataset: StageReader, response_batch: StageReader) -> StageReader | None:
    """Ask the model under test what is not answered yet, then store every item; None while batches are out."""
    spec = TextSpec.from_json(find_run(task.deployment, flow=task.flow, key=task.key).spec)
    retrieval = RetrievalTally(searches=searches_files(spec.model_body) and spec.recorded is None)

    def read(record: ItemRecord) -> ItemRecord:
        return retrieval.add(without_thinking(record))

    if spec.recorded is not None:
        return make_recorded(
            task,
            spec=spec,
            dataset=dataset,
            schema=tables.RESPONSES,
            read=read,
            row=response_row,
            own=retrieval.summary,
        )
    return make_answers(
        task,
        "responses",
        schema=tables.RESPONSES,
        made_from=dataset,
        submitted=response_batch,
        questions=partial(questions_of, dataset=dataset),
        row=response_row,
        read=read,
        own=retrieval.summary,
    )


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
        about=partial(_about, dataset) if models.takes_items(spec.answers_at.protocol) else None,
    )


def _about(dataset: StageReader) -> Iterator[Json]:
    """Tell the ids and the other columns of all items, for a bot that is asked by them."""
    for row in dataset.rows(["item_id", "category", "metadata"]):
        own = orjson.loads(row["metadata"])
        category = {} if row["category"] is None else {"category": row["category"]}
        yield {"item_id": row["item_id"], "metadata": {**category, **own}}


def _questions(dataset: StageReader) -> Iterator[Question]:
    """Yield every question behind its earlier turns; a stage of an earlier version has no column of them."""
    names = [name for name in ("item_id", "question", "turns") if name in dataset.manifest.columns]
    for table in dataset.batches(names, rows=_ROWS_AT_ONCE):
        ids, questions, *turns = (table.column(name).to_pylist() for name in names)
        asked = map(_behind_turns, questions, turns[0]) if turns and any(turns[0]) else questions
        yield from zip(ids, asked, strict=True)


def _behind_turns(question: str, turns: str | None) -> Input:
    return question if turns is None else input_of(question, read_turns(orjson.loads(turns)))


def response_row(record: ItemRecord, cost: ItemCost) -> JsonDict:
    """Return the row of ``tables.RESPONSES``."""
    return {
        "item_id": record.item_id,
        "status": str(record.status),
        "answer": record.answer,
        "partial_answer": record.partial_answer,
        **error_columns(record.error),
        **call_columns(record, cost),
        "model": record.model,
        "retried_cached_input_tokens": record.retried_usage.cached_input,
        "thinking": record.thinking,
        "service_tier": record.served.tier,
        "passages": None if record.passages is None else orjson.dumps(passages_json(record.passages)).decode(),
    }
