"""Reads what a judge answered; whatever it says is checked here, and nothing is replaced by a default.

A quote counts as verified where its label exists and its words stand in that message, after compatibility
normalisation and with white space folded; the joiners of Indic scripts stay.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eval_pipeline.judging.aggregation import CellState, Opinion
from eval_pipeline.judging.material import Part, strip_invisible
from eval_pipeline.judging.output_schema import CONFIDENCES, MOST_QUOTES
from eval_pipeline.judging.rubric import CANNOT_JUDGE, NOT_APPLICABLE, Axis

_LABEL = re.compile(r"M(\d{1,7})")
_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)
_MOST_PROBLEMS: Final = 8


class InvalidAnswerError(Exception):
    """An answer that is not what was asked for; the problems are told to the judge once."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Quote:
    """Evidence, and whether it is what the message says."""

    message: int | None
    """None where there is no such label."""
    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one expert said of one axis."""

    level: str
    reasoning: str
    confidence: str
    evidence: tuple[Quote, ...]

    def opinion(self, *, weight: float = 1.0) -> Opinion:
        """Return what aggregation takes of it."""
        match self.level:
            case str(level) if level == CANNOT_JUDGE:
                return Opinion(CellState.ABSTAINED, None, weight)
            case str(level) if level == NOT_APPLICABLE:
                return Opinion(CellState.NOT_APPLICABLE, None, weight)
            case level:
                return Opinion(CellState.SCORED, float(level), weight)


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one expert said of one item."""

    verdicts: Mapping[str, Verdict]
    """By axis."""
    user_goal: str
    outcome_summary: str
    manipulation_attempt: bool
    comment: str

    def lacks_evidence(self, axes: Iterable[Axis]) -> tuple[str, ...]:
        """Name the axes whose level is so high that it needs a verified quote, and has none."""
        return tuple(
            axis.name
            for axis in axes
            if axis.evidence_from is not None
            and (verdict := self.verdicts[axis.name]).level not in {CANNOT_JUDGE, NOT_APPLICABLE}
            and float(verdict.level) >= axis.evidence_from
            and not any(quote.verified for quote in verdict.evidence)
        )


def read_answer(text: str, *, axes: Sequence[Axis], parts: Iterable[Part]) -> Answer:
    """Read and check an answer.

    Args:
        text: what the model wrote; a fence of Markdown around the JSON is taken off.
        axes: that were asked for; more or fewer are a problem.
        parts: of the material, as the judge was given it.

    Raises:
        InvalidAnswerError: with every problem found, in words that a model can act on.
    """
    fenced = _FENCE.fullmatch(text)
    try:
        document = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswerError([f"the answer is not one JSON object: {_why(error)}"]) from None
    check = _Check()
    root = check.mapping(document, "the answer")
    said = check.mapping(root.get("axes"), "axes")
    for name in said:
        if name not in {axis.name for axis in axes}:
            check.found.append(f"axes.{_short(name)} was not asked for")
    verdicts = {axis.name: _verdict(axis, said.get(axis.name), check) for axis in axes}
    answer = Answer(
        verdicts={name: verdict for name, verdict in verdicts.items() if verdict is not None},
        user_goal=check.text(root.get("user_goal"), "user_goal"),
        outcome_summary=check.text(root.get("outcome_summary"), "outcome_summary"),
        manipulation_attempt=check.flag(root.get("manipulation_attempt"), "manipulation_attempt"),
        comment=check.text(root.get("comment"), "comment"),
    )
    if check.found:
        raise InvalidAnswerError(check.found[:_MOST_PROBLEMS])
    return verify_evidence(answer, parts=parts)


