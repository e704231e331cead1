"""Requests to judge something: how a stand-in knows one, and what it reads of the material and of what is asked.

A request to judge shows its material between the lines ``MATERIAL nonce: …`` and ``END nonce``, every line a label, the
nonce, who speaks and a JSON string; and it asks, by schema or in words, for an object with levels by axis.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import orjson

from eval_pipeline.standins.documents import Json, at
from eval_pipeline.standins.faults import JUDGE_FAULTS, FaultKind

_BEGIN = re.compile(r"^MATERIAL ([0-9a-f]{4,64}): .*$", re.MULTILINE)
_LINE = re.compile(r"^(M\d+) <([0-9a-f]+)> (\w+) (\".*\")$")
_NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the material."""

    label: str
    speaker: str
    text: str


@dataclass(frozen=True)
class JudgeAsk:
    """What a judge is asked.

    Args:
        model: Whom.
        lines: The material.
        question: What stands behind the material: the expert's point of view and the axes.
        axes: The answers that each axis allows, in the order of the schema.
    """

    model: str
    lines: Sequence[Line]
    question: str
    axes: Mapping[str, Sequence[str]]

    @cached_property
    def text(self) -> str:
        """All that is said in the material and behind it, without nonces: what rules and scripts look in."""
        return "\n".join([*(line.text for line in self.lines), self.question])

    @cached_property
    def name(self) -> str:
        """What it is counted as: how the user began, how the question begins, and a digest of all of it."""
        began = next((line.text for line in self.lines if line.speaker == "user"), "")
        digest = blake2b(self.text.encode(errors="replace"), digest_size=6).hexdigest()
        return f"{_beginning(began)} | {_beginning(self.question)} | {digest}"

    def levels(self, axis: str) -> Sequence[str]:
        """Return the levels of an axis, lowest first."""
        return sorted((str(answer) for answer in self.axes[axis] if _is_number(str(answer))), key=float)


def looked_in(ask: JudgeAsk | None) -> str | None:
    """Return what fault rules look in for their match; None of another request, which is its own text."""
    return None if ask is None else ask.text


def passed_over(ask: JudgeAsk | None) -> frozenset[FaultKind]:
    """Return the faults that a request cannot meet: those of judges, if it is none to judge."""
    return JUDGE_FAULTS if ask is None else frozenset()


def read_judge_ask(said: Sequence[tuple[str, str]], *, model: str, schema: object) -> JudgeAsk | None:
    """Read a request to judge; None if it is another one.

    Args:
        said: Who says what in it, in order; the answer and the words of a second try stand behind the first turn.
        model: Whom it is for.
        schema: The form that it asks for; None where the request has none.
    """
    first = [text for _, text in _first_turn(said)]
    found = next((begin for text in first if (begin := _BEGIN.search(text))), None)
    if found is None:
        return None
    nonce = found[1]
    before, _, after = "\n".join(first).partition(f"\nEND {nonce}")
    axes = _axes(schema) or _axes(_schema_in(after))
    if not axes:
        return None
    lines = [
        Line(match[1], match[3], orjson.loads(match[4]))
        for raw in before[before.index(found[0]) :].split("\n")
        if (match := _LINE.match(raw)) and match[2] == nonce
    ]
    return JudgeAsk(model=model, lines=lines, question=after.replace(nonce, "").strip(), axes=axes)


def _first_turn(said: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield what the user says before anybody answers; what the system says is passed over."""
    for role, text in said:
        if role in ("assistant", "model"):
            return
        if role == "user":
            yield role, text


def _axes(schema: object) -> Mapping[str, Sequence[str]]:
    """Return the answers by axis that a schema allows; nothing if it is not of a judgement."""
    axes = at(schema, "properties", "axes", "properties")
    if not isinstance(axes, dict):
        return {}
    found = {name: at(verdict, "properties", "level", "enum") for name, verdict in axes.items()}
    return {
        name: answers
        for name, answers in found.items()
        if isinstance(answers, list) and any(_is_number(str(answer)) for answer in answers)
    }


def _schema_in(question: str) -> Json | None:
    """Return the schema that is written out in a question, where the server takes none."""
    for line in question.split("\n"):
        if line.startswith("{") and '"axes"' in line:
            try:
                found = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            return found if isinstance(found, dict) else None
    return None


def _is_number(answer: str) -> bool:
    return answer.replace(".", "", 1).isdigit()


def _beginning(text: str) -> str:
    return " ".join(text.split())[:_NAME_CHARACTERS]
