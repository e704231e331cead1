"""Fields of Gemini's JSON, read leniently: in camelCase as the API writes, or in snake_case as others do."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import MOST_TOKENS

_MOST_DIGITS: Final = len(str(MOST_TOKENS))


def pick(document: Json, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return the field of this camelCase name in either spelling; None when it is missing or null."""
    value = document.get(name)
    return document.get(_snake(name)) if value is None else value


@cache
def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def part_of(document: object, name: str) -> Json:
    """Return the object in a field, empty when there is none."""
    value = pick(document, name) if isinstance(document, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def text_in(document: Json, name: str) -> str | None:
    """Return the text in a field; missing, null, empty and anything else are None."""
    value = pick(document, name)
    return value if isinstance(value, str) and value else None


def count_in(document: Json, name: str) -> int | None:
    """Return a number that is not negative and can be true; 64-bit ones are written as strings."""
    value = pick(document, name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        value = int(value)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None
