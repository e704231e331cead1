"""Takes off what models put around a transcript: thinking, data and markup, labels, translations, times, quotes.

What was said is returned as it was, or not touched at all when in doubt. The caller keeps the raw answer beside it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.language.cleaning_labels import without_label
from eval_pipeline.stt_eval.language.cleaning_languages import without_languages
from eval_pipeline.stt_eval.language.cleaning_markup import table_text, without_tags
from eval_pipeline.stt_eval.language.cleaning_speakers import without_speakers
from eval_pipeline.stt_eval.language.cleaning_times import without_subtitles, without_time_stamps
from eval_pipeline.stt_eval.language.cleaning_tokens import without_thinking, without_tokens
from eval_pipeline.stt_eval.language.cleaning_translations import (
    is_comment,
    main_script,
    without_bracketed_translation,
    without_notes,
)
from eval_pipeline.stt_eval.language.listed_texts import listed_text

MOST_WRAPPINGS = 10

_FENCED = re.compile(r"(?P<fence>```|~~~)(?P<inside>.*)(?P=fence)", re.DOTALL)
_OPENED = re.compile(r"(?:```|~~~)(?P<inside>[\w-]*[ \t]*\n.*)", re.DOTALL)
_BLOCK = re.compile(r"^[ \t]*```[\w-]*[ \t]*\n(?P<inside>.*?)\n[ \t]*```[ \t]*$", re.DOTALL | re.MULTILINE)
_COURTESY = re.compile(r"\s*(?:sure|certainly|okay|ok|of\ course|here|let\ me\ know|i\ hope)\b", re.IGNORECASE)
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

    THINKING = "thinking"
    TOKENS = "tokens"
    CODE_FENCE = "code_fence"
    JSON = "json"
    TAGS = "tags"
    TABLE = "table"
    SUBTITLES = "subtitles"
    TIME_STAMPS = "time_stamps"
    SPEAKERS = "speakers"
    LABEL = "label"
    LANGUAGE = "language"
    """The name of the language before what was said in it."""
    NOTES = "notes"
    """Translations, transliterations and remarks beside the transcript."""
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
    for kind, unwrap in _UNWRAPPERS:
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


def _block_among_comments(text: str) -> str | None:
    """Return what stands in the only code block, where every line around it is a model's own."""
    block = _BLOCK.search(text)
    if block is None or text.count("```") != len(("begin", "end")):
        return None
    script = main_script(block["inside"])
    around = [line for line in (text[: block.start()] + "\n" + text[block.end() :]).splitlines() if line.strip()]
    if script is None or not all(is_comment(line, script=script) or _COURTESY.match(line) for line in around):
        return None
    return block["inside"]


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


_UNWRAPPERS: Sequence[tuple[Removed, Callable[[str], str | None]]] = (
    (Removed.THINKING, without_thinking),
    (Removed.TOKENS, without_tokens),
    (Removed.CODE_FENCE, _without_fence),
    (Removed.JSON, listed_text),
    (Removed.TAGS, without_tags),
    (Removed.TABLE, table_text),
    (Removed.LABEL, without_label),
    (Removed.LANGUAGE, without_languages),
    (Removed.NOTES, without_notes),
    (Removed.NOTES, without_bracketed_translation),
    (Removed.CODE_FENCE, _block_among_comments),
    (Removed.SUBTITLES, without_subtitles),
    (Removed.TIME_STAMPS, without_time_stamps),
    (Removed.SPEAKERS, without_speakers),
    (Removed.QUOTES, _without_quotes),
)
"""In the order in which they are tried."""
