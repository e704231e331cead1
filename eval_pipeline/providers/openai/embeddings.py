"""The Embeddings API: packs of texts in, checked vectors out. One parser for live calls and for batch result lines.

Vectors are matched by ``index``, never by position, and each is checked by itself: one that is missing, of another
length, not finite or of norm 0 is one item's problem, the others live.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pybase64

from eval_pipeline.core.ports import EmbeddingFailure, EmbeddingReply
from eval_pipeline.providers.openai.client import OpenAIConnection, RawReply
from eval_pipeline.providers.openai.headers import Headers
from eval_pipeline.providers.openai.responses import malformed, parse_response
from eval_pipeline.providers.openai.usage import read_usage

_FLOAT_BYTES = 4
_ERRORS_FROM = 300
_DIVISIBLE_STATUSES = frozenset({400, 413, 422})


class OpenAIEmbedder:
    """An embedding model behind ``POST /embeddings``.

    Args:
        connection: the open connection.
        model: such as ``text-embedding-3-large``.
        dimensions: shorter vectors, where the model offers them.
    """

    def __init__(self, connection: OpenAIConnection, *, model: str, dimensions: int | None = None) -> None:
        self._connection = connection
        self._fixed: dict[str, Any] = {"model": model, "encoding_format": "base64"}
        self._dimensions = dimensions
        if dimensions is not None:
            self._fixed["dimensions"] = dimensions

    async def embed(self, texts: Sequence[str]) -> EmbeddingReply | EmbeddingFailure:
        """Embed the texts in one call."""
        reply = await self._connection.post("/embeddings", {**self._fixed, "input": texts})
        if not isinstance(reply, RawReply):
            return EmbeddingFailure(attempt=reply, divisible=False)
        parsed = parse_embeddings(
            reply.http_status,
            reply.content,
            reply.headers,
            count=len(texts),
            dimensions=self._dimensions,
            latency_s=reply.latency_s,
        )
        if isinstance(parsed, EmbeddingReply):
            return parsed
        attempt = self._connection.finish(parsed.attempt, latency_s=reply.latency_s)
        return EmbeddingFailure(attempt=attempt, divisible=parsed.divisible)


def parse_embeddings(
    http_status: int,
    body: bytes | Mapping[str, Any],
    headers: Headers,
    *,
    count: int,
    dimensions: int | None = None,
    latency_s: float = 0.0,
) -> EmbeddingReply | EmbeddingFailure:
    """Translate one answer to a call with ``count`` texts.

    Args:
        http_status: of the answer.
        body: the bytes, or the JSON object of a batch line.
        headers: of the answer, empty for a batch line.
        count: texts that were sent.
        dimensions: the length that every vector must have; None: the one that most of them have.
        latency_s: seconds that the call took.
    """
    document = _load(body) if http_status < _ERRORS_FROM else None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(data, list) or not data:
        return _failure(http_status, body, headers)
    raw = _by_index(data, count=count)
    vectors, problems = _check(raw, dimensions=dimensions)
    model = document.get("model")
    return EmbeddingReply(
        vectors=vectors,
        problems=problems,
        usage=read_usage(document.get("usage")),
        model=model if isinstance(model, str) and model and model.isprintable() else None,
        latency_s=latency_s,
    )


def _load(body: bytes | Mapping[str, Any]) -> object:
    if not isinstance(body, bytes):
        return body
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _load_with_nan(body)


def _load_with_nan(body: bytes) -> object:
    """Read ``NaN`` and ``Infinity``, which are no JSON but which servers in Python write; None if it is none either."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _failure(http_status: int, body: bytes | Mapping[str, Any], headers: Headers) -> EmbeddingFailure:
    """Read an answer without vectors as one reads an answer without text."""
    attempt = parse_response(http_status, body, headers)
    if attempt.error is None:  # a response object where a list of vectors belongs
        attempt = malformed("an answer without vectors")
    divisible = http_status in _DIVISIBLE_STATUSES and attempt.account_fault is None
    return EmbeddingFailure(attempt=attempt, divisible=divisible)


def _by_index(data: Sequence[object], *, count: int) -> list[bytes | str]:
    """Return one vector, or why there is none, per text; of several with one index the first counts."""
    found: list[bytes | str] = ["the provider returned no vector for this text"] * count
    taken: set[int] = set()
    for entry in data:
        index = entry.get("index") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and type(index) is int and 0 <= index < count and index not in taken:
            taken.add(index)
            found[index] = _decode(entry.get("embedding"))
    return found


def _decode(embedding: object) -> bytes | str:
    """Return little-endian float32, or what is wrong."""
    try:
        if isinstance(embedding, str):
            return pybase64.b64decode(embedding, validate=True)
        if isinstance(embedding, list):
            with np.errstate(over="ignore"):  # infinite as float32, which is found below
                return np.asarray(embedding, dtype="<f4").tobytes()
    except (ValueError, TypeError, OverflowError):  # no base64, no numbers
        return "the vector cannot be read"
    return "the vector cannot be read"


def _check(raw: Sequence[bytes | str], *, dimensions: int | None) -> tuple[list[bytes | None], list[str | None]]:
    """Check every vector by itself; return vectors and problems, one of the two per text."""
    expected = _usual_length(raw) if dimensions is None else dimensions * _FLOAT_BYTES
    vectors = [vector if isinstance(vector, bytes) and _is_whole(vector, expected) else None for vector in raw]
    problems = [_shape_problem(vector, expected=expected) for vector in raw]
    for row, problem in _number_problems(vectors):
        vectors[row], problems[row] = None, problem
    return vectors, problems


def _usual_length(raw: Sequence[bytes | str]) -> int:
    """Return how many bytes most of the vectors have; 0 when there is none."""
    lengths = [len(vector) for vector in raw if isinstance(vector, bytes)]
    if len(lengths) > 1:
        return Counter(lengths).most_common(1)[0][0]
    return lengths[0] if lengths else 0


def _is_whole(vector: bytes, expected: int) -> bool:
    return len(vector) == expected and expected > 0 and expected % _FLOAT_BYTES == 0


def _shape_problem(vector: bytes | str, *, expected: int) -> str | None:
    if isinstance(vector, str):
        return vector
    if _is_whole(vector, expected):
        return None
    return f"the vector has {len(vector) / _FLOAT_BYTES:g} dimensions where {expected / _FLOAT_BYTES:g} are expected"


def _is_sound(vector: bytes) -> bool:
    """Tell in one pass that every number is finite and some are not 0; False where that takes a closer look."""
    numbers = np.frombuffer(vector, dtype="<f4")
    return 0 < float(numbers.dot(numbers)) < math.inf


def _number_problems(vectors: Sequence[bytes | None]) -> list[tuple[int, str]]:
    """Find vectors with NaN or infinity, and those of norm 0, which no cosine is defined for."""
    rows = [row for row, vector in enumerate(vectors) if vector is not None and not _is_sound(vector)]
    if not rows:
        return []
    matrix = np.frombuffer(b"".join(vectors[row] or b"" for row in rows), dtype="<f4").reshape(len(rows), -1)
    finite = np.isfinite(matrix).all(axis=1)
    zero = (matrix == 0).all(axis=1)
    return [
        (row, "the vector is zero" if zero[place] else "the vector holds a number that is not finite")
        for place, row in enumerate(rows)
        if zero[place] or not finite[place]
    ]
