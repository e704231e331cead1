"""Rows on their way into parquet files: row group by row group, so that memory does not grow with the stage."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from eval_pipeline.core.documents import Json, Row
from eval_pipeline.storage.objects import os_errors_explained

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP_ROWS = 4_096
GROUP_BYTES = 16 << 20
PART_ROWS = 100_000
PART_BYTES = 112 << 20  # looked at between row groups: a part ends at most one row group later, near 128 MB


class TableParts:
    """Builds one parquet file after the other in a local folder and hands each over when it is whole.

    Args:
        schema: what every row must look like.
        folder: where the file in progress lies; its owner removes the folder.
        deliver: takes a whole file and its number of rows; the file is removed afterwards.
    """

    def __init__(self, schema: "pa.Schema", *, folder: Path, deliver: Callable[[Path, int], None]) -> None:
        self._schema = schema
        self._names = frozenset(schema.names)
        self._file = folder / "part.parquet"
        self._deliver = deliver
        self._group: list[Json] = []
        self._group_bytes = 0
        self._part: _OpenPart | None = None
        self.rows = 0

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows; each must have exactly the columns of the schema."""
        for row in rows:
            if row.keys() != self._names:
                number = self.rows + len(self._group)
                raise ValueError(f"row {number:,} has the columns {sorted(row)} instead of {self._schema.names}")
            self._group.append(row)
            self._group_bytes += sum(len(value) for value in row.values() if isinstance(value, str | bytes))
            room = PART_ROWS - (self._part.rows if self._part else 0)
            if len(self._group) >= min(GROUP_ROWS, room) or self._group_bytes >= GROUP_BYTES:
                self._write_group()

    def finish(self) -> None:
        """Hand over the last part; a table without rows has one part too, which carries its schema."""
        if self._group:
            self._write_group()
        if self._part is not None or self.rows == 0:
            self._end_part(self._open_part())

    def abandon(self) -> None:
        """Let go of a part that nobody will see."""
        if self._part is not None:
            with suppress(OSError):  # the reason for giving up may be this very file
                self._part.close()

    def _write_group(self) -> None:
        from eval_pipeline.storage.columns import build_batch  # noqa: PLC0415 - pyarrow costs 0.25 s, no reader needs it

        batch = build_batch(self._group, self._schema)
        part = self._open_part()
        with os_errors_explained(self._file):
            part.writer.write_batch(batch)
        part.rows += batch.num_rows
        self.rows += batch.num_rows
        self._group, self._group_bytes = [], 0
        if part.rows >= PART_ROWS or part.sink.tell() >= PART_BYTES:
            self._end_part(part)

    def _open_part(self) -> "_OpenPart":
        if self._part is None:
            with os_errors_explained(self._file):
                self._part = _OpenPart.create(self._file, self._schema)
        return self._part

    def _end_part(self, part: "_OpenPart") -> None:
        with os_errors_explained(self._file):
            part.close()
        self._deliver(self._file, part.rows)
        self._file.unlink()
        self._part = None


@dataclass(slots=True)
class _OpenPart:
    """A parquet file in progress; a sink of our own tells how large it is."""

    sink: "pa.OSFile"
    writer: "pq.ParquetWriter"
    rows: int = 0

    @classmethod
    def create(cls, path: Path, schema: "pa.Schema") -> Self:
        import pyarrow as pa  # noqa: PLC0415 - as above
        import pyarrow.parquet as pq  # noqa: PLC0415 - as above

        sink = pa.OSFile(str(path), "wb")
        return cls(sink, pq.ParquetWriter(sink, schema, compression="zstd"))

    def close(self) -> None:
        try:
            self.writer.close()
        finally:
            self.sink.close()
