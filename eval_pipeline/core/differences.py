"""What differs between two specifications, value by value; of texts, which sentences.

A comparison of two runs says nothing as long as nobody knows what was changed: a better score may be another model, a
sentence of the instructions, or another scorer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json, JsonDict

_LONG_TEXT: Final = 60
"""Longer texts are laid side by side sentence by sentence."""
_MOST_PIECES: Final = 1_000
"""Of a text: laying them side by side takes time with their product."""
_MOST_LINES: Final = 200
_BESIDE: Final = 1
"""Equal sentences that are shown around a change."""
_SENTENCE_END: Final = re.compile(r"\n+|(?<=[.!?।])[ \t]+")


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs; None where a side has none."""

    name: str
    """Of the value, such as ``model_body.temperature``."""
    first: Any
    second: Any
    lines: tuple[str, ...] = ()
    """Of long texts: what was taken out (``- …``), put in (``+ …``), and what stands around it."""

    def to_json(self) -> JsonDict:
        """Return the JSON form."""
        return {"name": self.name, "first": self.first, "second": self.second, "lines": list(self.lines)}


def find_differences(first: Json, second: Json) -> list[Difference]:
    """Return the values that differ, in the order in which they are specified; nested ones by their path."""
    before, after = dict(_flat(first)), dict(_flat(second))
    return [
        _difference(name, before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if (name in before) != (name in after) or before[name] != after[name]
    ]


def _flat(values: Json, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _difference(name: str, first: object, second: object) -> Difference:
    before, after = ("" if value is None else value for value in (first, second))
    if not isinstance(before, str) or not isinstance(after, str) or max(len(before), len(after)) <= _LONG_TEXT:
        return Difference(name, first, second)
    return Difference(name, first, second, lines=tuple(text_difference(before, after)))


def text_difference(first: str, second: str) -> list[str]:
    """Lay two texts side by side, sentence by sentence.

    >>> text_difference("Be brief. Answer in Hindi. Cite.", "Be brief. Answer in Tamil. Cite.")
    ['  Be brief.', '- Answer in Hindi.', '+ Answer in Tamil.', '  Cite.']
    """
    before, after = ([piece for piece in _SENTENCE_END.split(text) if piece.strip()] for text in (first, second))
    if max(len(before), len(after)) > _MOST_PIECES:
        return [f"… too long to be laid side by side: {len(first):,} and {len(second):,} characters"]
    lines = list(_lines(before, after))
    left = len(lines) - _MOST_LINES
    return lines if left <= 0 else [*lines[:_MOST_LINES], f"… and {counted(left, 'more line')}"]


def _lines(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(_BESIDE)):
        if number:
            yield "  …"
        for tag, start, end, other_start, other_end in group:
            if tag == "equal":
                yield from (f"  {piece}" for piece in before[start:end])
            else:
                yield from (f"- {piece}" for piece in before[start:end])
                yield from (f"+ {piece}" for piece in after[other_start:other_end])
