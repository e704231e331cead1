"""Request bodies of the Gemini protocol: JSON in camelCase or snake_case, every field known, or Google's refusal."""

import re
from typing import Any

import orjson

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.gemini.errors import invalid

OPAQUE = frozenset({"metadata", "responseSchema", "responseJsonSchema", "responseFormat", "args", "tools", "labels"})
"""What is the client's own or a document of its own: names in it are left as they are."""


def read_object(raw: bytes) -> JsonDict:
    """Read a JSON object with all names in camelCase."""
    try:
        body = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    return camel(body)


def camel(document: Json) -> JsonDict:
    """Return an object with all its names in camelCase, except what is opaque."""
    named = {re.sub("_([a-z0-9])", lambda found: found[1].upper(), name): value for name, value in document.items()}
    return {name: value if name in OPAQUE else _camel(value) for name, value in named.items()}


def _camel(value: object) -> object:
    if isinstance(value, dict):
        return camel(value)
    return [_camel(entry) for entry in value] if isinstance(value, list) else value


def refuse_unknown(given: Json, *, known: frozenset[str], place: str) -> None:
    """Refuse an object with a field that it does not have."""
    if unknown := sorted(given.keys() - known):
        where = f" at '{place}'" if place else ""
        raise invalid(f'Invalid JSON payload received. Unknown name "{unknown[0]}"{where}: Cannot find field.')


def require_object(given: object, place: str) -> JsonDict:
    """Return an object, or refuse what is none."""
    if not isinstance(given, dict):
        raise invalid(f"Invalid value at '{place}' (type object), {orjson.dumps(given).decode()[:80]}")
    return given


def require_list(given: object, place: str) -> list[Any]:
    """Return a list, or refuse what is none."""
    if not isinstance(given, list):
        raise invalid(f"Invalid value at '{place}' (type list), {orjson.dumps(given).decode()[:80]}")
    return given


def require_text(given: object, place: str) -> str:
    """Return a text, or refuse what is none."""
    if not isinstance(given, str):
        raise invalid(f"Invalid value at '{place}' (TYPE_STRING), {orjson.dumps(given).decode()[:80]}")
    return given
