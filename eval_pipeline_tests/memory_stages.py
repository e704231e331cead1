"""Stages in memory, for tests of everything that reads a run's stages, whatever its flow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.ports.stage_files import Table
from eval_pipeline.core.stages import Manifest, StageRef


@dataclass(frozen=True, slots=True)
class MemoryStage:
    """A ``StageReader`` over rows that stand in the test."""

    manifest: Manifest
    table: pa.Table

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 4096) -> Iterator[Table]:
        table = self.table if columns is None else self.table.select(list(columns))
        yield from table.to_batches(max_chunksize=rows)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        for batch in self.batches(columns):
            yield from batch.to_pylist()

    def frame(self) -> object:
        return self.table.to_pandas()

    def file(self, name: str) -> bytes:
        raise NotFoundError(f"there is no {name}", code="object_missing", hint="")


def memory_stage(ref: StageRef, rows: Sequence[Mapping[str, Any]], schema: pa.Schema, **facts: Any) -> MemoryStage:  # noqa: ANN401 - of the manifest
    """Make a stage of rows; columns that a row does not name are null."""
    manifest = Manifest(
        stage=ref,
        attempt=1,
        parts=(),
        rows=len(rows),
        columns={field.name: str(field.type) for field in schema},
        schema_version=1,
        spec_hash="5" * 64,
        code_version="0.1.0",
        created_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        summary={},
        inputs={},
        sha256="d" * 64,
    )
    return MemoryStage(replace(manifest, **facts), pa.Table.from_pylist([dict(row) for row in rows], schema=schema))
