"""``batchEmbedContents``: packs of texts in, checked vectors out. One parser of vectors for live calls and batch lines.

The API names no index: vectors come in the order of the texts. An answer with more or fewer of them than texts were
sent is no answer, for nobody can tell whose they are.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.ports.models import EmbeddingFailure, EmbeddingReply
from eval_pipeline.providers.gemini.account import model_path
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.fields import pick
from eval_pipeline.providers.gemini.generate import parse_generation
from eval_pipeline.providers.gemini.usage import read_usage
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.json_text import read_loose_json
from eval_pipeline.providers.reading import read_vectors
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.vectors import VECTOR_BYTES, check_vectors, decode_vector
from eval_pipeline.providers.words import malformed

MAX_TEXTS_A_CALL: Final = 100
_ERRORS_FROM = 300
_DIVISIBLE_STATUSES = frozenset({400, 413})


class GeminiEmbedder:
    """An embedding model behind ``models/{model}:batchEmbedContents``.

    Vectors shorter than the model's own are not of length 1 (gemini-embedding-001 normalises only its 3,072
    dimensions); a cosine does not mind.

    Args:
        connection: the open connection.
        model: such as ``gemini-embedding-001``.
        dimensions: shorter vectors, where the model offers them.
        task_type: what they are for, such as ``SEMANTIC_SIMILARITY``; None: the model's default.
    """

    def __init__(
        self, connection: GeminiConnection, *, model: str, dimensions: int | None = None, task_type: str | None = None
    ) -> None:
        self._connection = connection
        self._model = model
        self._dimensions = dimensions
        self._path = f"{model_path(model)}:batchEmbedContents"
        self._fixed = {"model": model_path(model), **embedding_fields(dimensions=dimensions, task_type=task_type)}

    async def embed(self, texts: Sequence[str]) -> EmbeddingReply | EmbeddingFailure:
        """Embed the texts in one call; more than it takes are not sent, but may be in several."""
        if len(texts) > MAX_TEXTS_A_CALL:
            return EmbeddingFailure(attempt=_too_many(len(texts)), divisible=True)
        requests = [{**self._fixed, "content": {"parts": [{"text": text}]}} for text in texts]
        most_bytes = self._connection.max_answer_bytes + len(texts) * VECTOR_BYTES
        reply = await self._connection.post(self._path, {"requests": requests}, max_answer_bytes=most_bytes)
        if not isinstance(reply, RawReply):
            return EmbeddingFailure(attempt=reply, divisible=False)
        parse = partial(parse_embeddings, count=len(texts), model=self._model, dimensions=self._dimensions)
        parsed = read_vectors(parse, reply)
        if isinstance(parsed, EmbeddingReply):
            return parsed
        attempt = self._connection.finish(parsed.attempt, latency_s=reply.latency_s)
        return EmbeddingFailure(attempt=attempt, divisible=parsed.divisible)


def embedding_fields(*, dimensions: int | None, task_type: str | None) -> JsonDict:
    """Return what every request of an embedding has besides its text."""
    fields = {"outputDimensionality": dimensions, "taskType": task_type}
    return {name: value for name, value in fields.items() if value is not None}


def parse_embeddings(
    http_status: int,
    body: bytes,
    headers: Headers,
    *,
    count: int,
    model: str | None = None,
    dimensions: int | None = None,
    latency_s: float = 0.0,
) -> EmbeddingReply | EmbeddingFailure:
    """Translate one answer to a call with ``count`` texts.

    Args:
        http_status: of the answer.
        body: the bytes.
        headers: of the answer.
        count: texts that were sent.
        model: that was asked; answers name none.
        dimensions: the length that every vector must have; None: the one that most of them have.
        latency_s: seconds that the call took.
    """
    document = read_loose_json(body) if http_status < _ERRORS_FROM else None
    entries = pick(document, "embeddings") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(entries, list) or not entries:
        return _failure(http_status, body, headers)
    if len(entries) != count:
        words = f"{counted(len(entries), 'vector')} for {counted(count, 'text')}: whose they are cannot be told"
        return EmbeddingFailure(attempt=malformed(words), divisible=False)
    vectors, problems = check_vectors([read_values(entry) for entry in entries], dimensions=dimensions)
    usage = read_usage(pick(document, "usageMetadata"))
    return EmbeddingReply(vectors=vectors, problems=problems, usage=usage, model=model, latency_s=latency_s)


def read_values(entry: object) -> bytes | str:
    """Read one embedding object, or say what is wrong with it."""
    values = entry.get("values") if isinstance(entry, Mapping) else None
    return decode_vector(values) if isinstance(values, list) else "the provider returned no vector for this text"


def _failure(http_status: int, body: bytes, headers: Headers) -> EmbeddingFailure:
    """Read an answer without vectors as one reads an answer without text."""
    attempt = parse_generation(http_status, body, headers)
    if attempt.error is None:  # a generated answer where a list of vectors belongs
        attempt = malformed("an answer without vectors")
    divisible = http_status in _DIVISIBLE_STATUSES and attempt.account_fault is None
    return EmbeddingFailure(attempt=attempt, divisible=divisible)


def _too_many(texts: int) -> Attempt:
    words = f"{texts:,} texts in one call, which may have {MAX_TEXTS_A_CALL}"
    return Attempt(
        outcome=AttemptOutcome.FAILED,
        error=ItemError(code="too_many_texts", type="embedding", message=words, transient=False),
    )
