"""Markup around a transcript: elements that enclose it, and tables of Markdown whose one column is the text.

Tags of which a model's vocabulary or a page consists are no speech wherever they stand (``markers``); a name in pointed
brackets that nothing closes may have been said.
"""

import re
from itertools import pairwise

from eval_pipeline.stt_eval.language.listed_texts import TEXT_FIELDS

_BEGINS = re.compile(r"(?:<\?xml[^<>]*\?>\s*)?<(?P<name>[A-Za-z][\w:.-]*)(?:\s[^<>]*)?>")
_ENDS = re.compile(r"</(?P<name>[A-Za-z][\w:.-]*)\s*>\Z")
_CLOSING = re.compile(r"</(?P<name>[A-Za-z][\w:.-]*)\s*>")
_NAMED = re.compile(r"<(?:transcript|transcription|text|output|answer|response)>", re.IGNORECASE)
_SPACES = re.compile(r"[ \t]{2,}")
_DIVISION = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)*\s*:?-{2,}:?\s*\|?\s*")
_TEXT_COLUMNS = TEXT_FIELDS | {
    "utterance",
    "utterances",
    "speech",
    "dialogue",
    "content",
    "sentence",
    "spoken text",
    "words",
}
_FEWEST_ROWS = 3
"""Headings, the line under them, and one row."""


def without_tags(text: str) -> str | None:
    """Return what stands in the elements that enclose the whole text, or behind the opening tag of a transcript."""
    begin, end = _BEGINS.match(text), _ENDS.search(text)
    if begin is None:
        return None
    closed = {found["name"] for found in _CLOSING.finditer(text)}
    if end is None or begin["name"] not in closed:
        named = _NAMED.match(text)
        return text[named.end() :] if named is not None and not closed else None
    names = "|".join(map(re.escape, sorted(closed)))
    tags = re.compile(rf"<\?xml[^<>]*\?>|</?(?:{names})(?:\s[^<>]*)?>")
    return _SPACES.sub(" ", tags.sub(" ", text))


def table_text(text: str) -> str | None:
    """Return the column of texts of a Markdown table that is the whole text; None where there is none, or several."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < _FEWEST_ROWS or not all("|" in line for line in lines) or not _DIVISION.fullmatch(lines[1]):
        return None
    headings, *rows = [_cells(line) for number, line in enumerate(lines) if number != 1]
    columns = [place for place, name in enumerate(headings) if _plain(name) in _TEXT_COLUMNS]
    if len(headings) == 1:
        columns = [0]
    if len(columns) != 1 or any(len(one) != len(other) for one, other in pairwise([headings, *rows])):
        return None
    return " ".join(row[columns[0]] for row in rows if row[columns[0]])


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _plain(heading: str) -> str:
    return heading.strip(" *_").casefold()
