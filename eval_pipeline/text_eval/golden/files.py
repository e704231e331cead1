"""Opens a golden file, CSV, JSON Lines or workbook, and streams its rows; nothing of it is ever held as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eval_pipeline.intake.csv_records import CsvRecords
from eval_pipeline.intake.sheet import SheetFile
from eval_pipeline.intake.table_file import TableFile, open_table
from eval_pipeline.intake.workbook import is_workbook
from eval_pipeline.text_eval.golden.from_csv import csv_entries, take_names
from eval_pipeline.text_eval.golden.from_jsonl import jsonl_entries
from eval_pipeline.text_eval.golden.from_sheet import open_golden_sheet, sheet_entries
from eval_pipeline.text_eval.golden.reader import FirstFormReader, GoldenReader, RowReader
from eval_pipeline.text_eval.golden.row import FIRST_FORM, Entry, GoldenOptions


@dataclass(frozen=True, slots=True)
class GoldenFile:
    """A golden file whose bytes were found to be a table and whose header was understood."""

    table: TableFile | SheetFile
    reader: RowReader = field(default_factory=GoldenReader)

    def entries(self) -> Iterator[Entry]:
        """Read the file from its beginning: usable and skipped rows, in order."""
        if isinstance(self.table, SheetFile):
            yield from sheet_entries(self.table, reader=self.reader)
        else:
            yield from self._lines(self.table)
        if isinstance(self.reader, GoldenReader):
            self.reader.check()

    def _lines(self, table: TableFile) -> Iterator[Entry]:
        with table.lines() as lines:
            if table.delimiter is None:
                yield from jsonl_entries(lines, reader=self.reader)
            else:
                has_nul = table.form.has_nul
                yield from csv_entries(lines, delimiter=table.delimiter, has_nul=has_nul, reader=self.reader)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was guessed, and what stands for what; complete when all entries were read."""
        notes = tuple(self.reader.notes) if isinstance(self.reader, GoldenReader) else ()
        return (*self.table.warnings, *notes)


def read_golden(path: Path, *, name: str | None = None, options: GoldenOptions | None = None) -> GoldenFile:
    """Find out encoding, format and columns of a file, else raise ``invalid_dataset``.

    Args:
        path: the file; read once through here, and again by ``entries``.
        name: what the file was called, when ``path`` is a copy; its suffix helps to tell the format.
        options: what a person says of it.
    """
    reader = GoldenReader(options or GoldenOptions())
    if is_workbook(path, name=name or path.name):
        return GoldenFile(open_golden_sheet(path, reader), reader)
    if reader.options.sheet is not None:
        raise reader.purpose.refuse("it is no workbook, and so has no sheets", hint="leave --sheet out")
    table = open_table(path, reader.purpose, name=name)
    if table.delimiter is not None:
        with table.lines() as lines:
            take_names(CsvRecords(lines, delimiter=table.delimiter, purpose=reader.purpose), reader)
    return GoldenFile(table, reader)


def read_first_form(path: Path, *, name: str) -> GoldenFile:
    """Open a file as the first releases read it."""
    return GoldenFile(open_table(path, FIRST_FORM, name=name), FirstFormReader())
