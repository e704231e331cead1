"""Reads golden rows from CSV."""

from collections.abc import Iterable, Iterator

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.intake.csv_records import CsvRecords, row_problem
from eval_pipeline.text_eval.golden.reader import GoldenReader, RowReader, check_golden_columns
from eval_pipeline.text_eval.golden.row import Entry


def csv_entries(
    lines: Iterable[str], *, delimiter: str, has_nul: bool, reader: RowReader | None = None
) -> Iterator[Entry]:
    """Yield every row after the header, usable or skipped, in the order of the file."""
    reader = reader or GoldenReader()
    records = CsvRecords(lines, delimiter=delimiter, purpose=reader.purpose)
    names = take_names(records, reader)
    for line, cells in records:
        if isinstance(cells, SkippedRow):
            yield cells
        elif (problem := row_problem(cells, width=len(names), has_nul=has_nul)) is not None:
            yield SkippedRow(line, problem)
        else:
            yield reader.entry(line, dict(zip(names, cells, strict=True)))


def take_names(records: CsvRecords, reader: RowReader) -> list[str]:
    """Read the header, and refuse one that cannot be understood before any row is."""
    names = records.take_header()
    check_names(names, reader)
    return names


def check_names(names: list[str], reader: RowReader) -> None:
    """Refuse columns that cannot be understood."""
    if isinstance(reader, GoldenReader):
        check_golden_columns(names, reader.options)
        reader.meaning(names)
