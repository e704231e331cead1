"""Takes off what models wrap around a transcript: code fences, JSON, labels, quotes.

Only what encloses the text goes; the text itself is returned as it was, or not touched at all when in doubt. The caller
keeps the raw answer beside it.
"""

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.language.cleaning_labels import without_label

MOST_WRAPPINGS = 10
TEXT_FIELDS = frozenset({"transcript", "transcription", "transcribed_text", "text"})

_FENCED = re.compile(r"(?P<fence>```|~~~)(?P<inside>.*)(?P=fence)", re.DOTALL)
_OPENED = re.compile(r"(?:```|~~~)(?P<inside>[\w-]*[ \t]*\n.*)", re.DOTALL)
_FIRST_LINE = re.compile(r"\A[A-Za-z0-9_+-]*[ \t]*\r?\n")
_QUOTES: Mapping[str, str] = {
    '"': '"',
    "'": "'",
    "`": "`",
    "\uff02": "\uff02",
    "\u201c": "\u201d",
    "\u2018": "\u2019",
    "\u201e": "\u201c\u201d",
    "\u201a": "\u2018\u2019",
    "\u00ab": "\u00bb",
    "\u00bb": "\u00ab",
    "\u2039": "\u203a",
    "\u203a": "\u2039",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
}
"""Opening mark to the marks that close it."""


class Removed(StrEnum):
    """What was taken off."""

    CODE_FENCE = "code_fence"
    JSON = "json"
    LABEL = "label"
    QUOTES = "quotes"


@value
class CleanTranscript:
    """A transcript without its wrapping; ``removed`` names what was taken off, outermost first."""

    text: str
    removed: tuple[Removed, ...]


def clean_transcript(raw: str) -> CleanTranscript:
    """Unwrap a model's answer; whitespace at its ends goes as well.

    An answer that is only a wrapping ("Transcript:") becomes empty. At most ten wrappings are taken off.
    """
    text = raw.strip()
    removed: list[Removed] = []
    while len(removed) < MOST_WRAPPINGS and (found := _unwrap_once(text)) is not None:
        kind, text = found
        removed.append(kind)
    return CleanTranscript(text=text, removed=tuple(removed))


def _unwrap_once(text: str) -> tuple[Removed, str] | None:
    for kind, unwrap in _UNWRAPPERS.items():
        inside = unwrap(text)
        if inside is not None:
            return kind, inside.strip()
    return None


def _without_fence(text: str) -> str | None:
    """Return what stands in a Markdown code block that is the whole text; its end may have been cut off."""
    block = _FENCED.fullmatch(text) or _OPENED.fullmatch(text)
    if block is None or "```" in block["inside"]:
        return None
    return _FIRST_LINE.sub("", block["inside"])


def _without_json(text: str) -> str | None:
    """Return the only text field of a JSON object, alone or the only element of an array; None in any other case."""
    if not text.startswith(("{", "[")):
        return None
    try:
        answer = json.loads(text, strict=False, object_pairs_hook=_text_fields)
    except (ValueError, RecursionError):
        return None
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    return _only_text(answer)


def _text_fields(pairs: list[tuple[str, object]]) -> tuple[object, ...]:
    """Keep the values of the fields that can be the transcript, also of one that is there twice."""
    return tuple(content for name, content in pairs if name.casefold() in TEXT_FIELDS)


def _only_text(answer: object) -> str | None:
    if isinstance(answer, tuple) and len(answer) == 1:
        answer = answer[0]
    return answer if isinstance(answer, str) and _is_encodable(answer) else None


def _is_encodable(text: str) -> bool:
    """Tell whether the text is whole: JSON can escape half of a surrogate pair, which no file takes."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _without_quotes(text: str) -> str | None:
    """Return what stands between quotes that enclose the whole text.

    The same quotes again inside leave it as it is (``"Yes," he said, "now"``), unless they are apostrophes in words.
    """
    closing = _QUOTES.get(text[:1], "")
    if len(text) < len('""') or text[-1] not in closing:
        return None
    inside = text[1:-1]
    marks = {text[0], *closing}
    return None if any(_quotes_at(inside, at) for at, mark in enumerate(inside) if mark in marks) else inside


def _quotes_at(text: str, at: int) -> bool:
    """Tell whether the mark at this place is a quote rather than an apostrophe within a word."""
    is_apostrophe = text[at] in "'\u2019" and text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha()
    return not is_apostrophe


_UNWRAPPERS: Mapping[Removed, Callable[[str], str | None]] = {
    Removed.CODE_FENCE: _without_fence,
    Removed.JSON: _without_json,
    Removed.LABEL: without_label,
    Removed.QUOTES: _without_quotes,
}
