"""Counts a golden file's rows as they pass by: usable, skipped with reasons, asked twice, without golden answer.

A million questions are compared by 8 bytes each; the texts themselves are gone by then.
"""

from array import array
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from eval_pipeline.core.counting import counted
from eval_pipeline.core.damaged_text import DamagedRows
from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.text_eval.golden.row import GOLDEN, Entry, GoldenRow, question_id

MAX_SKIPPED_KEPT = 100
_SHOWN_REASONS = 5
_SHOWN_QUESTIONS = 10
_SHOWN_LINES = 5


class Tally:
    """What is known of the rows so far."""

    def __init__(self) -> None:
        self.skipped_count = 0
        self.skipped: list[SkippedRow] = []
        """The first of them."""
        self._damaged = DamagedRows(noun="rows")
        self._digests = array("q")
        self._lines = array("q")
        self._ids = array("q")
        self._is_named = array("b")
        self.without_golden_count = 0
        self.without_golden_lines: list[int] = []
        """The first of them."""
        self.recorded_count = 0

    @property
    def rows(self) -> int:
        """Usable rows."""
        return len(self._lines)

    def usable(self, entries: Iterable[Entry]) -> Iterable[GoldenRow]:
        """Pass the usable rows on and count everything."""
        for entry in entries:
            if isinstance(entry, GoldenRow):
                self._see(entry)
                yield entry
            else:
                self._skip(entry)

    def _see(self, row: GoldenRow) -> None:
        asked = row.question.strip()
        self._digests.append(hash((asked, row.turns)) if row.turns else hash(asked))
        self._lines.append(row.line)
        self._ids.append(hash(question_id(row, number=self.rows).strip()))
        self._is_named.append(row.id is not None)
        self._damaged.see(f"line {row.line:,}", row.question, *row.golden_answers)
        self.recorded_count += row.recorded is not None
        if not row.answer:
            self.without_golden_count += 1
            if len(self.without_golden_lines) < _SHOWN_LINES:
                self.without_golden_lines.append(row.line)

    @property
    def names_rows(self) -> bool:
        """Whether the file has ids."""
        return any(self._is_named)

    def check_ids(self) -> None:
        """Refuse a file whose ids are not unique: nobody could tell which row a result belongs to."""
        if not self.names_rows:
            return
        count, groups = _equal_groups(np.array(self._ids), first=_SHOWN_QUESTIONS)
        if count:
            lines = np.array(self._lines)
            places = "; ".join(_lines_text(lines[group]) for group in groups)
            raise GOLDEN.refuse(
                f"{'one id stands' if count == 1 else f'{count:,} ids stand'} on several lines: {places}",
                hint="give every row an id of its own; a column that means something else needs another name than 'id'",
            )

    def _skip(self, row: SkippedRow) -> None:
        self.skipped_count += 1
        if len(self.skipped) < MAX_SKIPPED_KEPT:
            self.skipped.append(row)

    def warnings(self) -> tuple[str, ...]:
        """Say which rows are damaged, asked twice, without id or golden answer; the first of them with their lines."""
        return (*self._damaged.warnings(), *self._repeated(), *self._unnamed(), *self._without_golden())

    def _unnamed(self) -> tuple[str, ...]:
        unnamed = [line for line, named in zip(self._lines, self._is_named, strict=True) if not named]
        if not unnamed or not self.names_rows:
            return ()
        rows = counted(len(unnamed), "row", verb=("has", "have"))
        return (f"{rows} no id and get their number: {_lines_text(np.array(unnamed))}",)

    def _without_golden(self) -> tuple[str, ...]:
        if not self.without_golden_count:
            return ()
        rows = counted(self.without_golden_count, "row", verb=("has", "have"))
        where = "line" if self.without_golden_count == 1 else "lines"
        lines = ", ".join(f"{line:,}" for line in self.without_golden_lines)
        more = ", …" if self.without_golden_count > len(self.without_golden_lines) else ""
        return (f"{rows} no golden answer ({where} {lines}{more}): scorers that compare with one cannot score them",)

    def check_damage(self) -> None:
        """Refuse a file most of whose rows are damaged."""
        most = self._damaged.most()
        if most is not None:
            problem, remedy = most
            raise GOLDEN.refuse(problem, hint=remedy)

    def _repeated(self) -> tuple[str, ...]:
        count, groups = _equal_groups(np.array(self._digests), first=_SHOWN_QUESTIONS)
        if not count:
            return ()
        lines = np.array(self._lines)
        places = "; ".join(_lines_text(lines[group]) for group in groups)
        more = "; …" if count > len(groups) else ""
        subject = "1 question occurs" if count == 1 else f"{count:,} questions occur"
        return (f"{subject} more than once: {places}{more}",)


def _equal_groups(digests: npt.NDArray[np.int64], *, first: int) -> tuple[int, list[npt.NDArray[np.intp]]]:
    """Count the values that occur more than once; return the positions of the first of them, in order."""
    order = np.argsort(digests, kind="stable")
    repeated = np.diff(digests[order]) == 0
    edges = np.flatnonzero(np.diff(repeated, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    earliest = np.argsort(order[starts])[:first]
    return len(starts), [order[starts[group] : ends[group] + 1] for group in earliest]


def _lines_text(lines: npt.NDArray[np.int64]) -> str:
    numbers = [f"{line:,}" for line in lines[:_SHOWN_LINES]]
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    if len(lines) > _SHOWN_LINES:
        return f"lines {', '.join(numbers)} and {len(lines) - _SHOWN_LINES:,} more"
    return f"lines {', '.join(numbers[:-1])} and {numbers[-1]}"


def no_valid_row(tally: Tally) -> UsageError:
    """Explain a file without a single usable row by the first rows that were skipped."""
    if not tally.skipped_count:
        return GOLDEN.refuse("it has a header and no rows", hint="add at least one row below the header")
    reasons = "; ".join(f"line {row.line:,}: {row.reason}" for row in tally.skipped[:_SHOWN_REASONS])
    more = "; …" if tally.skipped_count > _SHOWN_REASONS else ""
    return GOLDEN.refuse(
        f"none of its {counted(tally.skipped_count, 'row')} is usable ({reasons}{more})",
        hint="every row needs a question, and as many cells as the header",
    )
