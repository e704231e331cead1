"""Writes rows as an Excel workbook in which text stays text: ids keep their zeros, and nothing is ever a formula.

Separate because openpyxl, 0.3 s to import, is needed by nobody else.
"""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from eval_pipeline.core.documents import Row
from eval_pipeline.core.errors import UsageError

MOST_ROWS = 1_048_575
"""Of a sheet, below its header."""
LONGEST_CELL = 32_767
_CUT = "…"
_TEXT = "@"
"""The number format of cells that are text, also when they are typed into."""


def write_workbook(rows: Iterable[Row], schema: pa.Schema, *, path: Path) -> int:
    """Write all rows below a header that stays in sight; return how many there were."""
    from openpyxl import Workbook  # noqa: PLC0415 - see above
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.freeze_panes = "A2"

    def text_cell(text: str) -> Any:  # noqa: ANN401 - openpyxl ships no types
        cell = WriteOnlyCell(sheet, value="")
        cell.value = _fitting(ILLEGAL_CHARACTERS_RE.sub(" ", text))
        cell.data_type = "s"  # never a formula, whatever it begins with
        cell.number_format = _TEXT
        return cell

    def cell_of(value: object) -> Any:  # noqa: ANN401 - as above
        return text_cell(value) if isinstance(value, str) else _number(value)

    count = 0
    try:
        sheet.append([text_cell(name) for name in schema.names])
        for row in rows:
            _check_rows(count)
            sheet.append([cell_of(row[name]) for name in schema.names])
            count += 1
    except BaseException:
        sheet.close()  # ends its writer, which would complain when it is collected
        raise
    book.save(path)
    return count


def _number(value: object) -> object:
    """Return what a cell holds besides text; a number with more digits than a spreadsheet keeps is text already."""
    return float(value) if isinstance(value, Decimal) else value


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(_CUT)] + _CUT


def _check_rows(count: int) -> None:
    if count == MOST_ROWS:
        raise UsageError(
            f"a sheet of a workbook takes {MOST_ROWS:,} rows",
            code="export_too_large",
            hint="export as .csv or .parquet",
        )
