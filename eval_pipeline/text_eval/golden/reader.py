"""Makes golden rows of the cells of a file, whatever it is written in: which column means what, and what it holds.

A file of the first releases had a question and an answer; all else was metadata. Their stored versions are read so to
this day (``FirstFormReader``), so that neither their rows nor the ids of their items change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.names import shown
from eval_pipeline.intake.csv_records import clean_name
from eval_pipeline.intake.json_lines import as_text
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.text_eval.golden.cells import alternatives_in, id_of, passages_in, question_behind, text_of, turns_in
from eval_pipeline.text_eval.golden.recorded import BESIDE, MODEL_ANSWER, recorded_answer
from eval_pipeline.text_eval.golden.row import (
    ALTERNATIVES,
    ANSWER,
    ANSWER_ALIASES,
    CATEGORY,
    CONTEXTS,
    FIRST_FORM,
    OWN_ID,
    QUESTION,
    QUESTION_ALIASES,
    TURNS,
    Entry,
    GoldenOptions,
    GoldenRow,
    golden_purpose,
)
from eval_pipeline.text_eval.golden.row_problem import RowProblem

_SHOWN_KEYS: Final = 10


class RowReader(Protocol):
    """Makes rows of cells."""

    @property
    def purpose(self) -> Purpose:
        """What a file must have."""
        ...

    def entry(self, line: int, cells: Mapping[str, object]) -> Entry:
        """Return the row that stands on a line, or why there is none; cells by the names of their columns."""
        ...


@dataclass(frozen=True, slots=True)
class Meaning:
    """Which of a file's columns holds what."""

    question: str | None
    golden: tuple[str, ...]
    """Each with one accepted answer."""
    has_alternatives: bool
    turns: str | None
    category: bool
    contexts: bool
    own_id: bool
    recorded: bool
    metadata: tuple[str, ...]
    notes: tuple[str, ...]
    """What a person should know of how the columns were understood."""


@dataclass(slots=True)
class GoldenReader:
    """Reads rows by the names of their columns; remembers what was taken for what."""

    options: GoldenOptions = field(default_factory=GoldenOptions)
    notes: dict[str, None] = field(default_factory=dict)
    saw_golden: bool = False
    """Whether any row had a column for golden answers at all; rows of JSON Lines may differ."""
    _meanings: dict[tuple[str, ...], Meaning] = field(default_factory=dict)

    @property
    def purpose(self) -> Purpose:
        """What a file must have."""
        return golden_purpose(self.options)

    def meaning(self, names: Sequence[str]) -> Meaning:
        """Understand the columns of a file, or the keys of a line, once."""
        key = tuple(names)
        found = self._meanings.get(key)
        if found is None:
            found = self._meanings[key] = understand(key, self.options)
            self.notes |= dict.fromkeys(found.notes)
            self.saw_golden = self.saw_golden or bool(found.golden) or found.has_alternatives
        return found

    def entry(self, line: int, cells: Mapping[str, object]) -> Entry:
        """Return the row that stands on a line, or why there is none."""
        try:
            return self._row(line, cells, self.meaning(tuple(cells)))
        except RowProblem as problem:
            return SkippedRow(line, problem.reason)

    def _row(self, line: int, cells: Mapping[str, object], means: Meaning) -> GoldenRow:
        if means.question is None and means.turns is None:
            raise RowProblem(f"no key 'question' (its keys: {', '.join(map(shown, list(cells)[:_SHOWN_KEYS]))})")
        question = "" if means.question is None else text_of(cells[means.question], means.question)
        turns = () if means.turns is None else turns_in(cells[means.turns], means.turns)
        question, turns = question_behind(turns, question, means.turns or "")
        golden = [answer for name in means.golden if (answer := text_of(cells[name], name)).strip()]
        if means.has_alternatives:
            golden += alternatives_in(cells[ALTERNATIVES])
        golden = list(dict.fromkeys(golden))
        return GoldenRow(
            line=line,
            question=question,
            answer=golden[0] if golden else "",
            category=_category(cells[CATEGORY]) if means.category else None,
            metadata={name: _metadata(cells[name]) for name in means.metadata},
            id=id_of(cells[OWN_ID]) if means.own_id else None,
            alternatives=tuple(golden[1:]),
            turns=turns,
            contexts=passages_in(cells[CONTEXTS], CONTEXTS) if means.contexts else None,
            recorded=recorded_answer(_recorded_text(cells[MODEL_ANSWER]), cells) if means.recorded else None,
        )

    def check(self) -> None:
        """Refuse a file none of whose rows has a place for golden answers: its key is most likely misspelt."""
        if self._meanings and not self.saw_golden:
            names = next(iter(self._meanings))
            raise self.purpose.refuse(
                f"it has no key 'answer' in any line; the keys of the first are {', '.join(map(shown, names))}",
                hint="name the golden answer 'answer'; for rows without one write \"answer\": null",
            )


