"""What models do to an answer besides answering: fences, quotes, labels, JSON, loops, refusals, the wrong script."""

from collections.abc import Callable
from re import sub

import orjson

from eval_pipeline.standins.faults import FaultKind

REFUSAL_TEXT = "I'm sorry, but I can't help with that."
LOOPS = 40
_LOOPED_WORDS = 3
_LATIN = "the speaker answers in another script"
_DEVANAGARI = "यह दूसरी लिपि में लिखा गया है"


def _loop(text: str) -> str:
    words = text.split()[-_LOOPED_WORDS:] or ["again"]
    return " ".join([text, *words * LOOPS]).strip()


def _other_script(text: str) -> str:
    """Return Latin words for a text in another script, and Devanagari for a Latin one."""
    return _DEVANAGARI if all(letter.isascii() for letter in text if letter.isalpha()) else _LATIN


def _as_json(text: str) -> str:
    return orjson.dumps({"transcript": text}).decode()


def with_separator(text: str) -> str:
    """Put a U+2028, which JSON need not escape, between the first two words."""
    return sub(r"(?<=\w) (?=\w)", " \u2028", text, count=1)


_CHANGES: dict[FaultKind, Callable[[str], str]] = {
    FaultKind.CODE_FENCE: lambda text: f"```text\n{text}\n```",
    FaultKind.QUOTED: lambda text: f'"{text}"',
    FaultKind.LABELLED: lambda text: f"Transcript: {text}",
    FaultKind.JSON_TEXT: _as_json,
    FaultKind.LOOP: _loop,
    FaultKind.REFUSAL: lambda _: REFUSAL_TEXT,
    FaultKind.WRONG_SCRIPT: _other_script,
    FaultKind.LINE_SEPARATOR: with_separator,
}
TEXT_FAULTS = frozenset(_CHANGES)


def spoilt_text(text: str, fault: FaultKind | None) -> str:
    """Return a text as the fault leaves it; unchanged if the fault is about something else."""
    change = _CHANGES.get(fault) if fault else None
    return change(text) if change else text
