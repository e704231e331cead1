"""Where the versions of golden datasets lie: the original bytes, the rows as Parquet, and a manifest written last.

Two forms are read: the first releases knew question, answer and category, and their rows stay what they were.

Files carry the hash of their content in their names and are never replaced. Two processes that add the same bytes at
once, or one that was killed in the middle, cannot leave a manifest that describes another process's rows.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from eval_pipeline.core.datasets import DatasetVersion, SkippedRow
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.passages import passages_json, read_passages
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.turns import read_turns
from eval_pipeline.runs.stored_versions import checked_copy, create_manifest, dataset_missing, read_manifest
from eval_pipeline.storage.manifests import sha256_of
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.text_eval.golden.files import GoldenFile, read_first_form, read_golden
from eval_pipeline.text_eval.golden.reader import GoldenReader, RowReader
from eval_pipeline.text_eval.golden.recorded import RecordedAnswer
from eval_pipeline.text_eval.golden.row import GoldenOptions, GoldenRow
from eval_pipeline.text_eval.golden.tally import Tally, no_valid_row

FIRST_FORM, SCHEMA_VERSION = 1, 2
_FIRST_ROWS = pa.schema(
    [
        pa.field("line", pa.int64(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("category", pa.string()),
        pa.field("metadata", pa.string(), nullable=False),  # JSON object of the other columns
    ]
)
ROWS = pa.schema(
    [
        *_FIRST_ROWS,
        pa.field("id", pa.string()),
        pa.field("alternatives", pa.string()),  # the rest is JSON, null where there is nothing
        pa.field("turns", pa.string()),
        pa.field("contexts", pa.string()),
        pa.field("recorded", pa.string()),
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
    original_sha256: str = ""
    """Empty in the first form, whose versions are that hash."""
    options: JsonDict = field(default_factory=dict)
    """What a person said of the file."""
    names_rows: bool = False
    """Whether rows have ids of their own."""
    without_golden_count: int = 0
    without_golden_lines: tuple[int, ...] = ()
    """The first of them."""
    recorded_count: int = 0
    """Rows with a model's answer."""

    @property
    def golden_options(self) -> GoldenOptions:
        """What a person said of the file."""
        return GoldenOptions(**{**self.options, "golden_columns": tuple(self.options.get("golden_columns", ()))})


def find_manifest(objects: ObjectStore, prefix: str) -> GoldenManifest | None:
    """Return the manifest of a version that is completely stored, or None."""
    stored = read_manifest(objects, prefix, forms=(FIRST_FORM, SCHEMA_VERSION))
    if stored is None:
        return None
    skipped = tuple(SkippedRow(**row) for row in stored.pop("skipped_rows"))
    listed = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
    return GoldenManifest(**{**stored, **listed, "skipped_rows": skipped})


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
    _write_rows(tally.usable(golden.entries()), parquet, schema=ROWS)
    if not tally.rows:
        raise no_valid_row(tally)
    tally.check_damage()
    tally.check_ids()
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
        warnings=(*golden.warnings, *tally.warnings()),
        original_sha256=sha256_of(golden.table.path),
        options=_said(golden.reader),
        names_rows=tally.names_rows,
        without_golden_count=tally.without_golden_count,
        without_golden_lines=tuple(tally.without_golden_lines),
        recorded_count=tally.recorded_count,
    )


def _said(reader: RowReader) -> JsonDict:
    options = reader.options if isinstance(reader, GoldenReader) else GoldenOptions()
    return {} if options.is_plain else asdict(options)


def _write_rows(rows: Iterable[GoldenRow], path: Path, *, schema: pa.Schema) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_batch(_batch(group, schema))


def _groups(rows: Iterable[GoldenRow]) -> Iterator[list[GoldenRow]]:
    """Cut the stream by rows and by characters: a few thousand long texts are a lot of memory."""
    group: list[GoldenRow] = []
    characters = 0
    for row in rows:
        group.append(row)
        characters += len(row.question) + len(row.answer) + sum(map(len, row.metadata.values()))
        characters += sum(len(turn.text) for turn in row.turns) + sum(len(one.text) for one in row.contexts or ())
        if len(group) == _GROUP_ROWS or characters > _GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _batch(rows: list[GoldenRow], schema: pa.Schema) -> pa.RecordBatch:
    lines = array("q", [row.line for row in rows])
    columns = [
        pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(lines)]),
        _strings(row.question for row in rows),
        _strings(row.answer for row in rows),
        _strings(row.category for row in rows),
        _strings(orjson.dumps(row.metadata) for row in rows),
    ]
    if schema is ROWS:
        columns += [
            _strings(row.id for row in rows),
            _strings(_json(row.alternatives) for row in rows),
            _strings(_json([turn.to_json() for turn in row.turns]) for row in rows),
            _strings(None if row.contexts is None else orjson.dumps(passages_json(row.contexts)) for row in rows),
            _strings(None if row.recorded is None else orjson.dumps(row.recorded.to_json()) for row in rows),
        ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _json(values: Sequence[object]) -> bytes | None:
    return orjson.dumps(values) if values else None


def _row(stored: JsonDict) -> GoldenRow:
    """Read a row back; of the first form it has five columns."""
    read = {name: None if text is None else orjson.loads(text) for name, text in stored.items() if name in _AS_JSON}
    recorded = read.get("recorded")
    return GoldenRow(
        line=stored["line"],
        question=stored["question"],
        answer=stored["answer"],
        category=stored["category"],
        metadata=read["metadata"] or {},
        id=stored.get("id"),
        alternatives=tuple(read.get("alternatives") or ()),
        turns=read_turns(read.get("turns")),
        contexts=read_passages(read.get("contexts")),
        recorded=None if recorded is None else RecordedAnswer.from_json(recorded),
    )


_AS_JSON = frozenset({"metadata", "alternatives", "turns", "contexts", "recorded"})


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
            yield from map(_row, batch.to_pylist())


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
        if sha256_of(original) != (manifest.original_sha256 or dataset.version):
            return False
        parquet = folder / "rows.parquet"
        if manifest.schema_version == FIRST_FORM:
            golden, schema = read_first_form(original, name=manifest.original_file), _FIRST_ROWS
        else:
            golden = read_golden(original, name=manifest.original_file, options=manifest.golden_options)
            schema = ROWS
        _write_rows(Tally().usable(golden.entries()), parquet, schema=schema)
        if sha256_of(parquet) != manifest.rows_sha256:
            return False
        objects.put_file(key, parquet)
    return True
