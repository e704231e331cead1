"""Writes a stream of rows as CSV, JSON Lines, Parquet or a workbook; the file appears only when it is whole."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import assert_never
from uuid import uuid4

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.documents import Row
from eval_pipeline.core.errors import UnavailableError, UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.reporting.csv_safety import csv_cell
from eval_pipeline.reporting.workbook import write_workbook

_GROUP_ROWS = 2_048


class ExportFormat(StrEnum):
    """How an export is written down."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


def export_format(path: Path) -> ExportFormat:
    """Tell the format from the suffix of a path, else raise ``export_format_unsupported``."""
    try:
        return ExportFormat(path.suffix.lower().removeprefix("."))
    except ValueError as error:
        raise UsageError(
            f"cannot tell the format of {shown(path.name)} from its suffix",
            code="export_format_unsupported",
            hint=f"end the file name with {' or '.join(f'.{known}' for known in ExportFormat)}",
        ) from error


def write_table(rows: Iterable[Row], schema: pa.Schema, *, path: Path, file_format: ExportFormat, bom: bool) -> int:
    """Write all rows in the columns of the schema; return how many there were.

    Args:
        rows: mappings that have every column of the schema.
        schema: names and types of the columns.
        path: where to; an existing file is replaced.
        file_format: how.
        bom: begin a CSV with the byte order mark by which Excel knows UTF-8; the other formats know none.
    """
    with whole_file(path) as unfinished:
        match file_format:
            case ExportFormat.CSV:
                return _write_csv(rows, schema, path=unfinished, encoding="utf-8-sig" if bom else "utf-8")
            case ExportFormat.JSONL:
                return _write_jsonl(rows, schema, path=unfinished)
            case ExportFormat.PARQUET:
                return _write_parquet(rows, schema, path=unfinished)
            case ExportFormat.XLSX:
                return write_workbook(rows, schema, path=unfinished)
            case _:
                assert_never(file_format)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes ``path`` when all is written; what was there before stays until then."""
    target = _checked_target(path)
    unfinished = target.with_name(f".{uuid4().hex}.unfinished")
    try:
        yield unfinished
        unfinished.replace(target)
    except OSError as error:
        raise UnavailableError(
            f"cannot write {shown(str(path))}: {error.strerror or error}",
            code="export_failed",
            hint="check free disk space and permissions of that folder; an earlier file there is untouched",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _checked_target(path: Path) -> Path:
    target = path.resolve()
    if target.exists() and not target.is_file():
        problem = "it is no regular file"
    elif not target.parent.is_dir():
        problem = "its folder does not exist"
    else:
        return target
    raise UsageError(
        f"cannot export to {shown(str(path))}: {problem}",
        code="export_path_invalid",
        hint="give the path of a file in an existing folder",
    )


def _write_csv(rows: Iterable[Row], schema: pa.Schema, *, path: Path, encoding: str) -> int:
    count = 0
    with path.open("x", encoding=encoding, newline="") as file:
        writer = csv.writer(file)  # ends lines with CR LF, which makes it quote a lone CR as well as a lone LF
        writer.writerow(map(csv_cell, schema.names))
        for row in rows:
            writer.writerow([csv_cell(row[name]) for name in schema.names])
            count += 1
    return count


def _write_jsonl(rows: Iterable[Row], schema: pa.Schema, *, path: Path) -> int:
    count = 0
    with path.open("xb") as file:
        for row in rows:
            line = {name: row[name] for name in schema.names}
            file.write(orjson.dumps(line, default=_json_number, option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    return count


def _json_number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _write_parquet(rows: Iterable[Row], schema: pa.Schema, *, path: Path) -> int:
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in chunks(rows, size=_GROUP_ROWS):
            writer.write_batch(pa.RecordBatch.from_pylist(group, schema=schema))
            count += len(group)
    return count
