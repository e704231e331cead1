"""What people rate in a spreadsheet: a row for every session, axis and person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.feedback_words import checked_comment, checked_reviewer
from eval_pipeline.core.names import shown
from eval_pipeline.intake.csv_records import CsvRecords, row_problem
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.intake.table_file import TableFile
from eval_pipeline.intake.workbook import sheet_rows
from eval_pipeline.reporting.csv_safety import undefused

INVALID: Final = "invalid_rating_file"
RATINGS: Final = Purpose(noun="file of ratings", required=("session_id", "axis", "level"), code=INVALID)
CLEAR: Final = "clear"
"""Takes back what the person said."""
SHEET: Final = pa.schema(
    [
        pa.field("session_id", pa.string()),
        pa.field("axis", pa.string()),
        pa.field("level", pa.float64()),
        pa.field("rater", pa.string()),
        pa.field("comment", pa.string()),
        pa.field("time", pa.string()),
        pa.field("session_changed", pa.bool_()),  # since it was rated: such a rating is kept, and not counted
        pa.field("entries", pa.int64()),  # what the person said of it in all, this included
    ]
)
_READ: Final = ("session_id", "axis", "level", "rater", "comment", "time")


@dataclass(frozen=True, slots=True)
class RatingRow:
    """A row of the file, cell by cell; a column that is not there is an empty cell."""

    line: int
    cells: Mapping[str, str]

    @property
    def session_id(self) -> str:
        """Return which session is meant."""
        return undefused(self.cells["session_id"].strip())

    @property
    def axis(self) -> str:
        """Return what is rated."""
        return self.cells["axis"].strip()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was filled in."""
        return not self.cells["level"].strip()

    def level(self, *, lowest: float, highest: float) -> float | None:
        """Return the level; None takes back what was said."""
        cell = self.cells["level"].strip()
        if cell.casefold() == CLEAR:
            return None
        try:
            level = float(cell)
        except ValueError:
            level = lowest - 1
        if not lowest <= level <= highest:
            raise _invalid(f"level is {shown(cell)}", hint=f"write a number from {lowest:g} to {highest:g}, or {CLEAR}")
        return level

    def rater(self) -> str | None:
        """Return who says it; None when the cell is empty."""
        cell = self.cells["rater"].strip()
        return checked_reviewer(undefused(cell)) if cell else None

    def comment(self) -> str | None:
        """Return what is said beside the level."""
        return checked_comment(undefused(self.cells["comment"]))

    def rated_at(self, *, now: datetime) -> datetime | None:
        """Return when it was said; None when the cell is empty."""
        cell = self.cells["time"].strip()
        if not cell:
            return None
        try:
            moment = datetime.fromisoformat(cell)
        except ValueError:
            raise _invalid(f"time is {shown(cell)}", hint="write it as 2026-05-21T12:30:00+05:30") from None
        if moment.tzinfo is None:
            raise _invalid(f"time {shown(cell)} has no time zone", hint="add Z for UTC, or an offset such as +05:30")
        if moment > now:
            raise _invalid(f"time {shown(cell)} is still to come", hint="write when it was said, or leave it empty")
        return moment


def table_rows(table: TableFile) -> Iterator[RatingRow | SkippedRow]:
    """Read the rows of a CSV, or what is wrong with them."""
    if table.delimiter is None:
        raise RATINGS.refuse("it holds JSON Lines", hint="give a CSV, as ratings export writes it, or a workbook")
    with table.lines() as lines:
        records = CsvRecords(lines, delimiter=table.delimiter, purpose=RATINGS)
        names = records.take_header()
        places: dict[str, int] = {name: names.index(name) for name in _READ if name in names}
        for line, cells in records:
            if isinstance(cells, SkippedRow):
                yield cells
            elif not any(map(str.strip, cells)):
                continue  # spreadsheets leave empty rows behind
            elif problem := row_problem(cells, width=len(names), has_nul=table.form.has_nul):
                yield SkippedRow(line, problem)
            else:
                found = {name: cells[place] for name, place in places.items()}
                yield RatingRow(line, {**dict.fromkeys(_READ, ""), **found})


def workbook_rows(path: Path) -> Iterator[RatingRow]:
    """Read the rows of an Excel workbook."""
    for number, cells in sheet_rows(path, RATINGS):
        if any(map(str.strip, cells.values())):
            yield RatingRow(number, {name: cells.get(name, "") for name in _READ})


def _invalid(problem: str, *, hint: str) -> UsageError:
    return UsageError(problem, code=INVALID, hint=hint)
