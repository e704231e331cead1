"""Where the versions of golden datasets lie: the original bytes, the rows as Parquet, and a manifest written last.

Files carry the hash of their content in their names and are never replaced. Two processes that add the same bytes at
once, or one that was killed in the middle, cannot leave a manifest that describes another process's rows.
"""

from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from eval_pipeline.core.datasets import DatasetVersion, SkippedRow
from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.stored_versions import checked_copy, create_manifest, dataset_missing, read_manifest
from eval_pipeline.storage.manifests import sha256_of
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.text_eval.golden.files import GoldenFile, read_golden
from eval_pipeline.text_eval.golden.row import GoldenRow
from eval_pipeline.text_eval.golden.tally import Tally, no_valid_row

SCHEMA_VERSION = 1
ROWS = pa.schema(
    [
        pa.field("line", pa.int64(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("category", pa.string()),
        pa.field("metadata", pa.string(), nullable=False),  # JSON object of the other columns
    ]
)
_GROUP_ROWS = 8_192
_GROUP_CHARACTERS = 8_388_608
_READ_ROWS = 4_096


@dataclass(frozen=True, slots=True)
class GoldenManifest:
    """What a stored version consists of."""

    schema_version: int
    rows: int
    rows_file: str
    rows_sha256: str
    original_file: str
    size_bytes: int
    """Of the original."""
    format: str
    delimiter: str | None
    encoding: str
    skipped_rows_count: int
    skipped_rows: tuple[SkippedRow, ...]
    warnings: tuple[str, ...]


def find_manifest(objects: ObjectStore, prefix: str) -> GoldenManifest | None:
    """Return the manifest of a version that is completely stored, or None."""
    stored = read_manifest(objects, prefix, form=SCHEMA_VERSION)
    if stored is None:
        return None
    skipped = tuple(SkippedRow(**row) for row in stored.pop("skipped_rows"))
    return GoldenManifest(**{**stored, "skipped_rows": skipped, "warnings": tuple(stored["warnings"])})


def store_golden(objects: ObjectStore, golden: GoldenFile, *, prefix: str, folder: Path) -> GoldenManifest:
    """Parse the file and store it; nobody sees it before the manifest, which is stored last.

    Args:
        objects: where to.
        golden: the file; its bytes must not change meanwhile.
        prefix: of all keys.
        folder: for temporary files; the caller removes it.
    """
    tally = Tally()
    parquet = folder / "rows.parquet"
    _write_rows(tally.usable(golden.entries()), parquet)
    if not tally.rows:
        raise no_valid_row(tally)
    tally.check_damage()
    manifest = _describe(golden, tally=tally, rows_sha256=sha256_of(parquet))
    objects.put_file(f"{prefix}/{manifest.original_file}", golden.table.path)
    objects.put_file(f"{prefix}/{manifest.rows_file}", parquet)
    stored = create_manifest(objects, prefix, asdict(manifest))
    return manifest if stored else find_manifest(objects, prefix) or manifest


def _describe(golden: GoldenFile, *, tally: Tally, rows_sha256: str) -> GoldenManifest:
    return GoldenManifest(
        schema_version=SCHEMA_VERSION,
        rows=tally.rows,
        rows_file=f"rows-{rows_sha256[:16]}.parquet",
        rows_sha256=rows_sha256,
        original_file=f"original.{golden.table.format}",
        size_bytes=golden.table.path.stat().st_size,
        format=golden.table.format,
        delimiter=golden.table.delimiter,
        encoding=golden.table.encoding,
        skipped_rows_count=tally.skipped_count,
        skipped_rows=tuple(tally.skipped),
        warnings=(*golden.table.warnings, *tally.warnings()),
    )


def _write_rows(rows: Iterable[GoldenRow], path: Path) -> None:
    with pq.ParquetWriter(path, ROWS, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_batch(_batch(group))


def _groups(rows: Iterable[GoldenRow]) -> Iterator[list[GoldenRow]]:
    """Cut the stream by rows and by characters: a few thousand long texts are a lot of memory."""
    group: list[GoldenRow] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += len(row.question) + len(row.answer) + sum(map(len, row.metadata.values()))
        if len(group) == _GROUP_ROWS or characters > _GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _batch(rows: list[GoldenRow]) -> pa.RecordBatch:
    lines = array("q", [row.line for row in rows])
    columns = [
        pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(lines)]),
        _strings(row.question for row in rows),
        _strings(row.answer for row in rows),
        _strings(row.category for row in rows),
        _strings(orjson.dumps(row.metadata) for row in rows),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ROWS)


def _strings(values: Iterable[str | bytes | None]) -> pa.Array:
    """Build a column as ``pa.array`` does, which would import pandas: half a second and 55 MB."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def require_manifest(objects: ObjectStore, dataset: DatasetVersion) -> GoldenManifest:
    """Return the manifest of a recorded version, or raise ``dataset_missing``."""
    manifest = find_manifest(objects, dataset.prefix)
    if manifest is None:
        raise dataset_missing(objects, dataset, what="rows")
    return manifest


def golden_rows(objects: ObjectStore, dataset: DatasetVersion) -> Iterator[GoldenRow]:
    """Stream the rows of a stored version in the order of the file.

    Damaged rows are made again from the original beside them; where that cannot be, ``dataset_damaged`` is raised.
    """
    manifest = require_manifest(objects, dataset)
    with _checked_rows(objects, dataset, manifest) as path, pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=_READ_ROWS):
            for row in batch.to_pylist():
                yield GoldenRow(**{**row, "metadata": orjson.loads(row["metadata"])})


@contextmanager
def _checked_rows(objects: ObjectStore, dataset: DatasetVersion, manifest: GoldenManifest) -> Iterator[Path]:
    key = f"{dataset.prefix}/{manifest.rows_file}"
    with ExitStack() as held:
        try:
            path = held.enter_context(checked_copy(objects, key, sha256=manifest.rows_sha256))
        except (ConflictError, NotFoundError):
            if not _made_again(objects, dataset, manifest, key=key):
                raise
            path = held.enter_context(checked_copy(objects, key, sha256=manifest.rows_sha256))
        yield path


def _made_again(objects: ObjectStore, dataset: DatasetVersion, manifest: GoldenManifest, *, key: str) -> bool:
    """Store the rows of an intact original again; only the very bytes that the manifest names."""
    with (
        objects.local_copy(f"{dataset.prefix}/{manifest.original_file}") as original,
        temporary_folder() as folder,
    ):
        if sha256_of(original) != dataset.version:
            return False
        parquet = folder / "rows.parquet"
        _write_rows(Tally().usable(read_golden(original, name=manifest.original_file).entries()), parquet)
        if sha256_of(parquet) != manifest.rows_sha256:
            return False
        objects.put_file(key, parquet)
    return True
