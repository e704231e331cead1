"""Reads audio manifests, CSV or JSON Lines, as a stream of rows.

In a CSV an empty cell of the column ``reference`` means that nothing should be heard; a clip without a label says so in
the column ``labelled`` (no). JSON Lines can leave the reference out or say null.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import shown
from eval_pipeline.intake.csv_records import CsvRecords, row_problem
from eval_pipeline.intake.json_lines import as_text, jsonl_rows, kind_of
from eval_pipeline.intake.table_file import TableFile, open_table
from eval_pipeline.stt_eval.clips.manifest_row import MANIFEST, Entry, build_row, meanings

_SHOWN_KEYS = 10
_MAY_BE_NULL = frozenset({"reference", "language", "sample_id", "labelled"})


def open_manifest(path: Path, *, name: str | None = None) -> TableFile:
    """Find out encoding, format and columns of a manifest, else raise ``invalid_dataset``."""
    return open_table(path, MANIFEST, name=name)


def manifest_entries(table: TableFile) -> Iterator[Entry]:
    """Read a manifest from its beginning: rows, and what is wrong with the others, in order."""
    with table.lines() as lines:
        if table.delimiter is None:
            yield from jsonl_rows(lines, _json_entry)
        else:
            yield from _csv_entries(lines, delimiter=table.delimiter, has_nul=table.form.has_nul)


def _csv_entries(lines: Iterable[str], *, delimiter: str, has_nul: bool) -> Iterator[Entry]:
    records = CsvRecords(lines, delimiter=delimiter, purpose=MANIFEST)
    names = records.take_header()
    places = {meaning: names.index(column) for meaning, column in meanings(names).items()}
    others = [(name, place) for place, name in enumerate(names) if place not in places.values()]
    for line, cells in records:
        if isinstance(cells, SkippedRow):
            yield cells
            continue
        problem = row_problem(cells, width=len(names), has_nul=has_nul)
        if problem is not None:
            yield SkippedRow(line, problem)
            continue
        values = {meaning: cells[place] for meaning, place in places.items()}
        yield build_row(line, values, metadata={name: cells[place] for name, place in others})


def _json_entry(line: int, fields: Json) -> Entry:
    columns = meanings(fields)
    if "audio" not in columns:
        return SkippedRow(line, f"no key 'audio' (its keys: {', '.join(map(shown, list(fields)[:_SHOWN_KEYS]))})")
    values = {}
    for meaning, column in columns.items():
        value = fields[column]
        if meaning == "labelled" and isinstance(value, bool):
            value = "yes" if value else "no"
        if meaning == "reference" and isinstance(value, list | dict):
            value = as_text(value)  # texts or segments as data
        if not (isinstance(value, str) or (value is None and meaning in _MAY_BE_NULL)):
            return SkippedRow(line, f"{column} is {kind_of(value)}, not text")
        values[meaning] = value if value is None else str(value)
    metadata = {key: as_text(item) for key, item in fields.items() if key not in columns.values()}
    return build_row(line, values, metadata=metadata)
