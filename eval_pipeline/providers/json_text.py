"""JSON as providers send and take it, where orjson is too strict: half a surrogate pair, numbers beyond 64 bits."""

import json
from collections.abc import Mapping
from typing import Any

import orjson


def read_json(body: bytes) -> object:
    r"""Read JSON; half a surrogate pair (``"\ud83d"``, a cut emoji), which orjson refuses, becomes U+FFFD.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if b"\\ud" not in body.lower():
            raise
    text = json.dumps(json.loads(body), ensure_ascii=False, allow_nan=False)
    return orjson.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def read_object(line: bytes) -> dict[str, Any] | None:
    """Read the JSON object that a line of a batch is; None when it is none."""
    try:
        document = read_json(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def read_loose_json(body: bytes) -> object:
    """Read JSON that may hold ``NaN`` and ``Infinity``, as servers in Python write them; None when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON; what orjson refuses (numbers beyond 64 bits, lone surrogates) json writes."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        return json.dumps(body).encode()


def json_text(text: str) -> bytes:
    """Write a string; half a surrogate pair, which orjson refuses, as an escape."""
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:
        return json.dumps(text).encode()
