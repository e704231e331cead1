"""``POST /v1/embeddings``: what a valid request is, and the list of vectors that answers it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import orjson

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.openai.bodies import (
    InvalidBodyError,
    invalid_type,
    missing,
    read_object,
    refuse_unknown,
    require_text,
)
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.tokens import count_tokens
from eval_pipeline.standins.vectors import Vectors, embed

EMBEDDING_FAULTS = TRANSPORT_FAULTS | {
    FaultKind.INSUFFICIENT_QUOTA,
    FaultKind.MALFORMED,
    FaultKind.NO_USAGE,
    FaultKind.EMPTY,
    FaultKind.WRONG_COUNT,
    FaultKind.SHUFFLED,
    FaultKind.DUPLICATE_INDEX,
    FaultKind.WRONG_DIMENSION,
    FaultKind.NAN,
    FaultKind.ZERO_VECTOR,
}
WIDTHS = {"text-embedding-3-large": 3072, "text-embedding-3-small": 1536, "text-embedding-ada-002": 1536}
DEFAULT_WIDTH = 1536
MAX_INPUTS = 2048
MAX_INPUT_TOKENS = 8192
MAX_REQUEST_TOKENS = 300_000

Encoding = Literal["float", "base64"]

_PARAMETERS = frozenset({"input", "model", "dimensions", "encoding_format", "user"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A valid request."""

    model: str
    texts: tuple[str, ...]
    width: int
    encoding: Encoding
    tokens: int


def read_request(raw: bytes, dialect: Dialect = Dialect.OPENAI) -> Request:
    """Read the body of a request, or refuse it as the real API does."""
    body = read_object(raw)
    if not dialect.knows_base64:
        body.pop("encoding_format", None)
    model = require_text(body, "model")
    refuse_unknown(body, known=_PARAMETERS)
    texts = _read_texts(body.get("input"))
    tokens = _count_within_limits(texts)
    return Request(model=model, texts=texts, width=_width(body, model), encoding=_read_encoding(body), tokens=tokens)


def _read_encoding(body: Json) -> Encoding:
    match body.get("encoding_format"):
        case None | "float":
            return "float"
        case "base64":
            return "base64"
        case other:
            raise invalid_type("encoding_format", other, expected="'float' or 'base64'")


def _read_texts(given: object) -> tuple[str, ...]:
    if given is None:
        raise missing("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise invalid_type("input", given, expected="a string or an array of strings")
    if not texts or "" in texts:
        raise InvalidBodyError("Invalid 'input': input cannot be an empty string.", param="input")
    if len(texts) > MAX_INPUTS:
        message = f"Invalid 'input': array too long. Expected at most {MAX_INPUTS} items, but got {len(texts)}."
        raise InvalidBodyError(message, param="input", code="array_above_max_length")
    return tuple(texts)


def _count_within_limits(texts: Sequence[str]) -> int:
    counts = [count_tokens(text) for text in texts]
    if max(counts) > MAX_INPUT_TOKENS:
        message = f"This model's maximum context length is {MAX_INPUT_TOKENS} tokens, however you requested "
        raise InvalidBodyError(f"{message}{max(counts)} tokens.", param="input")
    if (total := sum(counts)) > MAX_REQUEST_TOKENS:
        message = f"Requested {total} tokens, max {MAX_REQUEST_TOKENS} tokens per request"
        raise InvalidBodyError(message, param="input", code="max_tokens_per_request")
    return total


def _width(body: Json, model: str) -> int:
    largest = WIDTHS.get(model, DEFAULT_WIDTH)
    wanted = body.get("dimensions")
    if wanted is None:
        return largest
    if model == "text-embedding-ada-002":
        raise InvalidBodyError("This model does not support specifying dimensions.", param="dimensions")
    if type(wanted) is not int or not 1 <= wanted <= largest:
        message = f"Invalid value for 'dimensions' = {wanted!r}. Must be from 1 to {largest}."
        raise InvalidBodyError(message, param="dimensions", code="invalid_value")
    return wanted


def embedding_list(request: Request, rule: FaultRule | None) -> bytes:
    """Return the JSON body with all vectors, spoiled as the rule says."""
    vectors = embed(request.texts, request.width)
    kind = None if rule is None else rule.kind
    if rule is not None:
        _spoil(vectors, kind=rule.kind, rows=_rows_meant(request.texts, rule))
    short = _rows_meant(request.texts, rule) if rule and kind is FaultKind.WRONG_DIMENSION else []
    data = _entries(request, vectors, short=short)
    document: JsonDict = {"object": "list", "data": _misarranged(data, kind), "model": request.model}
    if kind is not FaultKind.NO_USAGE:
        document["usage"] = {"prompt_tokens": request.tokens, "total_tokens": request.tokens}
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _rows_meant(texts: Sequence[str], rule: FaultRule) -> list[int]:
    """Return which vectors a rule spoils: those of the inputs that it matches, else the first."""
    if rule.match is None:
        return [0]
    return [row for row, text in enumerate(texts) if rule.meets(text)]


def _spoil(vectors: Vectors, *, kind: FaultKind, rows: Sequence[int]) -> None:
    if kind is FaultKind.NAN:
        vectors[rows, 0] = np.nan  # JSON has no NaN: with encoding_format float it arrives as null
    if kind is FaultKind.ZERO_VECTOR:
        vectors[rows] = 0.0


def _entries(request: Request, vectors: Vectors, *, short: Sequence[int]) -> list[JsonDict]:
    rows = [vector[:-1] if row in short else vector for row, vector in enumerate(vectors)]
    encoded = rows if request.encoding == "float" else [_base64(row) for row in rows]
    return [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(encoded)]


def _base64(vector: Vectors) -> str:
    return base64.b64encode(vector.astype("<f4", copy=False).tobytes()).decode("ascii")


def _misarranged(data: list[JsonDict], kind: FaultKind | None) -> list[JsonDict]:
    match kind:
        case FaultKind.EMPTY:
            return []
        case FaultKind.WRONG_COUNT:
            return data[:-1]
        case FaultKind.SHUFFLED:
            return data[::-1]
        case FaultKind.DUPLICATE_INDEX:
            return [*data[:-1], {**data[-1], "index": 0}]
    return data
