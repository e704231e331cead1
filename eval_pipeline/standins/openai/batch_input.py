"""What a valid batch is: its create request, and the lines of its file, read one after the other.

A line whose request body is wrong passes here: it gets an answer of its own, with status 400.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.openai.bodies import (
    InvalidBodyError,
    invalid_type,
    read_object,
    refuse_unknown,
    require_text,
)
from eval_pipeline.standins.openai.files import EXPIRY_S

ENDPOINTS = ("/v1/responses", "/v1/chat/completions", "/v1/embeddings")
WINDOW = "24h"
_PARAMETERS = frozenset({"input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"})
_MAX_PAIRS, _MAX_KEY_CHARACTERS, _MAX_VALUE_CHARACTERS = 16, 64, 512
_MAX_ERRORS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How large a batch may be."""

    requests: int = 50_000
    file_bytes: int = 200_000_000
    embedding_inputs: int = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A valid request for a batch."""

    input_file_id: str
    endpoint: str
    metadata: Mapping[str, str] | None
    output_expires_after_s: int | None


def read_order(raw: bytes) -> Order:
    """Read the body of a request, or refuse it as the real API does."""
    body = read_object(raw)
    input_file_id = require_text(body, "input_file_id")
    endpoint = _one_of(body, "endpoint", ENDPOINTS)
    _one_of(body, "completion_window", (WINDOW,))
    refuse_unknown(body, known=_PARAMETERS)
    return Order(
        input_file_id=input_file_id,
        endpoint=endpoint,
        metadata=_read_metadata(body.get("metadata")),
        output_expires_after_s=_read_expiry(body.get("output_expires_after")),
    )


def _one_of(body: Json, param: str, known: tuple[str, ...]) -> str:
    value = require_text(body, param)
    if value not in known:
        message = f"Invalid value: '{value}'. Supported values are: {', '.join(repr(name) for name in known)}."
        raise InvalidBodyError(message, param=param, code="invalid_value")
    return value


def _read_metadata(given: object) -> Mapping[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise invalid_type("metadata", given, expected="an object")
    if len(given) > _MAX_PAIRS:
        message = f"Invalid 'metadata': too many properties. Expected at most {_MAX_PAIRS}, but got {len(given)}."
        raise InvalidBodyError(message, param="metadata", code="object_above_max_properties")
    for key, value in given.items():
        if not isinstance(value, str):
            raise invalid_type(f"metadata.{key}", value, expected="a string")
        _check_length("metadata key", key, _MAX_KEY_CHARACTERS)
        _check_length(f"metadata.{key}", value, _MAX_VALUE_CHARACTERS)
    return given


def _check_length(param: str, text: str, most: int) -> None:
    if len(text) > most:
        message = f"Invalid '{param}': string too long. Expected at most {most} characters, but got {len(text)}."
        raise InvalidBodyError(message, param="metadata", code="string_above_max_length")


def _read_expiry(given: object) -> int | None:
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("anchor") != "created_at":
        raise invalid_type("output_expires_after", given, expected="an object with anchor 'created_at'")
    seconds = given.get("seconds")
    if type(seconds) is not int or seconds not in EXPIRY_S:
        message = f"Invalid 'output_expires_after.seconds': expected {EXPIRY_S.start} to {EXPIRY_S.stop - 1}."
        raise InvalidBodyError(message, param="output_expires_after.seconds", code="invalid_value")
    return seconds


Problem = dict[str, object]


@dataclass(slots=True)
class Inspection:
    """What is known of a file after some of its lines; at most a hundred problems are kept."""

    endpoint: str
    limits: BatchLimits
    lines: int = 0
    inputs: int = 0
    model: str | None = None
    ids: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def read(self, raw: bytes) -> None:
        """Judge the next line."""
        self.lines += 1
        try:
            line = orjson.loads(raw)
        except orjson.JSONDecodeError:
            line = None
        if isinstance(line, dict):
            self._judge(line)
        else:
            self._note("invalid_json_line", "This line is not parseable as valid JSON.")

    def _judge(self, line: Json) -> None:
        for param in ("custom_id", "method", "url", "body"):
            if line.get(param) in (None, ""):
                self._note("missing_required_parameter", f"Missing required parameter: '{param}'.", param)
                return
        self._judge_id(line["custom_id"])
        if line["method"] != "POST":
            self._note("invalid_method", f"Invalid method: '{line['method']}'. Only 'POST' is supported.", "method")
        if line["url"] != self.endpoint:
            message = f"The URL provided for this request does not match the batch endpoint '{self.endpoint}'."
            self._note("invalid_url" if line["url"] not in ENDPOINTS else "mismatched_url", message, "url")
        if isinstance(line["body"], dict):
            self._judge_body(line["body"])
        else:
            self._note("invalid_type", "Invalid type for 'body': expected an object.", "body")

    def _judge_id(self, custom_id: object) -> None:
        if not isinstance(custom_id, str):
            self._note("invalid_type", "Invalid type for 'custom_id': expected a string.", "custom_id")
        elif custom_id in self.ids:
            message = "The custom_id for this request is a duplicate of another request. The custom_id parameter "
            self._note("duplicate_custom_id", f"{message}must be unique for each request in a batch.", "custom_id")
        else:
            self.ids.add(custom_id)

    def _judge_body(self, body: Json) -> None:
        model, given = body.get("model"), body.get("input")
        if isinstance(model, str):
            if self.model not in (None, model):
                message = (
                    f"All requests of a batch must use one model, but this one uses '{model}', not '{self.model}'."
                )
                self._note("mismatched_model", message, "body.model")
            self.model = self.model or model
        self.inputs += len(given) if isinstance(given, list) else 1

    def conclude(self) -> list[Problem]:
        """Return what is wrong with the file, after its last line."""
        if not self.lines:
            self._note("empty_file", "The input file is empty.", line=None)
        if self.lines > self.limits.requests:
            message = f"The batch has {self.lines} requests, more than the {self.limits.requests} that are allowed."
            self._note("too_many_requests", message, line=None)
        if self.endpoint == "/v1/embeddings" and self.inputs > self.limits.embedding_inputs:
            message = f"The batch has {self.inputs} embedding inputs, more than {self.limits.embedding_inputs}."
            self._note("too_many_embedding_inputs", message, line=None)
        return self.problems

    def _note(self, code: str, message: str, param: str | None = None, *, line: int | None = -1) -> None:
        if len(self.problems) < _MAX_ERRORS:
            place = self.lines if line == -1 else line
            self.problems.append({"code": code, "message": message, "param": param, "line": place})


def inspect(path: Path, endpoint: str, *, limits: BatchLimits) -> Inspection:
    """Read a whole input file; its problems are those of the conclusion."""
    inspection = Inspection(endpoint, limits)
    size_bytes = path.stat().st_size
    if size_bytes > limits.file_bytes:
        message = f"The input file has {size_bytes} bytes, more than the {limits.file_bytes} that are allowed."
        problem: Problem = {"code": "file_too_large", "message": message, "param": "input_file_id", "line": None}
        inspection.problems.append(problem)
        return inspection
    with path.open("rb") as lines:  # binary files split on \n alone
        for raw in lines:
            inspection.read(raw)
    inspection.conclude()
    return inspection
