"""Reads golden rows from CSV: strict about quotes, exact about lines, streaming.

Python's reader takes an unclosed quote for a cell that goes on to the end of the file. Here a broken quote that cannot
reach beyond its own line costs that row; any other refuses the file, because every row after it would be a guess.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.names import shown
from eval_pipeline.text_eval.golden_row import Entry, GoldenRow, invalid_dataset, text_problem

MAX_CELL_CHARACTERS = 4_194_304
DELIMITERS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_REQUIRED = ("question", "answer")
_NAMED = (*_REQUIRED, "category")
_SHOWN_COLUMNS = 20
_SNIFFED_CHARACTERS = 65_536  # below the default limit of a cell, beyond which the reader raises


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a row keeps what."""

    width: int
    question: int
    answer: int
    category: int | None
    others: tuple[tuple[str, int], ...]


class CsvRecords:
    """The records of a CSV file with the lines on which they begin; blank lines are no records."""

    def __init__(self, lines: Iterable[str], *, delimiter: str) -> None:
        csv.field_size_limit(MAX_CELL_CHARACTERS)  # belongs to the process; the default is 131,072
        self._line = ""
        self._reader = csv.reader(self._watched(lines), delimiter=delimiter, strict=True)

    def _watched(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._line = line
            yield line

    def __iter__(self) -> Iterator[tuple[int, list[str] | SkippedRow]]:
        while True:
            first_line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield first_line, self._broken(first_line, str(error))
                continue
            if cells and not (len(cells) == 1 and not cells[0].strip()):
                yield first_line, cells

    def _broken(self, first_line: int, problem: str) -> SkippedRow:
        at_end = problem.startswith("unexpected end")
        if at_end or self._reader.line_num > first_line or self._line.count('"') % 2:
            _refuse_quote(first_line, noticed=None if at_end else self._reader.line_num)
        if problem.startswith("field larger"):
            return SkippedRow(first_line, f"a cell has more than {MAX_CELL_CHARACTERS:,} characters")
        return SkippedRow(first_line, "broken quotes: text follows a closing quote")


def _refuse_quote(first_line: int, *, noticed: int | None) -> NoReturn:
    where = "at the end of the file" if noticed is None else f"on line {noticed:,}"
    raise invalid_dataset(
        f"the row that begins on line {first_line:,} opens a quote and does not close it (noticed {where})",
        hint=f'look at line {first_line:,}: close the quote, and write a quote inside of quotes as ""',
    )


def sniff_delimiter(line: str) -> str:
    """Choose the delimiter with which a header line names the required columns; a comma when none does.

    >>> sniff_delimiter("id;Question;Answer")
    ';'
    """
    for delimiter in DELIMITERS:
        names = {_clean(name) for name in next(csv.reader([line[:_SNIFFED_CHARACTERS]], delimiter=delimiter), [])}
        if names.issuperset(_REQUIRED):
            return delimiter
    return ","


def _clean(name: str) -> str:
    return name.strip().strip("\ufeff").strip().lower()


def read_columns(cells: list[str]) -> Columns:
    """Understand the header: names stripped and lower-cased; a nameless column n becomes ``column_n``."""
    names = [_clean(name) or f"column_{number}" for number, name in enumerate(cells, start=1)]
    _check_names(names)
    return Columns(
        width=len(names),
        question=names.index("question"),
        answer=names.index("answer"),
        category=names.index("category") if "category" in names else None,
        others=tuple((name, place) for place, name in enumerate(names) if name not in _NAMED),
    )


def _check_names(names: list[str]) -> None:
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        found = ", ".join(shown(name) for name in names[:_SHOWN_COLUMNS])
        more = f" and {len(names) - _SHOWN_COLUMNS:,} more" if len(names) > _SHOWN_COLUMNS else ""
        raise invalid_dataset(
            f"it has no column {' and no column '.join(map(repr, missing))}; its columns are {found}{more}",
            hint="the first line must name the columns, among them 'question' and 'answer'",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise invalid_dataset(
            f"it has several columns {', '.join(shown(name) for name in twice[:_SHOWN_COLUMNS])}",
            hint="give every column its own name; upper and lower case and outer spaces do not count",
        )
    if any("\0" in name for name in names):
        raise invalid_dataset("its header holds a NUL character", hint="save it as CSV UTF-8 and add it again")


def csv_header(lines: Iterable[str], *, delimiter: str) -> Columns:
    """Read the header alone."""
    return _take_header(iter(CsvRecords(lines, delimiter=delimiter)))


def csv_entries(lines: Iterable[str], *, delimiter: str, has_nul: bool) -> Iterator[Entry]:
    """Yield every row after the header, usable or skipped, in the order of the file."""
    records = iter(CsvRecords(lines, delimiter=delimiter))
    columns = _take_header(records)
    for line, cells in records:
        if isinstance(cells, SkippedRow):
            yield cells
        elif has_nul and any("\0" in cell for cell in cells):
            yield SkippedRow(line, "it holds a NUL character")
        else:
            yield _entry(line, cells, columns)


def _take_header(records: Iterator[tuple[int, list[str] | SkippedRow]]) -> Columns:
    line, cells = next(records, (0, []))
    if isinstance(cells, SkippedRow):
        raise invalid_dataset(
            f"its header on line {line:,} cannot be read ({cells.reason})",
            hint="the first line must name the columns, among them 'question' and 'answer'",
        )
    if not cells:
        raise invalid_dataset("it holds no text", hint="give a CSV file with the columns 'question' and 'answer'")
    return read_columns(cells)


def _entry(line: int, cells: list[str], columns: Columns) -> Entry:
    if len(cells) != columns.width:
        return SkippedRow(line, f"{_cells(len(cells))} where the header has {columns.width:,}")
    question, answer = cells[columns.question], cells[columns.answer]
    problem = text_problem(question, answer)
    if problem is not None:
        return SkippedRow(line, problem)
    category = None if columns.category is None else cells[columns.category].strip() or None
    return GoldenRow(line, question, answer, category, {name: cells[place] for name, place in columns.others})


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"
