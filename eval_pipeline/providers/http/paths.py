"""Where an answer lies in what a bot sends: JSONPath (RFC 9535), and what it means that a path finds nothing."""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from eval_pipeline.core.outcomes import MOST_TOKENS
from eval_pipeline.core.passages import Passage, score_in
from eval_pipeline.core.secrets import excerpt

if TYPE_CHECKING:
    import jsonpath

_SHOWN_KEYS: Final = 12
_MOST_EXCERPT: Final = 200
_TEXT_KEYS: Final = ("text", "content", "page_content", "snippet")
_FILE_KEYS: Final = ("file", "filename", "source", "title", "url")
_SCORE_KEYS: Final = ("score", "relevance", "similarity")


class PathError(Exception):
    """A path that brought no text; says the path, and what was there instead."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@cache
def compiled(path: str) -> "jsonpath.JSONPath | jsonpath.CompoundJSONPath":
    """Return a path ready for use."""
    import jsonpath  # noqa: PLC0415 - only where a bot is asked

    return jsonpath.compile(path)


def path_problem(path: str) -> str | None:
    """Say what is wrong with a path; None: nothing."""
    import jsonpath  # noqa: PLC0415 - only where an endpoints file names a bot

    if not path.startswith("$"):
        return "a path begins with $, such as $.data.answer"
    try:
        compiled(path)
    except jsonpath.JSONPathError as error:
        return f"no JSONPath: {str(error).partition(', line')[0]}"
    return None


def found_at(path: str, document: object) -> list[object]:
    """Return everything that a path finds, in order; nothing in what is nested without end."""
    if not isinstance(document, dict | list):
        return []
    try:
        return list(compiled(path).findall(document))
    except RecursionError:
        return []


def text_at(path: str, document: object) -> str:
    """Return the text that a path finds; several, or a list of texts, are joined by line breaks.

    Raises:
        PathError: where it finds nothing, or no text.
    """
    found = found_at(path, document)
    if not found:
        raise PathError("path_found_nothing", f"{path} finds nothing in the answer, {_what_is_there(document)}")
    texts = [_text_of(part, path) for one in found for part in (one if isinstance(one, list) else [one])]
    return "\n".join(text for text in texts if text)


def word_at(path: str, document: object) -> str | None:
    """Return the first word, number or truth value that a path finds, as text; None where there is none."""
    first = next(iter(found_at(path, document)), None)
    return None if first is None or isinstance(first, dict | list) else _word(first)


def count_at(path: str | None, document: object) -> int | None:
    """Return a count of tokens; None where there is no such number, or none that can be true."""
    first = None if path is None else next(iter(found_at(path, document)), None)
    return first if type(first) is int and 0 <= first <= MOST_TOKENS else None


def passages_at(path: str, document: object) -> tuple[Passage, ...]:
    """Return the passages that a path finds: texts, or objects that hold one; what is neither is passed over."""
    parts = [part for one in found_at(path, document) for part in (one if isinstance(one, list) else [one])]
    return tuple(passage for part in parts if (passage := _passage(part)) is not None)


def _passage(part: object) -> Passage | None:
    if isinstance(part, str):
        return Passage(part) if part.strip() else None
    if not isinstance(part, Mapping):
        return None
    text = _first(part, _TEXT_KEYS)
    if text is None:
        return None
    score = next((part[key] for key in _SCORE_KEYS if key in part), None)
    return Passage(text, file=_first(part, _FILE_KEYS), score=score_in(score))


def _first(part: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((part[key] for key in keys if isinstance(part.get(key), str) and part[key].strip()), None)


def _text_of(value: object, path: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list of lists"
        inside = f" with {_keys(value)}" if isinstance(value, dict) else ""
        raise PathError("path_found_object", f"{path} finds {kind}{inside} instead of a text")
    return _word(value)


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _what_is_there(document: object) -> str:
    if isinstance(document, dict):
        return f"an object with {_keys(document)}" if document else "an empty object"
    if isinstance(document, list):
        return f"a list of {len(document):,}"
    return f"which is {excerpt(json.dumps(document), most=_MOST_EXCERPT)}"


def _keys(value: Mapping[str, object]) -> str:
    names = list(value)
    more = f" and {len(names) - _SHOWN_KEYS} more" if len(names) > _SHOWN_KEYS else ""
    return excerpt(", ".join(names[:_SHOWN_KEYS]), most=_MOST_EXCERPT) + more
