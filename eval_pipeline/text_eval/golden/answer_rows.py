"""Rows of a file of recorded answers: which question each belongs to, what was answered, and what stands beside it."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.passages import Passage
from eval_pipeline.intake.csv_records import CsvRecords, row_problem
from eval_pipeline.intake.json_lines import jsonl_rows
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.intake.sheet import SheetFile, open_sheet
from eval_pipeline.intake.table_file import TableFile, open_table
from eval_pipeline.intake.workbook import is_workbook
from eval_pipeline.text_eval.golden.cells import count_in, id_of, passages_in, text_of
from eval_pipeline.text_eval.golden.recorded import MODEL_ANSWER, RecordedAnswer, recorded_answer
from eval_pipeline.text_eval.golden.row import QUESTION, QUESTION_ALIASES
from eval_pipeline.text_eval.golden.row_problem import RowProblem

ANSWER_NAMES: Final = (MODEL_ANSWER, "answer", "output", "response", "prediction", "completion")
"""What an answer may be called, the first that is there; the others stand for something else then."""
ID_NAMES: Final = ("id", "question_id")
QUESTION_NAMES: Final = (QUESTION, *QUESTION_ALIASES)
CONTEXT_NAMES: Final = ("contexts", "passages")
MOST_REPEATS: Final = 1_000
ANSWERS: Final = Purpose(
    noun="file of recorded answers",
    required=(MODEL_ANSWER,),
    aliases=tuple((name, MODEL_ANSWER) for name in ANSWER_NAMES[1:]),
    code="invalid_answers",
    sheet_option="--answers-sheet",
)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One row of such a file."""

    line: int
    id: str | None
    question: str | None
    repeat: int
    recorded: RecordedAnswer | None
    """None where the cell is blank."""
    contexts: tuple[Passage, ...] | None


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file of recorded answers that was found to be a table."""

    table: TableFile | SheetFile

    def entries(self) -> Iterator[AnswerRow | SkippedRow]:
        """Read the file from its beginning: rows, and those that cannot be read, in order."""
        table = self.table
        if isinstance(table, SheetFile):
            yield from _tabular(table.records(), table.names, has_nul=False)
            return
        with table.lines() as lines:
            if table.delimiter is None:
                yield from jsonl_rows(lines, answer_entry)
                return
            records = CsvRecords(lines, delimiter=table.delimiter, purpose=ANSWERS)
            names = records.take_header()
            yield from _tabular(records, names, has_nul=table.form.has_nul)


def read_answers(path: Path, *, name: str, sheet: str | None = None) -> AnswerFile:
    """Find out encoding, format and columns of a file, else raise ``invalid_answers``.

    Args:
        path: the file.
        name: what it was called; its suffix helps to tell the format.
        sheet: of a workbook, the one that is meant; None: the only one that has the columns.
    """
    if is_workbook(path, name=name):
        return AnswerFile(open_sheet(path, ANSWERS, sheet=sheet))
    if sheet is not None:
        raise ANSWERS.refuse("it is no workbook, and so has no sheets", hint=f"leave {ANSWERS.sheet_option} out")
    return AnswerFile(open_table(path, ANSWERS, name=name))


def _tabular(
    records: CsvRecords | Iterator[tuple[int, list[str] | SkippedRow]], names: Sequence[str], *, has_nul: bool
) -> Iterator[AnswerRow | SkippedRow]:
    for line, cells in records:
        if isinstance(cells, SkippedRow):
            yield cells
        elif (problem := row_problem(cells, width=len(names), has_nul=has_nul)) is not None:
            yield SkippedRow(line, problem)
        else:
            yield answer_entry(line, dict(zip(names, cells, strict=True)))


def answer_entry(line: int, cells: Mapping[str, object]) -> AnswerRow | SkippedRow:
    """Return the row that stands on a line, or why it cannot be read; cells by the names of their columns."""
    try:
        return _row(line, cells)
    except RowProblem as problem:
        return SkippedRow(line, problem.reason)


def _row(line: int, cells: Mapping[str, object]) -> AnswerRow:
    answer = text_of(_first(cells, ANSWER_NAMES), MODEL_ANSWER)
    question = text_of(_first(cells, QUESTION_NAMES), QUESTION)
    own_id = id_of(_first(cells, ID_NAMES))
    if own_id is None and not question.strip():
        raise RowProblem("it has neither an id nor a question")
    return AnswerRow(
        line=line,
        id=own_id,
        question=question if question.strip() else None,
        repeat=count_in(cells.get("repeat"), "repeat", most=MOST_REPEATS) or 1,
        recorded=recorded_answer(answer if answer.strip() else None, cells),
        contexts=passages_in(_first(cells, CONTEXT_NAMES), "contexts"),
    )


def _first(cells: Mapping[str, object], names: Sequence[str]) -> object:
    """Return the cell of the first of these columns that is there."""
    return next((cells[name] for name in names if name in cells), None)


def same_question(text: str) -> str:
    """Return a question as it is compared: Unicode's normal form C, runs of white space as one blank.

    >>> same_question(" Who  was it? ")
    'Who was it?'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
