"""A run's results as one table for spreadsheets and scripts: a line per item, or a line per question."""

import statistics
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from eval_pipeline.core.endpoints import NO_ENDPOINTS, Endpoints
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.reporting import answered_by
from eval_pipeline.reporting.answered_by import AnsweredBy
from eval_pipeline.reporting.export_columns import ExportTable, metadata_keys
from eval_pipeline.reporting.export_files import ExportFormat, write_table
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.scoring.side_by_side import WalkedItem, score_names, walk

_ASKED = ("item_id", "question_id", "repeat", "category", "question", "golden_answer")
_ANSWERED = ("answer", "status")
_ANSWERED_IN_FULL = ("answer", "partial_answer", "status")
_CALLED = (
    "error_code",
    "error_message",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "cost_usd",
    "latency_s",
    "attempts",
    "model",
    "response_id",
    "endpoint",
    "service_tier",
    "thinking",
)
_QUESTION = ("question_id", "category", "question", "golden_answer")


def export_rows(
    *,
    dataset: StageReader,
    responses: StageReader,
    scores: StageReader | None,
    endpoints: Endpoints = NO_ENDPOINTS,
    path: Path,
    file_format: ExportFormat,
    bom: bool = False,
) -> int:
    """Write one line per item, in the order of the dataset; return the number of lines."""
    names = score_names(scores)
    metadata = metadata_keys(dataset)
    optional = _optional(dataset)
    retrieved = ("passages",) if responses.manifest.summary.get("retrieval") else ()
    fields = [
        *_fields(tables.DATASET, _ASKED),
        *_fields(tables.RESPONSES, _ANSWERED_IN_FULL),
        *(field for name in names for field in _score_fields(name)),
        *_fields(tables.RESPONSES, _CALLED),
        *answered_by.FIELDS,
        *_fields(tables.DATASET, optional),
        *_fields(tables.RESPONSES, retrieved),
    ]
    table, asked = ExportTable.of(fields, metadata=metadata), AnsweredBy(endpoints)
    rows = (
        table.row(
            [
                *_item_values(item),
                *asked.values(item.response.get("endpoint")),
                *(item.asked[name] for name in optional),
                *(item.response[name] for name in retrieved),
                *table.metadata_values(item.asked["metadata"]),
            ]
        )
        for item in walk(dataset, responses, scores)
    )
    return write_table(rows, table.schema, path=path, file_format=file_format, bom=bom)


def export_grouped(
    *,
    dataset: StageReader,
    responses: StageReader,
    scores: StageReader | None,
    endpoints: Endpoints = NO_ENDPOINTS,
    path: Path,
    file_format: ExportFormat,
    bom: bool = False,
) -> int:
    """Write one line per question with all its repeats; return the number of lines."""
    del endpoints  # a line has answers of several calls
    names = score_names(scores)
    repeats = max((row["repeat"] for row in dataset.rows(("repeat",))), default=0)
    numbered = range(1, repeats + 1)
    fields = [
        *_fields(tables.DATASET, _QUESTION),
        *(pa.field(f"answer_{number}", pa.string()) for number in numbered),
        *(pa.field(f"status_{number}", pa.string()) for number in numbered),
        *(pa.field(f"{name}_{end}", pa.float64()) for name in names for end in (*numbered, "mean", "std")),
    ]
    table = ExportTable.of(fields, metadata=metadata_keys(dataset))
    questions = groupby(walk(dataset, responses, scores), lambda item: item.asked["question_id"])
    grouped = (list(items) for _, items in questions)
    rows = (
        table.row(
            [*_question_values(items, repeats=repeats, names=names), *table.metadata_values(items[0].asked["metadata"])]
        )
        for items in grouped
    )
    return write_table(rows, table.schema, path=path, file_format=file_format, bom=bom)


def _optional(dataset: StageReader) -> list[str]:
    """Name the columns that most datasets have nothing in and this one has."""
    filled = dataset.manifest.summary.get("optional") or {}
    return [name for name in tables.OPTIONAL_OF_DATASET if filled.get(name)]


def _score_fields(name: str) -> Iterator[pa.Field]:
    yield pa.field(name, pa.float64())
    yield pa.field(f"{name}_reason", pa.string())
    yield pa.field(f"{name}_comment", pa.string())


def _fields(schema: pa.Schema, names: Sequence[str]) -> list[pa.Field]:
    return [schema.field(name) for name in names]


def _item_values(item: WalkedItem) -> Iterator[Any]:
    yield item.shown_id
    yield from (item.asked[name] for name in _ASKED[1:])
    yield from (item.response[name] for name in _ANSWERED_IN_FULL)
    for score in item.scores:
        yield score["value"]
        yield score["unscoreable_reason"]
        yield score["comment"]
    yield from (item.response.get(name) for name in _CALLED)  # the first version had no endpoints


def _question_values(items: Sequence[WalkedItem], *, repeats: int, names: Sequence[str]) -> Iterator[Any]:
    by_repeat = {item.asked["repeat"]: item for item in items}
    ordered = [by_repeat.get(number) for number in range(1, repeats + 1)]
    yield from (items[0].asked[name] for name in _QUESTION)
    for name in _ANSWERED:
        yield from (None if item is None else item.response[name] for item in ordered)
    for place in range(len(names)):
        values: list[float | None] = [None if item is None else item.scores[place]["value"] for item in ordered]
        yield from values
        scored = [value for value in values if value is not None]
        yield statistics.mean(scored) if scored else None
        yield statistics.pstdev(scored) if scored else None
