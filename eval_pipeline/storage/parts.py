"""Rows on their way into parquet files: row group by row group, so that memory does not grow with the stage."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
        self._group: list[Mapping[str, Any]] = []
        self._group_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._sink: pa.OSFile | None = None
        self._rows = 0
        self.rows = 0

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows; each must have exactly the columns of the schema."""
        for row in rows:
            if row.keys() != self._names:
                raise ValueError(
                    f"row {self.rows + len(self._group):,} has the columns {sorted(row)} instead of {self._schema.names}"
                )
            self._group.append(row)
            self._group_bytes += sum(len(value) for value in row.values() if isinstance(value, str | bytes))
            if len(self._group) >= min(GROUP_ROWS, PART_ROWS - self._rows) or self._group_bytes >= GROUP_BYTES:
                self._write_group()

    def finish(self) -> None:
        """Hand over the last part; a table without rows has one part too, which carries its schema."""
        if self._group:
            self._write_group()
        if self._writer is not None or self.rows == 0:
            self._end_part(self._open_part())

    def abandon(self) -> None:
        """Let go of a part that nobody will see."""
        if self._writer is not None and self._sink is not None:
            with suppress(OSError):  # the reason for giving up may be this very file
                self._writer.close()
            self._sink.close()

    def _open_part(self) -> "pq.ParquetWriter":
        import pyarrow as pa  # noqa: PLC0415 - pyarrow costs 0.25 s and no reader of a manifest needs it
        import pyarrow.parquet as pq  # noqa: PLC0415 - the same

        if self._writer is None:
            self._sink = pa.OSFile(str(self._file), "wb")
            self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        return self._writer

    def _write_group(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - as above

        with os_errors_explained(self._file):
            writer = self._open_part()
            writer.write_batch(pa.RecordBatch.from_pylist(self._group, schema=self._schema))
        self._rows += len(self._group)
        self.rows += len(self._group)
        self._group, self._group_bytes = [], 0
        if self._rows >= PART_ROWS or self._sink.tell() >= PART_BYTES:
            self._end_part(writer)

    def _end_part(self, writer: "pq.ParquetWriter") -> None:
        with os_errors_explained(self._file):
            writer.close()
            self._sink.close()
        self._deliver(self._file, self._rows)
        self._file.unlink()
        self._writer, self._sink, self._rows = None, None, 0
