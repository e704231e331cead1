"""CSV as records with line numbers: strict about quotes, exact about lines, streaming.

Python's reader takes an unclosed quote for a cell that goes on to the end of the file. Here a broken quote that cannot
reach beyond its own line costs that row; any other refuses the file, because every row after it would be a guess.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.names import shown
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.intake.quotes import Quotes

MAX_CELL_CHARACTERS = 4_194_304
DELIMITERS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_NAMES_DELIMITER = re.compile(r'\ufeff?"?sep=(?P<delimiter>[^\w\s"\']|\t)"?\s*', re.IGNORECASE)
_SHOWN_COLUMNS = 20
_SNIFFED_CHARACTERS = 65_536  # below the default limit of a cell, beyond which the reader raises


class CsvRecords:
    """The records of a CSV file with the lines on which they begin; blank lines are no records."""

    def __init__(self, lines: Iterable[str], *, delimiter: str, purpose: Purpose) -> None:
        csv.field_size_limit(MAX_CELL_CHARACTERS)  # belongs to the process; the default is 131,072
        self._purpose = purpose
        self._line = ""
        self._begins_record = True
        self._quotes = Quotes(delimiter)
        self._reader = csv.reader(self._watched(lines), delimiter=delimiter, strict=True)

    def _watched(self, lines: Iterable[str]) -> Iterator[str]:
        """Pass lines on, each with the quotes that its writer meant; remember the one that is read."""
        for line, following in _with_next(lines):
            self._line = self._quotes.mended(line, following, begins_record=self._begins_record)
            self._begins_record = False
            yield self._line

    def __iter__(self) -> Iterator[tuple[int, list[str] | SkippedRow]]:
        while True:
            first_line = self._reader.line_num + 1
            self._begins_record = True
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
            self._refuse_quote(first_line, noticed=None if at_end else self._reader.line_num)
        if problem.startswith("field larger"):
            return SkippedRow(first_line, f"a cell has more than {MAX_CELL_CHARACTERS:,} characters")
        return SkippedRow(first_line, "broken quotes: text follows a closing quote")

    def _refuse_quote(self, first_line: int, *, noticed: int | None) -> NoReturn:
        where = "at the end of the file" if noticed is None else f"on line {noticed:,}"
        raise self._purpose.refuse(
            f"the row that begins on line {first_line:,} opens a quote and does not close it (noticed {where})",
            hint=f'look at line {first_line:,}: close the quote, and write a quote inside of quotes as ""',
        )

    def take_header(self) -> list[str]:
        """Read the first record as names of columns."""
        records = iter(self)
        line, cells = next(records, (0, []))
        if not isinstance(cells, SkippedRow) and names_delimiter("".join(cells)):
            line, cells = next(records, (0, []))
        if isinstance(cells, SkippedRow):
            raise self._purpose.refuse(
                f"its header on line {line:,} cannot be read ({cells.reason})", hint=_names_wanted(self._purpose)
            )
        names = checked_names(cells, self._purpose)
        self._quotes.width = len(names)
        return names


def checked_names(cells: list[str], purpose: Purpose) -> list[str]:
    """Return the names of columns that the cells of a header give; the required ones must be there, each once."""
    if not cells:
        raise no_text(purpose)
    names = [clean_name(name) or f"column_{number}" for number, name in enumerate(cells, start=1)]
    _check_names(names, purpose)
    return names


def no_text(purpose: Purpose) -> Exception:
    """Build the error of a file that holds blank lines alone."""
    return purpose.refuse("it holds no text", hint=f"give a CSV or JSON Lines file with {purpose.columns}")


def sniff_delimiter(line: str, purpose: Purpose, *, named: str | None = None) -> str:
    """Choose the delimiter with which a header line names the required columns, else the one that makes most columns.

    Args:
        line: the header.
        purpose: what the file is for.
        named: the one that a line before it names.
    """
    columns = {delimiter: _split(line, delimiter) for delimiter in dict.fromkeys([named or ",", *DELIMITERS])}
    fitting = (delimiter for delimiter, names in columns.items() if not missing_columns(names, purpose))
    return next(fitting, max(columns, key=lambda delimiter: len(columns[delimiter])))


def _split(line: str, delimiter: str) -> list[str]:
    return [clean_name(name) for name in next(csv.reader([line[:_SNIFFED_CHARACTERS]], delimiter=delimiter), [])]


def delimiter_named(line: str) -> str | None:
    """Return the delimiter that a line for Excel names, as in ``sep=;``; None for every other line."""
    named = _NAMES_DELIMITER.fullmatch(line.strip("\r\n"))
    return named["delimiter"] if named else None


def names_delimiter(text: str) -> bool:
    """Tell whether the cells of a line, joined, are one that is for Excel alone; its delimiter may be gone."""
    return clean_name(text).strip('"').startswith("sep=") and len(clean_name(text)) <= len('"sep=;"')


def _with_next(lines: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Give every line with the one that follows it."""
    rest = iter(lines)
    current = next(rest, None)
    while current is not None:
        following = next(rest, None)
        yield current, following
        current = following


def clean_name(name: str) -> str:
    """Return the name of a column as it is compared: without outer spaces and byte order mark, in lower case."""
    return name.strip().strip("\ufeff").strip().lower()


def missing_columns(names: list[str], purpose: Purpose) -> list[str]:
    """Return the required columns that a header does not name."""
    meant = {*names, *(wanted for alias, wanted in purpose.aliases if alias in names)}
    return [name for name in purpose.required if name not in meant]


def _names_wanted(purpose: Purpose) -> str:
    return f"the first line must name the columns, among them {purpose.columns}"


def _check_names(names: list[str], purpose: Purpose) -> None:
    missing = missing_columns(names, purpose)
    if missing:
        found = ", ".join(shown(name) for name in names[:_SHOWN_COLUMNS])
        more = f" and {len(names) - _SHOWN_COLUMNS:,} more" if len(names) > _SHOWN_COLUMNS else ""
        raise purpose.refuse(
            f"it has no column {' and no column '.join(map(repr, missing))}; its columns are {found}{more}",
            hint=_names_wanted(purpose),
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise purpose.refuse(
            f"it has several columns {', '.join(shown(name) for name in twice[:_SHOWN_COLUMNS])}",
            hint="give every column its own name; upper and lower case and outer spaces do not count",
        )
    if any("\0" in name for name in names):
        raise purpose.refuse("its header holds a NUL character", hint="save it as CSV UTF-8 and add it again")


def row_problem(cells: list[str], *, width: int, has_nul: bool) -> str | None:
    """Say why a row cannot be read by its header, or None when it can."""
    if has_nul and any("\0" in cell for cell in cells):
        return "it holds a NUL character"
    if len(cells) == width:
        return None
    return f"{'1 cell' if len(cells) == 1 else f'{len(cells):,} cells'} where the header has {width:,}"
