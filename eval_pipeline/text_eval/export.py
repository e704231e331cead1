"""A run's results as one table for spreadsheets and scripts: a line per item, or a line per question."""

import statistics
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from eval_pipeline.core.ports import StageReader
from eval_pipeline.reporting.export_files import ExportFormat, write_table
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.side_by_side import WalkedItem, score_names, walk

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
)
_QUESTION = ("question_id", "category", "question", "golden_answer")


def export_rows(
    *,
    dataset: StageReader,
    responses: StageReader,
    scores: StageReader | None,
    path: Path,
    file_format: ExportFormat,
    bom: bool = False,
) -> int:
    """Write one line per item, in the order of the dataset; return the number of lines."""
    names = score_names(scores)
    metadata = _metadata_keys(dataset)
    fields = [
        *_fields(tables.DATASET, _ASKED),
        *_fields(tables.RESPONSES, _ANSWERED_IN_FULL),
        *(field for name in names for field in _score_fields(name)),
        *_fields(tables.RESPONSES, _CALLED),
    ]
    table = _Table.of(fields, metadata=metadata)
    rows = (table.row([*_item_values(item), *table.metadata_values(item)]) for item in walk(dataset, responses, scores))
    return write_table(rows, table.schema, path=path, file_format=file_format, bom=bom)


def export_grouped(
    *,
    dataset: StageReader,
    responses: StageReader,
    scores: StageReader | None,
    path: Path,
    file_format: ExportFormat,
    bom: bool = False,
) -> int:
    """Write one line per question with all its repeats; return the number of lines."""
    names = score_names(scores)
    repeats = max((row["repeat"] for row in dataset.rows(("repeat",))), default=0)
    numbered = range(1, repeats + 1)
    fields = [
        *_fields(tables.DATASET, _QUESTION),
        *(pa.field(f"answer_{number}", pa.string()) for number in numbered),
        *(pa.field(f"status_{number}", pa.string()) for number in numbered),
        *(pa.field(f"{name}_{end}", pa.float64()) for name in names for end in (*numbered, "mean", "std")),
    ]
    table = _Table.of(fields, metadata=_metadata_keys(dataset))
    questions = groupby(walk(dataset, responses, scores), lambda item: item.asked["question_id"])
    grouped = (list(items) for _, items in questions)
    rows = (
        table.row([*_question_values(items, repeats=repeats, names=names), *table.metadata_values(items[0])])
        for items in grouped
    )
    return write_table(rows, table.schema, path=path, file_format=file_format, bom=bom)


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns of an export: fixed ones, then one for every other column of the golden file."""

    schema: pa.Schema
    metadata: tuple[str, ...]

    @classmethod
    def of(cls, fields: Sequence[pa.Field], *, metadata: tuple[str, ...]) -> "_Table":
        """Join the columns; a metadata column whose name is taken is called ``metadata_…``."""
        names = dict.fromkeys(field.name for field in fields)
        for key in metadata:
            names[_free_name(key, taken=names)] = None
        added = [pa.field(name, pa.string()) for name in list(names)[len(fields) :]]
        return cls(schema=pa.schema([*fields, *added]), metadata=metadata)

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """Name the values."""
        return dict(zip(self.schema.names, values, strict=True))

    def metadata_values(self, item: WalkedItem) -> list[str | None]:
        """Return the item's metadata in the order of the columns."""
        if not self.metadata:
            return []
        metadata = orjson.loads(item.asked["metadata"])
        return [metadata.get(key) for key in self.metadata]


def _score_fields(name: str) -> Iterator[pa.Field]:
    yield pa.field(name, pa.float64())
    yield pa.field(f"{name}_reason", pa.string())
    yield pa.field(f"{name}_comment", pa.string())


def _fields(schema: pa.Schema, names: Sequence[str]) -> list[pa.Field]:
    return [schema.field(name) for name in names]


def _metadata_keys(dataset: StageReader) -> tuple[str, ...]:
    """Collect the keys of all rows, in the order in which they first occur; rows of JSON Lines may differ."""
    keys: dict[str, None] = {}
    last = ""
    for row in dataset.rows(("metadata",)):
        if row["metadata"] != last:  # repeats of a question stand side by side
            last = row["metadata"]
            keys.update(dict.fromkeys(orjson.loads(last)))
    return tuple(keys)


def _free_name(key: str, *, taken: Container[str]) -> str:
    name = key
    while name in taken:
        name = f"metadata_{name}"
    return name


def _item_values(item: WalkedItem) -> Iterator[Any]:
    yield from (item.asked[name] for name in _ASKED)
    yield from (item.response[name] for name in _ANSWERED_IN_FULL)
    for score in item.scores:
        yield score["value"]
        yield score["unscoreable_reason"]
        yield score["comment"]
    yield from (item.response[name] for name in _CALLED)


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
