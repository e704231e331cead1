"""Reads one sheet of an Excel workbook as the rows of a table: the sheet that is meant, and each cell as it is shown.

What a sheet shows and what its file holds differ: 001 may be the number 1, a date is a count of days, a formula may
have no value, a merged cell stands in one of its places. Where a cell cannot be read as shown, the error names it.

Separate because openpyxl, 0.3 s to import, is needed by nobody else.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.names import shown
from eval_pipeline.intake.csv_records import checked_names, clean_name, missing_columns
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.intake.table_file import TableFormat
from eval_pipeline.intake.workbook import BROKEN, check_size

if TYPE_CHECKING:
    import zipfile

HEADER_WITHIN: Final = 20
"""Rows in which the names of the columns are looked for: people put titles above them."""
_ROWS_AT_ONCE: Final = 256
_SHOWN_CELLS: Final = 5
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]+[0-9]+(?::[A-Z]+[0-9]+)?)"')
_SCANNED_BYTES: Final = 1 << 20
_OVERLAP_BYTES: Final = 256
_ZEROS: Final = re.compile(r"0+")
_DECIMALS: Final = re.compile(r"0\.(0+)")
_PERCENT: Final = re.compile(r"0(?:\.(0+))?%")
_HOLDS_TIME: Final = re.compile(r"[hs]", re.IGNORECASE)
_SPOKEN_FORMAT: Final = re.compile(r'\[[^\]]*\]|"[^"]*"|\\.')
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DIGITS: Final = ".15g"
"""As many as a spreadsheet keeps of a number."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Cells that are one: places of rows and columns, the first is 1."""

    address: str
    first_column: int
    first_row: int
    last_column: int
    last_row: int


class _Cells:
    """Cells that something is said of: how many, and the first of them."""

    def __init__(self) -> None:
        self._count = 0
        self._first: dict[str, None] = {}

    def add(self, address: str) -> None:
        self._count += 1
        if len(self._first) < _SHOWN_CELLS:
            self._first[address] = None

    def told(self, words: str) -> list[str]:
        more = f" and {self._count - len(self._first):,} more" if self._count > len(self._first) else ""
        return [f"{words}: {', '.join(self._first)}{more}"] if self._count else []


@dataclass(frozen=True, slots=True)
class _Notes:
    """What was read otherwise than a person might expect, in one pass over the rows."""

    dates: _Cells = field(default_factory=_Cells)
    outside: _Cells = field(default_factory=_Cells)

    def told(self) -> Iterator[str]:
        yield from self.dates.told("dates are read as YYYY-MM-DD")
        yield from self.outside.told("text outside of the columns that the header names is left out")


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A sheet whose header was understood."""

    path: Path
    sheet: str
    header_row: int
    names: tuple[str, ...]
    merged: tuple[Merged, ...]
    has_formulas: bool
    purpose: Purpose
    said: tuple[str, ...]
    shareable: frozenset[str] = frozenset()
    """Columns whose merged cells say the same of every row that they span."""
    _notes: _Notes = field(default_factory=_Notes)

    format = TableFormat.XLSX
    delimiter = None
    encoding = "xlsx"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was chosen, and what was read otherwise than it looks; complete when all rows were read."""
        return (*self.said, *self._notes.told())

    def records(self) -> Iterator[tuple[int, list[str] | SkippedRow]]:
        """Yield every row below the header that is not empty, with its number; or why it cannot be read."""
        filled = self._filled()
        carried: dict[Merged, str] = {}
        for number, cells in self._rows():
            if number <= self.header_row:
                continue
            texts = cells if isinstance(cells, SkippedRow) else self._with_merged(number, cells, filled, carried)
            if isinstance(texts, SkippedRow) or any(text.strip() for text in texts):
                yield number, texts

    def _filled(self) -> Mapping[int, list[Merged]]:
        """Return the merged cells by column; raises where they take a row's own text from it."""
        by_column: dict[int, list[Merged]] = {}
        for one in self.merged:
            if one.last_row < self.header_row or one.first_column > len(self.names):
                continue
            name = self.names[one.first_column - 1]
            wide = one.first_column != one.last_column
            if wide or one.first_row <= self.header_row or name not in self.shareable:
                raise self.purpose.refuse(
                    f"the cells {one.address} of sheet {shown(self.sheet)} are merged",
                    hint="unmerge them, so that every row has its own question and answer in its own cells",
                )
            by_column.setdefault(one.first_column, []).append(one)
        return by_column

    @staticmethod
    def _with_merged(
        number: int, cells: list[str], filled: Mapping[int, list[Merged]], carried: dict[Merged, str]
    ) -> list[str]:
        """Write a merged cell's text into every row that it spans, unless nothing else is in the row."""
        if not filled or not any(text.strip() for text in cells):
            return cells
        made = list(cells)
        for column, merged in filled.items():
            for one in merged:
                if number == one.first_row:
                    carried[one] = cells[column - 1]
                elif one.first_row < number <= one.last_row:
                    made[column - 1] = carried.get(one, "")
        return made

    def _rows(self) -> Iterator[tuple[int, list[str] | SkippedRow]]:
        with _reading(self.path, self.purpose) as book:
            rows = _cells_of(book[self.sheet])
            if not self.has_formulas:
                yield from ((number, self._texts(cells, ())) for number, cells in enumerate(rows, start=1))
                return
            with _reading(self.path, self.purpose, values=False) as formulas:
                both = zip_longest(rows, _cells_of(formulas[self.sheet]), fillvalue=())
                for number, (cells, written) in enumerate(both, start=1):
                    yield number, self._texts(cells, written)

    def _texts(self, cells: Sequence[Any], written: Sequence[Any]) -> list[str] | SkippedRow:
        """Return the texts of a row in the columns that have names."""
        width = len(self.names)
        texts = [""] * width
        for place, cell in enumerate(cells):
            formula = written[place] if place < len(written) else None
            if cell.value is None:
                if place < width and formula is not None and formula.data_type == "f" and cell.data_type != "str":
                    return SkippedRow(formula.row, _without_value(formula))
                continue
            if place >= width:
                self._notes.outside.add(cell.coordinate)
                continue
            if isinstance(cell.value, date | datetime):
                self._notes.dates.add(cell.coordinate)
            texts[place] = cell_text(cell.value, number_format=cell.number_format)
        return texts


