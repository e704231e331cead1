"""Reads golden rows from CSV."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.intake.csv_records import CsvRecords, row_problem
from eval_pipeline.text_eval.golden.row import GOLDEN, Entry, GoldenRow, text_problem

_NAMED = frozenset({*GOLDEN.required, "category"})


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a row keeps what."""

    width: int
    question: int
    answer: int
    category: int | None
    others: tuple[tuple[str, int], ...]


def read_columns(names: Sequence[str]) -> Columns:
    """Find the golden columns among those that the header names."""
    return Columns(
        width=len(names),
        question=names.index("question"),
        answer=names.index("answer"),
        category=names.index("category") if "category" in names else None,
        others=tuple((name, place) for place, name in enumerate(names) if name not in _NAMED),
    )


def csv_entries(lines: Iterable[str], *, delimiter: str, has_nul: bool) -> Iterator[Entry]:
    """Yield every row after the header, usable or skipped, in the order of the file."""
    records = CsvRecords(lines, delimiter=delimiter, purpose=GOLDEN)
    columns = read_columns(records.take_header())
    for line, cells in records:
        yield cells if isinstance(cells, SkippedRow) else _entry(line, cells, columns, has_nul=has_nul)


def _entry(line: int, cells: list[str], columns: Columns, *, has_nul: bool) -> Entry:
    problem = row_problem(cells, width=columns.width, has_nul=has_nul)
    if problem is not None:
        return SkippedRow(line, problem)
    question, answer = cells[columns.question], cells[columns.answer]
    problem = text_problem(question, answer)
    if problem is not None:
        return SkippedRow(line, problem)
    category = None if columns.category is None else cells[columns.category].strip() or None
    return GoldenRow(line, question, answer, category, {name: cells[place] for name, place in columns.others})
