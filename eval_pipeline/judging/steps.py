"""What is asked next of one cell, from what was answered so far: pure, so that live calls and batches do the same.

Notes on segments, where there are any; then the verdict; one repair with the validator's words; one retry for evidence.
What a judge refuses is asked once more. A cell takes so many requests at most, whatever comes back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from eval_pipeline.judging.verdicts import Answer, InvalidAnswerError


class Kind(StrEnum):
    """What a request is for; its letter stands in the request's id."""

    NOTES = "n"
    VERDICT = "v"
    REPAIR = "r"
    EVIDENCE = "e"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a cell."""

    kind: Kind
    segment: int = 0
    """Of notes."""
    again: bool = False
    """Whether it follows a refusal."""

    @property
    def suffix(self) -> str:
        """Its part of the request's id.

        >>> Step(Kind.NOTES, segment=12, again=True).suffix, Step(Kind.VERDICT).suffix
        ('n012x', 'v')
        """
        place = f"{self.segment:03d}" if self.kind is Kind.NOTES else ""
        return f"{self.kind}{place}{'x' if self.again else ''}"


class Heard(StrEnum):
    """What a request came to."""

    ANSWER = "answer"
    """Some text, usable or not."""
    REFUSAL = "refusal"
    FAILURE = "failure"
    """No answer: the provider's fault, or the account's."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came back."""

    heard: Heard
    text: str = ""
    cut: bool = False
    """Whether it was cut at the limit of output tokens."""


class CellStatus(StrEnum):
    """What became of a cell."""

    OK = "ok"
    FAILED = "failed"
    PARSE_FAILED = "parse_failed"
    INVALID_EVIDENCE = "invalid_evidence"
    REFUSED = "refused"
    MISSING = "missing"
    """It was not asked, or nothing came back."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Requests that can go out now, at once."""

    steps: tuple[Step, ...]
    answer: str = ""
    """What is to be mended, of a repair and of a retry for evidence."""
    problems: tuple[str, ...] = ()
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A cell of which nothing more is asked."""

    status: CellStatus
    step: Step
    """That settled it."""
    answer: Answer | None = None
    """Of a cell that is ok; of one without evidence, what it said all the same."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How answers of one cell are read."""

    segments: int
    """That notes are taken on first."""
    read: Callable[[str], Answer]
    """Raises ``InvalidAnswerError``."""
    lacking: Callable[[Answer], Sequence[str]]
    """Names the axes whose level needs a verified quote and has none."""


Lookup = Callable[[Step], Said | None]
"""What was said at a step; None: it was not asked yet."""


def next_of(said: Lookup, reading: Reading) -> Ask | Settled:
    """Decide what is asked next of a cell, or what it came to."""
    notes = [_once_more(said, Step(Kind.NOTES, place)) for place in range(reading.segments)]
    open_notes = tuple(step for step, heard in notes if heard is None)
    if open_notes:
        return Ask(open_notes)
    for step, heard in notes:
        if heard is not None and (ended := _ended(step, heard)):
            return ended
    step, verdict = _once_more(said, Step(Kind.VERDICT))
    if verdict is None:
        return Ask((step,))
    return _ended(step, verdict) or _judge(said, reading, step, verdict)


def notes_of(said: Lookup, segments: int) -> list[str]:
    """Return the notes on all segments, once they are there."""
    found = [_once_more(said, Step(Kind.NOTES, place))[1] for place in range(segments)]
    return [heard.text for heard in found if heard is not None]


def _judge(said: Lookup, reading: Reading, step: Step, verdict: Said) -> Ask | Settled:
    try:
        answer = reading.read(verdict.text)
    except InvalidAnswerError as error:
        return _repair(said, reading, verdict, _with_cut(error.problems, cut=verdict.cut))
    return _evidence(said, reading, step, verdict.text, answer)


def _repair(said: Lookup, reading: Reading, verdict: Said, problems: tuple[str, ...]) -> Ask | Settled:
    step = Step(Kind.REPAIR)
    repaired = said(step)
    if repaired is None:
        return Ask((step,), verdict.text, problems)
    if ended := _ended(step, repaired):
        return ended
    try:
        answer = reading.read(repaired.text)
    except InvalidAnswerError as error:
        return Settled(CellStatus.PARSE_FAILED, step, problems=_with_cut(error.problems, cut=repaired.cut))
    return _evidence(said, reading, step, repaired.text, answer)


def _evidence(said: Lookup, reading: Reading, step: Step, text: str, answer: Answer) -> Ask | Settled:
    lacking = reading.lacking(answer)
    if not lacking:
        return Settled(CellStatus.OK, step, answer)
    problems = tuple(_lacks(answer, axis) for axis in lacking)
    retry = Step(Kind.EVIDENCE)
    heard = said(retry)
    if heard is None:
        return Ask((retry,), text, problems)
    match heard.heard:
        case Heard.FAILURE:
            return Settled(CellStatus.FAILED, retry)
        case Heard.REFUSAL:
            return Settled(CellStatus.INVALID_EVIDENCE, retry, answer, problems)
        case Heard.ANSWER:
            return _second_evidence(reading, retry, heard, answer, problems)
        case _:
            assert_never(heard.heard)


def _second_evidence(reading: Reading, step: Step, heard: Said, before: Answer, problems: tuple[str, ...]) -> Settled:
    try:
        answer = reading.read(heard.text)
    except InvalidAnswerError as error:
        return Settled(CellStatus.INVALID_EVIDENCE, step, before, (*problems, *error.problems))
    still = tuple(_lacks(answer, axis) for axis in reading.lacking(answer))
    status = CellStatus.INVALID_EVIDENCE if still else CellStatus.OK
    return Settled(status, step, answer, still)


def _once_more(said: Lookup, step: Step) -> tuple[Step, Said | None]:
    """Return the last request of a step and what came of it: one that was refused is asked once more."""
    heard = said(step)
    if heard is not None and heard.heard is Heard.REFUSAL and not step.again:
        return _once_more(said, Step(step.kind, step.segment, again=True))
    return step, heard


def _ended(step: Step, heard: Said) -> Settled | None:
    match heard.heard:
        case Heard.ANSWER:
            return None
        case Heard.REFUSAL:
            return Settled(CellStatus.REFUSED, step)
        case Heard.FAILURE:
            return Settled(CellStatus.FAILED, step)
        case _:
            assert_never(heard.heard)


def _lacks(answer: Answer, axis: str) -> str:
    level = answer.verdicts[axis].level
    return (
        f"axes.{axis}.level is {level}, and none of its quotes stands word for word in the message that it names; "
        "quote what is there, or choose a level that needs no quote"
    )


def _with_cut(problems: tuple[str, ...], *, cut: bool) -> tuple[str, ...]:
    if not cut:
        return problems
    return ("the answer was cut at the limit of output tokens: give shorter reasoning and fewer quotes", *problems)
