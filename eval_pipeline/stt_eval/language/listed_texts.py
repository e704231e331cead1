"""Texts that tools write as data: a list of strings, segments with their times, an object with one text somewhere.

Speech tools keep a transcript as the segments that they heard, and spreadsheets made from them hold these as one cell.
What was said is the texts of the segments, one after the other.
"""

import ast
import json
import re
from collections.abc import Sequence

TEXT_FIELDS = frozenset(
    {"transcript", "transcription", "transcribed_text", "transcribedtext", "text", "display_text", "displaytext"}
)
_SEGMENT_FIELDS = frozenset(
    {"segments", "chunks", "utterances", "sentences", "results", "lines", "transcripts", "combinedphrases", "channels"}
)
_CHOICES = frozenset({"alternatives", "nbest"})
"""Of what was heard, the most probable first."""
_PYTHON_LISTS = ("['", '["', "[{'", "('")
_PYTHON_OBJECT = re.compile(
    r"(?:[A-Za-z_.]{1,60}\()?(?:\w{1,40}=[^,'\"=]{0,60},\s*)*text=(?P<quote>['\"])(?P<text>.*?)(?P=quote)(?:,?\s+\w{1,40}=.*)?\)?",
    re.DOTALL,
)
"""As a client prints an answer: ``Transcription(text='…', language='en')``."""
_LONGEST_PYTHON_LIST = 200_000
_FEWEST_OBJECTS = 2


class _Fields(tuple[tuple[str, object], ...]):
    """An object of JSON as it was written, also with a name that is there twice."""

    __slots__ = ()


def listed_text(text: str) -> str | None:
    """Return the one text of a JSON object, or the texts of a list joined; None when it is anything else.

    >>> listed_text('["पहला", "दूसरा"]'), listed_text('[{"start": 0, "text": "हाँ"}, {"text": "जी"}]'), listed_text("[1]")
    ('पहला दूसरा', 'हाँ जी', None)
    """
    bare = text.strip()
    if (printed := _PYTHON_OBJECT.fullmatch(bare)) is not None:
        return printed["text"]
    if not bare.startswith(("{", "[", "(")):
        return None
    found = _joined(_parsed(bare))
    return found if found is not None and _is_encodable(found) else None


def _parsed(text: str) -> object:
    """Read JSON, JSON Lines, or a list as Python writes it; None for anything else."""
    try:
        return json.loads(text, strict=False, object_pairs_hook=_Fields)
    except (ValueError, RecursionError):
        return _python_list(text) if text.startswith(_PYTHON_LISTS) else _objects_of_lines(text)


def _python_list(text: str) -> object:
    if len(text) > _LONGEST_PYTHON_LIST:
        return None
    try:
        return _without_dicts(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _without_dicts(value: object) -> object:
    if isinstance(value, dict):
        return _Fields((str(name), _without_dicts(item)) for name, item in value.items())
    return [_without_dicts(item) for item in value] if isinstance(value, list | tuple) else value


def _objects_of_lines(text: str) -> object:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < _FEWEST_OBJECTS or not all(line.lstrip().startswith("{") for line in lines):
        return None
    try:
        return [json.loads(line, strict=False, object_pairs_hook=_Fields) for line in lines]
    except (ValueError, RecursionError):
        return None


def _joined(answer: object) -> str | None:
    if isinstance(answer, _Fields):
        return _text_of(answer)
    if not isinstance(answer, list) or not answer:
        return None
    texts = [_one_of_list(one) for one in answer]
    found = [text.strip() for text in texts if text is not None]
    return " ".join(text for text in found if text) if len(found) == len(texts) else None


def _text_of(fields: _Fields) -> str | None:
    """Return the only text of an object; else that of its likeliest choice, its only segments or its only object.

    Of an object without a name that is known, the only string.
    """
    texts = [content for name, content in fields if name.casefold() in TEXT_FIELDS]
    if texts:
        return _one_text(texts)
    choices = [content for name, content in fields if name.casefold() in _CHOICES]
    if len(choices) == 1 and isinstance(choices[0], list) and choices[0]:
        return _one_of_list(choices[0][0])
    segments = [content for name, content in fields if name.casefold() in _SEGMENT_FIELDS and isinstance(content, list)]
    if segments:
        return _joined(segments[0]) if len(segments) == 1 else None
    inside = [content for _, content in fields if isinstance(content, _Fields)]
    if len(inside) == 1:
        return _text_of(inside[0])
    return fields[0][1] if len(fields) == 1 and isinstance(fields[0][1], str) else None


def _one_text(texts: Sequence[object]) -> str | None:
    """Return the text where there is one, which annotation tools keep as a list."""
    match texts:
        case [str() as text]:
            return text
        case [list() as parts] if all(isinstance(part, str) for part in parts):
            return " ".join(parts)
        case _:
            return None


def _one_of_list(one: object) -> str | None:
    match one:
        case str():
            return one
        case _Fields():
            return _text_of(one)
        case list():  # as in [0.0, 2.1, "text"]
            return _only_string(one)
        case _:
            return None


def _only_string(values: Sequence[object]) -> str | None:
    strings = [value for value in values if isinstance(value, str)]
    return strings[0] if len(strings) == 1 else None


def _is_encodable(text: str) -> bool:
    """Tell whether the text is whole: JSON can escape half of a surrogate pair, which no file takes."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
