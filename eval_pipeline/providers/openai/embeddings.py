"""The Embeddings API: packs of texts in, checked vectors out. One parser for live calls and for batch result lines.

Vectors are matched by ``index``, never by position, and each is checked by itself: one that is missing, of another
length, not finite or of norm 0 is one item's problem, the others live.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import Attempt
from eval_pipeline.core.ports.models import EmbeddingFailure, EmbeddingReply
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.json_text import read_loose_json
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.responses import parse_response
from eval_pipeline.providers.openai.usage import read_usage
from eval_pipeline.providers.reading import read_vectors
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.vectors import VECTOR_BYTES, check_vectors, decode_vector
from eval_pipeline.providers.words import malformed

_ERRORS_FROM = 300
_ENCODING: Final = "encoding_format"
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
        self._fixed: JsonDict = {"model": model, _ENCODING: "base64"}
        self._dimensions = dimensions
        if dimensions is not None:
            self._fixed["dimensions"] = dimensions

    async def embed(self, texts: Sequence[str]) -> EmbeddingReply | EmbeddingFailure:
        """Embed the texts in one call; a server that refuses base64 is asked for numbers from then on."""
        reply = await self._embed(texts)
        if isinstance(reply, EmbeddingReply) or not _refuses_base64(reply.attempt):
            return reply
        self._fixed.pop(_ENCODING, None)
        return await self._embed(texts)

    async def _embed(self, texts: Sequence[str]) -> EmbeddingReply | EmbeddingFailure:
        most_bytes = self._connection.max_answer_bytes + len(texts) * VECTOR_BYTES
        reply = await self._connection.post("/embeddings", {**self._fixed, "input": texts}, max_answer_bytes=most_bytes)
        if not isinstance(reply, RawReply):
            return EmbeddingFailure(attempt=reply, divisible=False)
        parsed = read_vectors(partial(parse_embeddings, count=len(texts), dimensions=self._dimensions), reply)
        if isinstance(parsed, EmbeddingReply):
            return parsed
        attempt = self._connection.finish(parsed.attempt, latency_s=reply.latency_s)
        return EmbeddingFailure(attempt=attempt, divisible=parsed.divisible)


def _refuses_base64(attempt: Attempt) -> bool:
    error = attempt.error
    return error is not None and not error.transient and _ENCODING in error.message


def parse_embeddings(
    http_status: int,
    body: bytes | Json,
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
    vectors, problems = check_vectors(raw, dimensions=dimensions)
    model = document.get("model")
    return EmbeddingReply(
        vectors=vectors,
        problems=problems,
        usage=read_usage(document.get("usage")),
        model=model if isinstance(model, str) and model.strip("\ufffd") and model.isprintable() else None,
        latency_s=latency_s,
    )


def _load(body: bytes | Json) -> object:
    return read_loose_json(body) if isinstance(body, bytes) else body


def _failure(http_status: int, body: bytes | Json, headers: Headers) -> EmbeddingFailure:
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
            found[index] = decode_vector(entry.get("embedding"))
    return found