def open_sheet(path: Path, purpose: Purpose, *, sheet: str | None = None) -> SheetFile:
    """Find the sheet that is meant and the row that names its columns; else an error as ``purpose`` refuses files.

    Args:
        path: the workbook.
        purpose: what it is for.
        sheet: the name that a person gave; None: the only visible one that has the columns.
    """
    check_size(path, purpose)
    with _reading(path, purpose) as book:
        sheets = {one.title: one for one in book.worksheets}
        chosen = _named(sheet, sheets, purpose) if sheet is not None else _only_fitting(sheets, purpose)
        header_row, cells = _header(_first_rows(sheets[chosen]), purpose)
        names = tuple(checked_names(_trimmed(cells), purpose))
        merged, has_formulas = _scan(book, sheets[chosen])
    visible = [name for name, one in sheets.items() if one.sheet_state == "visible"]
    said = [f"the sheet {shown(chosen)} is read, of {len(sheets):,}"] if len(sheets) > 1 else []
    if sheet is None and len(visible) != len(sheets):
        hidden = [name for name in sheets if name not in visible]
        said.append(f"hidden sheets are not read: {', '.join(map(shown, hidden))}")
    if header_row > 1:
        said.append(f"the columns are named in row {header_row}; what stands above is not read")
    return SheetFile(
        path=path,
        sheet=chosen,
        header_row=header_row,
        names=names,
        merged=tuple(merged),
        has_formulas=has_formulas,
        purpose=purpose,
        said=tuple(said),
    )


def _named(wanted: str, sheets: Mapping[str, Any], purpose: Purpose) -> str:
    found = [name for name in sheets if name == wanted] or [
        name for name in sheets if name.strip().casefold() == wanted.strip().casefold()
    ]
    if found:
        return found[0]
    raise purpose.refuse(
        f"it has no sheet {shown(wanted)}; its sheets are {_sheets(sheets)}", hint="name one of them as it is written"
    )


def _only_fitting(sheets: Mapping[str, Any], purpose: Purpose) -> str:
    """Return the only visible sheet that has the columns."""
    fitting = [name for name, one in sheets.items() if _fits(_first_rows(one), purpose)]
    seen = [name for name in fitting if sheets[name].sheet_state == "visible"]
    if len(seen) == 1:
        return seen[0]
    if seen:
        raise purpose.refuse(
            f"{len(seen):,} of its sheets have {purpose.columns}: {', '.join(map(shown, seen))}",
            hint=f"name the one that is meant: {purpose.sheet_option} NAME; or leave it alone in the file",
        )
    if fitting:
        raise purpose.refuse(
            f"only its hidden sheets have {purpose.columns}: {', '.join(map(shown, fitting))}",
            hint=f"unhide the sheet, or name it: {purpose.sheet_option} NAME",
        )
    if len(sheets) == 1:
        return next(iter(sheets))  # whose header is then refused in words that name its columns
    raise purpose.refuse(
        f"none of its sheets has {purpose.columns}; its sheets are {_sheets(sheets) or 'none'}",
        hint="one row of the sheet must name the columns",
    )


def _sheets(sheets: Mapping[str, Any]) -> str:
    return ", ".join(
        shown(name) + ("" if one.sheet_state == "visible" else " (hidden)") for name, one in sheets.items()
    )


def _fits(rows: Iterable[Sequence[str]], purpose: Purpose) -> bool:
    return any(not missing_columns(list(map(clean_name, cells)), purpose) for cells in rows)


