"""The request of one item: a template whose placeholders are filled with values, never with JSON text.

A placeholder that stands alone becomes the value itself (a history stays a list); within a longer text it becomes that
value as text. So whatever a question says, it cannot change the shape of the request.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from eval_pipeline.core.documents import Json

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
FIELDS: Final = ("question", "item_id", "history", "model")
METADATA: Final = "metadata."
_LINE_BREAKS: Final = re.compile(r"[\r\n\0]+")


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """A request with placeholders."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: object
    """None: no body."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A request as it goes out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: object
    """None: no body."""


def template_problems(value: object) -> list[str]:
    """Name the placeholders that mean nothing."""
    known = ", ".join((*FIELDS, f"{METADATA}COLUMN"))
    return [f"{{{{ {name} }}}} is no field: there are {known}" for name in _names(value) if not _is_known(name)]


def columns_in(value: object) -> frozenset[str]:
    """Return the metadata columns that a template wants."""
    return frozenset(name.removeprefix(METADATA) for name in _names(value) if name.startswith(METADATA))


def fill_request(request: RequestTemplate, item: Json) -> Filled:
    """Fill a request in.

    Args:
        request: of the endpoints file.
        item: ``question``, ``item_id``, ``history``, ``model`` and ``metadata``.
    """
    headers = {name: _LINE_BREAKS.sub(" ", _as_text(value, item)) for name, value in request.headers.items()}
    return Filled(
        method=request.method,
        url=_PLACEHOLDER.sub(lambda found: quote(_text(_value(found[1], item)), safe=""), request.url),
        headers=headers,
        body=_filled(request.body, item),
    )


def _filled(value: Any, item: Json) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str():
            alone = _PLACEHOLDER.fullmatch(value)
            return _value(alone[1], item) if alone else _as_text(value, item)
        case Mapping():
            return {key: _filled(part, item) for key, part in value.items()}
        case list():
            return [_filled(part, item) for part in value]
        case _:
            return value


def _as_text(value: str, item: Json) -> str:
    return _PLACEHOLDER.sub(lambda found: _text(_value(found[1], item)), value)


def _value(name: str, item: Json) -> object:
    if name.startswith(METADATA):
        return item["metadata"].get(name.removeprefix(METADATA))
    return item.get(name)


def _text(value: object) -> str:
    """Return a value within a text; of a history, what was said, a line a turn."""
    if isinstance(value, list):
        return "\n".join(f"{turn['role']}: {turn['content']}" for turn in value)
    return "" if value is None else str(value)


def _names(value: object) -> Iterator[str]:
    match value:
        case str():
            yield from _PLACEHOLDER.findall(value)
        case Mapping():
            for part in value.values():
                yield from _names(part)
        case list() | tuple():
            for part in value:
                yield from _names(part)


def _is_known(name: str) -> bool:
    return name in FIELDS or (name.startswith(METADATA) and len(name) > len(METADATA))