def _recorded_text(value: object) -> str | None:
    """Return a recorded answer; a blank one is none."""
    text = text_of(value, MODEL_ANSWER)
    return text if text.strip() else None


def _category(value: object) -> str | None:
    return None if value is None else as_text(value).strip() or None


def _metadata(value: object) -> str:
    return str(value) if isinstance(value, str) else as_text(value)


def understand(names: tuple[str, ...], options: GoldenOptions) -> Meaning:
    """Decide which column holds what; two that may stand for the same are refused, not chosen from."""
    refuse = golden_purpose(options).refuse
    question = _one_of(QUESTION, QUESTION_ALIASES, names, refuse=partial(_ambiguous, options))
    turns = [name for name in TURNS if name in names]
    if len(turns) > 1:
        raise refuse("it has both 'history' and 'messages'", hint="leave one of the two: both hold earlier turns")
    golden = _golden(names, options)
    recorded = MODEL_ANSWER in names
    special = {question, *golden, *turns, CONTEXTS, CATEGORY, *((MODEL_ANSWER, *BESIDE) if recorded else ())}
    has_alternatives = ALTERNATIVES in names and not options.golden_columns
    special |= {ALTERNATIVES} if has_alternatives else set()
    notes = [
        f"the column {shown(name)} is taken for {shown(meant)}"
        for name, meant in ((question, QUESTION), *((name, ANSWER) for name in golden))
        if name is not None and name != meant and not options.golden_columns
    ]
    if options.golden_columns:
        notes.append(f"golden answers stand in the columns {', '.join(map(shown, golden))}")
    return Meaning(
        question=question,
        golden=golden,
        has_alternatives=has_alternatives,
        turns=turns[0] if turns else None,
        category=CATEGORY in names,
        contexts=CONTEXTS in names,
        own_id=OWN_ID in names,
        recorded=recorded,
        metadata=tuple(name for name in names if name not in special),
        notes=tuple(notes),
    )


def _golden(names: tuple[str, ...], options: GoldenOptions) -> tuple[str, ...]:
    wanted = tuple(map(clean_name, options.golden_columns))
    if not wanted:
        found = _one_of(ANSWER, ANSWER_ALIASES, names, refuse=partial(_ambiguous, options))
        return () if found is None else (found,)
    return tuple(dict.fromkeys(name for name in wanted if name in names))


class _Refuses(Protocol):
    def __call__(self, wanted: str, found: Sequence[str], /) -> Exception: ...


def _one_of(wanted: str, aliases: Sequence[str], names: Sequence[str], *, refuse: _Refuses) -> str | None:
    if wanted in names:
        return wanted
    found = [alias for alias in aliases if alias in names]
    if len(found) > 1:
        raise refuse(wanted, found)
    return found[0] if found else None


def _ambiguous(options: GoldenOptions, wanted: str, found: Sequence[str]) -> Exception:
    return golden_purpose(options).refuse(
        f"it has no column {wanted!r}, and {' and '.join(map(repr, found))} may each stand for it",
        hint=f"name the one that is meant {wanted!r}",
    )


def check_golden_columns(names: Sequence[str], options: GoldenOptions) -> None:
    """Refuse golden columns that a file with a header has not."""
    missing = [name for name in options.golden_columns if clean_name(name) not in names]
    if missing:
        raise golden_purpose(options).refuse(
            f"it has no column {', '.join(map(shown, missing))}; its columns are {', '.join(map(shown, names))}",
            hint="name the columns with golden answers as the header does",
        )


class FirstFormReader:
    """Reads rows as the first releases did: question, answer and category; everything else is metadata."""

    @property
    def purpose(self) -> Purpose:
        """What a file must have."""
        return FIRST_FORM

    def entry(self, line: int, cells: Mapping[str, object]) -> Entry:
        """Return the row that stands on a line, or why there was none."""
        try:
            return self._row(line, cells)
        except RowProblem as problem:
            return SkippedRow(line, problem.reason)

    def _row(self, line: int, cells: Mapping[str, object]) -> GoldenRow:
        for name in (QUESTION, ANSWER):
            if not isinstance(cells.get(name), str):
                raise RowProblem(f"{name} is no text")
        question, answer = (str(cells[name]) for name in (QUESTION, ANSWER))
        for name, text in ((QUESTION, question), (ANSWER, answer)):
            if not text.strip():
                raise RowProblem(f"blank {name}")
        return GoldenRow(
            line=line,
            question=question,
            answer=answer,
            category=_category(cells.get(CATEGORY)),
            metadata={
                name: _metadata(value) for name, value in cells.items() if name not in {QUESTION, ANSWER, CATEGORY}
            },
        )