def _first_rows(sheet: Any) -> list[list[str]]:  # noqa: ANN401 - openpyxl ships no types
    return [
        ["" if cell.value is None else cell_text(cell.value, number_format=cell.number_format) for cell in cells]
        for cells in islice(_cells_of(sheet), HEADER_WITHIN)
    ]


def _header(rows: Sequence[list[str]], purpose: Purpose) -> tuple[int, list[str]]:
    """Return the first row that names the required columns, else the first that holds anything, to be refused."""
    numbered = [(number, cells) for number, cells in enumerate(rows, start=1) if any(cell.strip() for cell in cells)]
    fitting = (found for found in numbered if _fits([found[1]], purpose))
    return next(fitting, next(iter(numbered), (1, [])))


def _trimmed(cells: list[str]) -> list[str]:
    """Drop the nameless columns behind the last that has a name."""
    last = max((place for place, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return cells[:last]


@contextmanager
def _reading(path: Path, purpose: Purpose, *, values: bool = True) -> Iterator[Any]:
    """Open a workbook to be read in one pass; whatever breaks while it is read is the file's fault."""
    from openpyxl import load_workbook  # noqa: PLC0415 - see above

    try:
        with path.open("rb") as file:  # of a path it asks for the suffix
            with _quiet():
                book = load_workbook(file, read_only=True, data_only=values)
            yield book
    except BROKEN as error:
        raise purpose.refuse(
            f"it cannot be read as an Excel workbook ({error})", hint="save it again as .xlsx, or as CSV UTF-8"
        ) from error


def _cells_of(sheet: Any) -> Iterator[Sequence[Any]]:  # noqa: ANN401 - as above
    """Yield the cells of every row; the size that a sheet's file claims is not trusted, some programs write A1."""
    sheet.reset_dimensions()
    rows = sheet.iter_rows()
    while True:
        with _quiet():
            some = list(islice(rows, _ROWS_AT_ONCE))
        if not some:
            return
        yield from some


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence openpyxl, which warns of what it would not write back: here nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _scan(book: Any, sheet: Any) -> tuple[list[Merged], bool]:  # noqa: ANN401 - as above
    """Find merged cells and formulas in a sheet's own text: a reader of one pass learns of the first too late."""
    from openpyxl.utils.cell import range_boundaries  # noqa: PLC0415 - see above

    found: dict[str, None] = {}
    has_formulas = False
    archive: zipfile.ZipFile = book._archive  # noqa: SLF001 - there is no other way to the text of a sheet
    with archive.open(sheet._worksheet_path) as source:  # noqa: SLF001 - the same
        rest = b""
        while chunk := source.read(_SCANNED_BYTES):
            text = rest + chunk
            has_formulas = has_formulas or _FORMULA.search(text) is not None
            found |= dict.fromkeys(match[1].decode() for match in _MERGED.finditer(text))
            rest = text[-_OVERLAP_BYTES:]
    return [Merged(address, *range_boundaries(address)) for address in found], has_formulas


def cell_text(value: object, *, number_format: str | None) -> str:
    """Return what a cell shows.

    >>> cell_text(1, number_format="000"), cell_text(0.18, number_format="0%"), cell_text(0.1 + 0.2, number_format=None)
    ('001', '18%', '0.3')
    """
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), value) if "_x" in value else value
        case int() | float():
            return _number_text(value, number_format or "General")
        case datetime():
            return _moment_text(value, number_format or "")
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _moment_text(value: datetime, number_format: str) -> str:
    spoken = _SPOKEN_FORMAT.sub("", number_format)
    whole_day = value.time() == time() and not _HOLDS_TIME.search(spoken)
    return value.date().isoformat() if whole_day else value.isoformat(sep=" ")


def _number_text(value: float, number_format: str) -> str:
    """Write a number with the zeros and the percent sign that its format shows, and never with fewer digits."""
    plain = _plain(value)
    percent = _PERCENT.fullmatch(number_format)
    if percent:
        return _padded(_plain(value * 100), len(percent[1] or "")) + "%"
    if value == int(value) and _ZEROS.fullmatch(number_format):
        return f"{int(value):0{len(number_format)}d}"
    decimals = _DECIMALS.fullmatch(number_format)
    return _padded(plain, len(decimals[1])) if decimals else plain


def _plain(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    written = format(Decimal(format(value, _DIGITS)), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _padded(number: str, decimals: int) -> str:
    """Add the zeros behind the point that a format shows."""
    if decimals == 0:
        return number
    whole, _, rest = number.partition(".")
    return f"{whole}.{rest.ljust(decimals, '0')}"


def _without_value(cell: Any) -> str:  # noqa: ANN401 - openpyxl ships no types
    text = cell.value if isinstance(cell.value, str) else getattr(cell.value, "text", "")
    return (
        f"cell {cell.coordinate} holds a formula without its value ({shown(str(text)[:60])}): open the workbook in a "
        "spreadsheet program and save it"
    )
