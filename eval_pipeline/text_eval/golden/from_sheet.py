"""Reads golden rows from a sheet of a workbook; the number of a row stands where that of a line does elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.intake.sheet import SheetFile, open_sheet
from eval_pipeline.text_eval.golden.from_csv import check_names
from eval_pipeline.text_eval.golden.reader import GoldenReader, RowReader
from eval_pipeline.text_eval.golden.row import Entry


def open_golden_sheet(path: Path, reader: GoldenReader) -> SheetFile:
    """Find the sheet that is meant, and understand its header.

    Cells that are merged over several rows say the same of all of them where they are metadata, and are refused where
    every row needs its own.
    """
    sheet = open_sheet(path, reader.purpose, sheet=reader.options.sheet)
    check_names(list(sheet.names), reader)
    means = reader.meaning(sheet.names)
    return replace(sheet, shareable=frozenset({*means.metadata, "category"} - {"id"}))


def sheet_entries(sheet: SheetFile, *, reader: RowReader) -> Iterator[Entry]:
    """Yield every row below the header that is not empty, usable or skipped, in the order of the sheet."""
    for number, cells in sheet.records():
        if isinstance(cells, SkippedRow):
            yield cells
        else:
            yield reader.entry(number, dict(zip(sheet.names, cells, strict=True)))
