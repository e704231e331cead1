"""What a valid batch is: its create request, and the lines of its file, read one after the other.

A line whose request is wrong passes here: it gets an error of its own.
"""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import orjson

from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.gemini.bodies import (
    camel,
    read_object,
    refuse_unknown,
    require_list,
    require_object,
    require_text,
)
from eval_pipeline.standins.gemini.errors import GeminiError, invalid

_LINE_FIELDS = frozenset({"key", "request", "metadata"})
_BATCH_FIELDS = frozenset({"displayName", "inputConfig", "model", "name", "priority", "webhookConfig"})
_MAX_INLINE_BYTES = 20_000_000


@dataclass(slots=True, kw_only=True)
class GeminiBatchLimits:
    """How large a batch may be, and how many may be under way."""

    requests: int = 50_000
    file_bytes: int = 2_000_000_000
    inline_bytes: int = _MAX_INLINE_BYTES
    open_batches: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiOrder:
    """A valid request for a batch: the name of a file, or requests that came inline."""

    display_name: str | None
    file_id: str | None
    requests: tuple[Json, ...] = ()


def read_order(raw: bytes, limits: GeminiBatchLimits) -> GeminiOrder:
    """Read the body of a request, or refuse it as the real API does."""
    body = read_object(raw)
    refuse_unknown(body, known=frozenset({"batch", "model"}), place="")
    batch = require_object(body.get("batch"), "batch")
    refuse_unknown(batch, known=_BATCH_FIELDS, place="batch")
    source = require_object(batch.get("inputConfig"), "batch.input_config")
    refuse_unknown(source, known=frozenset({"fileName", "requests"}), place="batch.input_config")
    if len(source) != 1:
        raise invalid("* BatchGenerateContentRequest.batch.input_config.source: required oneof field must be set")
    display_name = batch.get("displayName")
    if display_name is not None:
        require_text(display_name, "batch.display_name")
    if "fileName" in source:
        name = require_text(source["fileName"], "batch.input_config.file_name")
        return GeminiOrder(display_name=display_name, file_id=_file_id(name))
    if len(raw) > limits.inline_bytes:
        raise invalid(f"Request payload size exceeds the limit: {limits.inline_bytes} bytes.")
    return GeminiOrder(display_name=display_name, file_id=None, requests=_read_inline(source["requests"]))


def _file_id(name: str) -> str:
    if not name.startswith("files/") or not name.removeprefix("files/"):
        raise invalid("* BatchGenerateContentRequest.batch.input_config.file_name: must be of the form files/{id}")
    return name.removeprefix("files/")


def _read_inline(given: object) -> tuple[Json, ...]:
    place = "batch.input_config.requests"
    entries = require_list(require_object(given, place).get("requests") or [], f"{place}.requests")
    if not entries:
        raise invalid(f"* BatchGenerateContentRequest.{place}: at least one request is needed")
    for number, entry in enumerate(entries):
        line = require_object(entry, f"{place}.requests[{number}]")
        refuse_unknown(line, known=frozenset({"request", "metadata"}), place=f"{place}.requests[{number}]")
        require_object(line.get("request"), f"{place}.requests[{number}].request")
    return tuple(entries)


def inspect(path: Path, limits: GeminiBatchLimits) -> tuple[int, GeminiError | None]:
    """Read a whole input file; return how many requests it has, and what is wrong with it."""
    size_bytes = path.stat().st_size
    if size_bytes > limits.file_bytes:
        return 0, _bad(f"The input file has {size_bytes} bytes, more than the {limits.file_bytes} that are allowed.")
    number = 0
    with path.open("rb") as lines:  # binary files split on \n alone
        for number, raw in enumerate(lines, start=1):
            if problem := _problem(raw):
                return number, _bad(f"Failed to parse line {number} of the input file: {problem}")
    if not number:
        return 0, _bad("The input file is empty.")
    if number > limits.requests:
        return number, _bad(f"The batch has {number} requests, more than the {limits.requests} that are allowed.")
    return number, None


def _bad(message: str) -> GeminiError:
    return GeminiError(code=HTTPStatus.BAD_REQUEST, message=message)


def _problem(raw: bytes) -> str | None:
    """Return what makes a line unreadable."""
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return f"invalid JSON ({error})"
    if not isinstance(line, dict):
        return "expected an object"
    if unknown := sorted(camel(line).keys() - _LINE_FIELDS):
        return f'no such field: "{unknown[0]}"'
    if not isinstance(line.get("request"), dict):
        return "field 'request' is required"
    return None if isinstance(line.get("key", ""), str) else "field 'key' must be a string"
