"""JSON of recorded sessions, read and written without a loss and as fast as it goes.

Other programs write what is no JSON, or what a fast reader turns into something else: NaN, halves of surrogate pairs,
whole numbers beyond 64 bits. Those texts take the slow way; what had to be replaced is told.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

_HALF: Final = re.compile("[\ud800-\udfff]")
_HALVES: Final = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class ReadJson:
    """A value, and what was replaced in it."""

    value: Any
    note: str | None = None


class UnreadableJsonError(Exception):
    """Text that is no JSON; says why, and at which character where that is known."""


def read_json(data: bytes) -> ReadJson:
    """Read one JSON value in UTF-8."""
    if data[:_HEAD].find(_OURS) >= 0:  # a session of ours holds numbers in few places, which are quickly seen through
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            return _read_slowly(data)
        return _read_slowly(data) if _is_rounded(value) else ReadJson(value)
    if not _has_long_number(data):
        try:
            return ReadJson(orjson.loads(data))
        except orjson.JSONDecodeError:
            pass
    return _read_slowly(data)


_DIGITS: Final = bytes(ord("0") if byte in b"0123456789" else byte for byte in range(256))
_LONG_NUMBERS: Final = (b"0" * 20, b"-" + b"0" * 19)
"""Below so many digits, every whole number has 64 bits."""


_HEAD: Final = 64
_OURS: Final = b'"eval_pipeline.session/1"'
_LARGE: Final = 2.0**63


def _is_rounded(session: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether a number of a session is one that a whole number beyond 64 bits may have been rounded to."""
    if not isinstance(session, dict) or not isinstance(session.get("messages"), list):
        return False
    for message in session["messages"]:
        calls = message.get("tool_calls") if message.__class__ is dict else None
        if calls.__class__ is not list:
            continue
        if any(_is_large(call.get("arguments")) for call in calls if call.__class__ is dict):
            return True
    return any(_is_large(item) for key, item in session.items() if item.__class__ is not str and key != "messages")


def _is_large(value: Any) -> bool:  # noqa: ANN401 - JSON
    kind = value.__class__
    if kind is dict:
        return any(_is_large(item) for item in value.values() if item.__class__ is not str)
    if kind is list:
        return any(_is_large(item) for item in value if item.__class__ is not str)
    return kind is float and (value >= _LARGE or value <= -_LARGE)


def _has_long_number(data: bytes) -> bool:
    """Tell whether there may be a whole number that a fast reader would round; texts may hold such digits too."""
    digits = data.translate(_DIGITS)
    return any(number in digits for number in _LONG_NUMBERS)


def _read_slowly(data: bytes) -> ReadJson:
    constants: list[str] = []
    try:
        value = json.loads(data.rstrip(b"\r\n").decode("utf-8-sig"), parse_constant=constants.append)
    except UnicodeDecodeError as error:
        raise UnreadableJsonError(f"it is no UTF-8 (byte {error.start:,})") from None
    except json.JSONDecodeError as error:
        raise UnreadableJsonError(f"invalid JSON: {error.msg} (character {error.pos + 1:,})") from None
    except RecursionError:
        raise UnreadableJsonError("invalid JSON: nested too deeply") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise UnreadableJsonError(f"invalid JSON: {error}") from None
    notes = []
    if constants:
        notes.append(f"{len(constants):,} numbers such as NaN, which JSON does not know, were read as null")
    if _HALVES.search(data):
        value, halves = _without_halves(value)
        if halves:
            notes.append(f"{halves:,} halves of surrogate pairs, which no file can hold, were replaced by \ufffd")
    return ReadJson(value, "; ".join(notes) or None)


def _without_halves(value: Any) -> tuple[Any, int]:  # noqa: ANN401 - JSON
    match value:
        case str():
            return _HALF.subn("\ufffd", value)
        case list():
            entries = [_without_halves(entry) for entry in value]
            return [entry for entry, _ in entries], sum(halves for _, halves in entries)
        case dict():
            pairs = [(_without_halves(key), _without_halves(item)) for key, item in value.items()]
            return {key: item for (key, _), (item, _) in pairs}, sum(one + two for (_, one), (_, two) in pairs)
        case _:
            return value, 0


def json_bytes(value: Any) -> bytes:  # noqa: ANN401 - JSON
    """Write a value as JSON without spaces."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _written_slowly(value)


def canonical_bytes(value: Any) -> bytes:  # noqa: ANN401 - JSON
    """Write a value as JSON without spaces, keys in order: the same bytes for the same value."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number beyond 64 bits
        return _written_slowly(value, sort_keys=True)


def _written_slowly(value: Any, *, sort_keys: bool = False) -> bytes:  # noqa: ANN401 - JSON
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, allow_nan=False)
    return text.encode()
