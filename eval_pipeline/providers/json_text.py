"""JSON as providers send and take it, where orjson is too strict.

Half a surrogate pair, bytes that are no UTF-8, numbers beyond 64 bits and ``NaN`` in one field must not cost what the
other fields say: the answer was paid for.
"""

import json
from typing import Final

import orjson

_DIGITS_OF_64_BITS: Final = 19


def read_json(body: bytes) -> object:
    r"""Read JSON; half a surrogate pair (``"\ud83d"``, a cut emoji) and bytes that are no UTF-8 become U+FFFD.

    Raises:
        ValueError: it is no JSON, or nested without end.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return _without_halves(json.loads(body.decode("utf-8", "replace"), parse_int=_number))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_loose_json(body: bytes) -> object:
    """Read JSON; None when it is none."""
    try:
        return read_json(body)
    except ValueError:
        return None


def _number(digits: str) -> int | float:
    """Read a whole number; one beyond 64 bits as orjson reads it, and thousands of digits, which Python refuses."""
    return int(digits) if len(digits) < _DIGITS_OF_64_BITS else float(digits)


def _without_halves(value: object) -> object:
    """Replace what is no whole character in every text: it can neither be stored nor shown."""
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case list():
            return [_without_halves(entry) for entry in value]
        case dict():
            return {_without_halves(name): _without_halves(entry) for name, entry in value.items()}
    return value


def encode_json(value: object) -> bytes:
    """Write JSON; what orjson refuses (numbers beyond 64 bits, lone surrogates, 254 levels) json writes."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode()


def json_text(text: str) -> bytes:
    """Write a string; half a surrogate pair, which orjson refuses, as an escape."""
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:
        return json.dumps(text).encode()
