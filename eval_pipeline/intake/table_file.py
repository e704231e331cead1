"""Opens a handed-in table, CSV or JSON Lines, as a stream of lines; nothing of it is ever held as a whole.

Which of the two it is, is seen from the content first (a file that begins with ``{`` is no table) and the name second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from eval_pipeline.core.names import shown
from eval_pipeline.intake.csv_records import DELIMITERS, CsvRecords, delimiter_named, no_text, sniff_delimiter
from eval_pipeline.intake.encoding import TextForm, detect_encoding
from eval_pipeline.intake.json_lines import is_jsonl
from eval_pipeline.intake.purpose import Purpose


class TableFormat(StrEnum):
    """How rows are written down."""

    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table whose bytes were found to be text and whose header was understood."""

    path: Path
    form: TextForm
    format: TableFormat
    delimiter: str | None
    """Of a CSV; None for JSON Lines."""

    @property
    def encoding(self) -> str:
        """Python's name of the encoding that was used."""
        return self.form.encoding

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was guessed about the file as a whole."""
        guessed = [] if self.form.warning is None else [self.form.warning]
        if self.delimiter not in {None, ","}:
            name = DELIMITERS.get(str(self.delimiter), shown(str(self.delimiter)))
            guessed.append(f"columns are separated by {name}, as the header line shows")
        return tuple(guessed)

    @contextmanager
    def lines(self) -> Iterator[TextIO]:
        """Open the file at its beginning."""
        with self.path.open(encoding=self.encoding, newline="") as lines:
            yield lines


def open_table(path: Path, purpose: Purpose, *, name: str | None = None) -> TableFile:
    """Find out encoding, format and columns of a file, else raise ``invalid_dataset``.

    Args:
        path: the file; read once through here, and again by whoever reads its rows.
        purpose: what it is for.
        name: what the file was called, when ``path`` is a copy; its suffix helps to tell the format.
    """
    form = detect_encoding(path, purpose)
    first_line, second_line = _first_lines(path, form, purpose=purpose)
    if is_jsonl(first_line, suffix=Path(name or path.name).suffix.lower(), purpose=purpose):
        return TableFile(path=path, form=form, format=TableFormat.JSONL, delimiter=None)
    named = delimiter_named(first_line)
    delimiter = sniff_delimiter(first_line if named is None else second_line, purpose, named=named)
    table = TableFile(path=path, form=form, format=TableFormat.CSV, delimiter=delimiter)
    with table.lines() as lines:
        CsvRecords(lines, delimiter=delimiter, purpose=purpose).take_header()
    return table


def _first_lines(path: Path, form: TextForm, *, purpose: Purpose) -> tuple[str, str]:
    """Return the first two lines that are not blank; the second is empty where there is none."""
    with path.open(encoding=form.encoding, newline="") as lines:
        written = (line for line in lines if line.strip())
        first, second = next(written, None), next(written, "")
    if first is None:
        raise no_text(purpose)
    return first, second