def verify_evidence(answer: Answer, *, parts: Iterable[Part]) -> Answer:
    """Return the answer with every quote looked up in the material."""
    cited = {quote.message for verdict in answer.verdicts.values() for quote in verdict.evidence}
    messages: dict[int, list[str]] = {}
    for part in parts:
        if part.message in cited:
            messages.setdefault(part.message, []).append(_folded(part.head + part.text))
    verdicts = {
        name: Verdict(
            level=verdict.level,
            reasoning=verdict.reasoning,
            confidence=verdict.confidence,
            evidence=tuple(_looked_up(quote, messages) for quote in verdict.evidence),
        )
        for name, verdict in answer.verdicts.items()
    }
    return Answer(
        verdicts=verdicts,
        user_goal=answer.user_goal,
        outcome_summary=answer.outcome_summary,
        manipulation_attempt=answer.manipulation_attempt,
        comment=answer.comment,
    )


def _looked_up(quote: Quote, messages: Mapping[int, Sequence[str]]) -> Quote:
    if quote.message is None or quote.message not in messages:
        return Quote(message=None, text=quote.text, verified=False)
    words = _folded(quote.text)
    return Quote(
        message=quote.message,
        text=quote.text,
        verified=bool(words) and any(words in message for message in messages[quote.message]),
    )


def _folded(text: str) -> str:
    """Return a text for comparison: NFKC, white space as one space, nothing invisible."""
    return " ".join(unicodedata.normalize("NFKC", strip_invisible(text).text).split())


class _Check:
    """Collects what is wrong, so that a judge hears all of it at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def mapping(self, value: object, name: str) -> Mapping[str, object]:
        if isinstance(value, dict):
            return value
        self.found.append(f"{name} is {_kind(value)}, not an object")
        return {}

    def text(self, value: object, name: str) -> str:
        if isinstance(value, str):  # an escape in JSON may name half a character, which no file holds
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
        self.found.append(f"{name} is {_kind(value)}, not a text")
        return ""

    def flag(self, value: object, name: str) -> bool:
        if isinstance(value, bool):
            return value
        self.found.append(f"{name} is {_kind(value)}, not true or false")
        return False

    def one_of(self, value: object, words: Sequence[str], name: str) -> str:
        if isinstance(value, str) and value in words:
            return value
        self.found.append(f"{name} is {_kind(value)}; it must be one of {', '.join(words)}, as a text")
        return ""


def _verdict(axis: Axis, value: object, check: _Check) -> Verdict | None:
    name = f"axes.{axis.name}"
    if value is None:
        check.found.append(f"{name} is missing")
        return None
    said = check.mapping(value, name)
    return Verdict(
        level=check.one_of(said.get("level"), axis.answers, f"{name}.level"),
        reasoning=check.text(said.get("reasoning"), f"{name}.reasoning"),
        confidence=check.one_of(said.get("confidence"), CONFIDENCES, f"{name}.confidence"),
        evidence=_quotes(said.get("evidence"), f"{name}.evidence", check),
    )


def _quotes(value: object, name: str, check: _Check) -> tuple[Quote, ...]:
    if not isinstance(value, list):
        check.found.append(f"{name} is {_kind(value)}, not a list")
        return ()
    if len(value) > MOST_QUOTES:
        check.found.append(f"{name} has {len(value)} quotes, of {MOST_QUOTES} at most")
        return ()
    quotes = []
    for place, one in enumerate(value):
        said = check.mapping(one, f"{name}[{place}]")
        label = check.text(said.get("message"), f"{name}[{place}].message")
        text = check.text(said.get("quote"), f"{name}[{place}].quote")
        found = _LABEL.fullmatch(label.strip())
        quotes.append(Quote(message=int(found[1]) if found else None, text=text, verified=False))
    return tuple(quotes)


def _kind(value: object) -> str:
    match value:
        case None:
            return "missing"
        case bool() | int() | float():
            return f"{value} ({'a truth value' if isinstance(value, bool) else 'a number'})"
        case str():
            return f'"{_short(value)}"'
        case list():
            return "a list"
        case _:
            return "an object"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - enough to find it


def _why(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
