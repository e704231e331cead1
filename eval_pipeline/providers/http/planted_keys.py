"""Finds keys that somebody wrote into a bot's request, where ``${VARIABLE}`` belongs; names their place alone."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_HEADERS: Final = re.compile(
    r"(?i)authorization|cookie|.*(api|auth|access)[-_]?(key|token).*|.*(secret|password|token)"
)
_FIELDS: Final = re.compile(r"(?i)(.*[-_])?(api[-_]?key|key|token|secret|password|pass|authorization|sig|signature)")
_SET_ELSEWHERE: Final = ("${", "{{")
"""With it begins what is no key: a variable, a field of the item."""


def planted_keys(url: str, headers: Mapping[str, str], body: object) -> list[str]:
    """Name the places that hold a key.

    >>> planted_keys("https://h/ask?token=abc", {"Authorization": "Bearer ${TOKEN}"}, {"q": "{{ question }}"})
    ['token of url']
    """
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return [
        *(f"header {name}" for name, value in headers.items() if _HEADERS.fullmatch(name) and _is_key(value)),
        *(f"{name} of url" for name, value in query if _FIELDS.fullmatch(name) and _is_key(value)),
        *_in_body(body),
    ]


def _in_body(value: object) -> Iterator[str]:
    match value:
        case Mapping():
            for name, part in value.items():
                if _FIELDS.fullmatch(str(name)) and isinstance(part, str) and _is_key(part):
                    yield f"{name} of json"
                yield from _in_body(part)
        case list():
            for part in value:
                yield from _in_body(part)


def _is_key(value: str) -> bool:
    return bool(value.strip()) and not any(mark in value for mark in _SET_ELSEWHERE)
