"""Stages in memory, for tests of everything that reads a run's stages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports import Table
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.text_eval import tables

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MemoryStage:
    """A ``StageReader`` over rows that stand in the test; columns that a row does not name are null."""

    schema: pa.Schema
    given: Sequence[Mapping[str, Any]]
    stage: str = "dataset"

    @property
    def manifest(self) -> Manifest:
        return Manifest(
            stage=StageRef(flow=Flow.TEXT, key=RunKey(project="default", run="first"), stage=self.stage),
            attempt=1,
            parts=(),
            rows=len(self.given),
            columns={field.name: str(field.type) for field in self.schema},
            schema_version=tables.SCHEMA_VERSION,
            spec_hash="0" * 64,
            code_version="0.1.0",
            created_at=MOMENT,
            summary={},
            inputs={},
            sha256="0" * 64,
        )

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 4096) -> Iterator[Table]:
        table = pa.Table.from_pylist([dict(row) for row in self.given], schema=self.schema)
        yield from (table if columns is None else table.select(list(columns))).to_batches(max_chunksize=rows)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        for batch in self.batches(columns):
            yield from batch.to_pylist()

    def frame(self) -> object:
        return pa.Table.from_pylist([dict(row) for row in self.given], schema=self.schema).to_pandas()

    def file(self, name: str) -> bytes:
        raise NotFoundError(f"there is no {name}", code="object_missing", hint="")


def asked(number: int, repeat: int = 1, **changes: object) -> dict[str, Any]:
    """Return a row of the stage ``dataset``."""
    question_id = f"q{number:06d}"
    row = {
        "item_id": f"{question_id}#{repeat}",
        "question_id": question_id,
        "repeat": repeat,
        "question": f"Question {number}?",
        "golden_answer": f"Answer {number}",
        "category": None,
        "metadata": "{}",
        "line": number + 1,
    }
    return {**row, **changes}


def answered(item: Mapping[str, Any], answer: str | None = "An answer", **changes: object) -> dict[str, Any]:
    """Return an item's row of the stage ``responses``."""
    row = {
        "item_id": item["item_id"],
        "status": "failed" if answer is None else "ok",
        "answer": answer,
        "retried_input_tokens": 0,
        "retried_cached_input_tokens": 0,
        "retried_output_tokens": 0,
        "attempts": 1,
    }
    return {**row, **changes}


def scored(item: Mapping[str, Any], name: str, value: float | None, **changes: object) -> dict[str, Any]:
    """Return an item's row of the stage ``scores`` for one score."""
    row = {
        "item_id": item["item_id"],
        "question_id": item["question_id"],
        "repeat": item["repeat"],
        "category": item["category"],
        "name": name,
        "data_type": "NUMERIC",
        "value": value,
    }
    return {**row, **changes}


def dataset_stage(*rows: Mapping[str, Any]) -> MemoryStage:
    """Return a stage ``dataset``."""
    return MemoryStage(tables.DATASET, rows)


def responses_stage(*rows: Mapping[str, Any]) -> MemoryStage:
    """Return a stage ``responses``."""
    return MemoryStage(tables.RESPONSES, rows, stage="responses")


def scores_stage(*rows: Mapping[str, Any]) -> MemoryStage:
    """Return a stage ``scores``."""
    return MemoryStage(tables.SCORES, rows, stage="scores")
