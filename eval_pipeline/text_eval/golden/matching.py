"""Which recorded answer belongs to which row of a dataset; pure, and in memory that grows by a digest a row.

By id where both sides name their rows, else by the question. An answer to nothing in the dataset is surplus, and told;
where most are, the file belongs to another dataset. Two answers to one asking are refused: nobody could choose.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.text_eval.golden.answer_rows import ANSWERS, AnswerRow, same_question
from eval_pipeline.text_eval.golden.row import GoldenRow, question_id

SHOWN_LINES: Final = 10
_DIGEST_BYTES: Final = 16


class MatchedBy(StrEnum):
    """What tells which row an answer belongs to."""

    ID = "id"
    QUESTION = "question"


Key = tuple[bytes, int]
"""Digest of an id or question, and which repeat it is."""


def golden_key(row: GoldenRow, *, number: int, by: MatchedBy) -> bytes:
    """Return the key of the n-th row of a dataset."""
    return _digest(question_id(row, number=number).strip() if by is MatchedBy.ID else same_question(row.question))


def answer_key(row: AnswerRow, *, by: MatchedBy) -> Key | None:
    """Return the key of an answer; None where it has none of that kind."""
    named = row.id if by is MatchedBy.ID else row.question
    if named is None:
        return None
    return _digest(named.strip() if by is MatchedBy.ID else same_question(named)), row.repeat


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()


@dataclass(slots=True)
class Lines:
    """Lines that something is said of: how many, and the first of them."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < SHOWN_LINES:
            self.first.append(line)

    def __str__(self) -> str:
        more = f" and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        return ("line " if self.count == 1 else "lines ") + ", ".join(f"{line:,}" for line in self.first) + more


@dataclass(frozen=True, slots=True)
class Match:
    """How a file of answers fits a dataset."""

    by: MatchedBy
    answers: int
    """That belong to the dataset and are not blank."""
    questions: int
    """Of the dataset, that have an answer."""
    repeats: int
    surplus: Lines
    models: tuple[str, ...]


def match_answers(
    entries: Callable[[], Iterable[AnswerRow | SkippedRow]], golden: Iterable[GoldenRow], *, names_rows: bool
) -> Match:
    """Hold the answers of a file against the rows of a dataset; raises ``invalid_answers`` with the lines at fault.

    Args:
        entries: of the file; read twice.
        golden: of the dataset.
        names_rows: whether its rows have ids of their own.
    """
    by = _chosen(_readable(entries()), names_rows=names_rows)
    known = {golden_key(row, number=number, by=by) for number, row in enumerate(golden, start=1)}
    seen: dict[Key, int] = {}
    surplus, answers, repeats = Lines(), 0, 1
    answered: set[bytes] = set()
    models: dict[str, None] = {}
    for row in _readable(entries()):
        key = answer_key(row, by=by)
        if key is None:
            raise ANSWERS.refuse(f"line {row.line:,} has no {by}", hint=f"give every answer the {by} of its row")
        if key in seen:
            raise _twice(by, seen[key], row.line)
        seen[key] = row.line
        if key[0] not in known:
            surplus.add(row.line)
            continue
        repeats = max(repeats, row.repeat)
        if row.recorded is not None:
            answers += 1
            answered.add(key[0])
            models |= {row.recorded.model: None} if row.recorded.model else {}
    _check_belongs(by, surplus, total=len(seen))
    return Match(by, answers, len(answered), repeats, surplus, tuple(models))


def _readable(entries: Iterable[AnswerRow | SkippedRow]) -> Iterator[AnswerRow]:
    for entry in entries:
        if isinstance(entry, SkippedRow):
            raise ANSWERS.refuse(
                f"line {entry.line:,} cannot be read: {entry.reason}", hint="correct that line; nothing was stored"
            )
        yield entry


def _chosen(rows: Iterable[AnswerRow], *, names_rows: bool) -> MatchedBy:
    has_ids = has_questions = False
    for row in rows:
        has_ids = has_ids or row.id is not None
        has_questions = has_questions or row.question is not None
    if not has_ids and not has_questions:
        raise ANSWERS.refuse("it holds no answers", hint="give one row an answer, with the id or the question")
    return MatchedBy.ID if has_ids and (names_rows or not has_questions) else MatchedBy.QUESTION


def _twice(by: MatchedBy, first: int, second: int) -> UsageError:
    return ANSWERS.refuse(
        f"lines {first:,} and {second:,} answer the same {by}",
        hint="leave one of them; several answers to one question need a column 'repeat' that counts from 1",
    )


def _check_belongs(by: MatchedBy, surplus: Lines, *, total: int) -> None:
    """Refuse a file most of whose answers are to nothing in the dataset: it belongs to another one."""
    if surplus.count * 2 > total:
        raise ANSWERS.refuse(
            f"{surplus.count:,} of its {counted(total, 'answer', verb=('has', 'have'))} "
            f"{'an id' if by is MatchedBy.ID else 'a question'} that "
            f"the dataset does not know: {surplus}",
            hint="name the dataset that these answers are to, or correct the ids",
        )
