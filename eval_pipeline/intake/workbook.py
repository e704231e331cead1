"""Reads the first sheet of an Excel workbook as text, row by row, as a CSV of it would be read.

Separate because openpyxl, 0.3 s to import, is needed by nobody else.
"""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from xml.etree.ElementTree import ParseError

from eval_pipeline.intake.binary import HEAD_BYTES, looks_like
from eval_pipeline.intake.csv_records import checked_names
from eval_pipeline.intake.purpose import Purpose

MOST_UNPACKED_BYTES = 268_435_456
_SUFFIX = ".xlsx"
BROKEN = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    ParseError,
    OSError,
)
"""What openpyxl raises for files that are no workbooks, or no whole ones."""


def is_workbook(path: Path, *, name: str) -> bool:
    """Tell a workbook by its first bytes, and by its name where these say no more than that it is a ZIP archive."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return head.startswith(b"PK") and (name.lower().endswith(_SUFFIX) or "Excel" in str(looks_like(head)))


def sheet_rows(path: Path, purpose: Purpose) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows below the header with their numbers, each cell under the name of its column.

    Raises:
        UsageError: as ``purpose`` refuses files, for one that cannot be read or lacks columns.
    """
    check_size(path, purpose)
    rows = _rows(path, purpose)
    _, header = next(rows, (0, []))
    names = checked_names(header, purpose)
    for number, cells in rows:
        if any(cells):
            yield number, dict(zip(names, [*cells, *[""] * len(names)], strict=False))


def _rows(path: Path, purpose: Purpose) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # noqa: PLC0415 - see above

    try:
        with path.open("rb") as file:  # of a path it asks for the suffix
            book = load_workbook(file, read_only=True, data_only=True)
            for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
                yield number, [_text(cell) for cell in cells]
    except BROKEN as error:
        raise purpose.refuse(
            f"it cannot be read as an Excel workbook ({error})", hint="save it again as .xlsx, or as CSV UTF-8"
        ) from error


def check_size(path: Path, purpose: Purpose) -> None:
    """Refuse an archive that unpacks to more than a table of verdicts can be."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise purpose.refuse(f"it is no whole workbook ({error})", hint="save it again as .xlsx") from error
    if unpacked > MOST_UNPACKED_BYTES:
        raise purpose.refuse(
            f"it unpacks to {unpacked:,} bytes; at most {MOST_UNPACKED_BYTES:,} are read", hint="save it as CSV UTF-8"
        )


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
