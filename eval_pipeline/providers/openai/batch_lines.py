"""The lines of a batch: of its request file, and of its output and error files, read by the parsers of live answers."""

from collections.abc import Callable
from dataclasses import replace

import orjson

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome
from eval_pipeline.core.ports.models import EmbeddingFailure
from eval_pipeline.core.turns import Input
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.json_text import encode_json, json_text
from eval_pipeline.providers.openai.embeddings import parse_embeddings
from eval_pipeline.providers.openai.errors import parse_error_object
from eval_pipeline.providers.openai.responses import parse_response
from eval_pipeline.providers.reading import read_line
from eval_pipeline.providers.vectors import vector_attempt
from eval_pipeline.providers.words import malformed

_ENDED_EARLY = {"batch_expired": AttemptOutcome.EXPIRED, "batch_cancelled": AttemptOutcome.CANCELLED}


class OpenAILines:
    """Lines of a request file that differ in id and input alone: the rest is written as JSON once.

    Args:
        endpoint: such as ``/v1/responses``.
        body: what every request has besides its ``input``.
    """

    def __init__(self, *, endpoint: str, body: Json) -> None:
        shared = orjson.dumps({**body, "input": None})
        self._middle = b',"method":"POST","url":%b,"body":%b' % (orjson.dumps(endpoint), shared.removesuffix(b"null}"))

    def line(self, item_id: str, given: Input) -> bytes:
        """Return the line of one item, with its line break."""
        written = json_text(given) if isinstance(given, str) else encode_json(given)
        return b'{"custom_id":%b%b%b}}\n' % (json_text(item_id), self._middle, written)


def read_response_line(line: bytes) -> ResultLine:
    """Read one answer of ``/v1/responses``."""
    return read_line(line, _read_response, id_name="custom_id")


def _read_response(document: Json) -> ResultLine:
    return read_result(document, parse_response)


def read_result(document: Json, parse: Callable[[int, JsonDict | bytes, Headers], Attempt]) -> ResultLine:
    """Read a line of answers; ``parse`` is that of live ones."""
    custom_id, response = _id_of(document), document.get("response")
    if not isinstance(response, dict):
        return ResultLine(custom_id, _without_response(document))
    status, body = _reply_of(response)
    attempt = parse(status, body, {})
    return ResultLine(custom_id, attempt if attempt.error is None else _ended_early(attempt))


def read_embedding_line(line: bytes) -> ResultLine:
    """Read the vector of one text of ``/v1/embeddings``."""
    return read_line(line, _read_embedding, id_name="custom_id")


def _read_embedding(document: Json) -> ResultLine:
    response = document.get("response")
    if not isinstance(response, dict):
        return ResultLine(_id_of(document), _without_response(document))
    parsed = parse_embeddings(*_reply_of(response), {}, count=1)
    if isinstance(parsed, EmbeddingFailure):
        return ResultLine(_id_of(document), _ended_early(parsed.attempt))
    return ResultLine(_id_of(document), vector_attempt(parsed), payload=parsed)


def _id_of(document: Json) -> str | None:
    custom_id = document.get("custom_id")
    return custom_id if isinstance(custom_id, str) and custom_id else None


def _reply_of(response: Json) -> tuple[int, JsonDict | bytes]:
    """Return HTTP status and body."""
    status, body = response.get("status_code"), response.get("body")
    return status if type(status) is int else 200, body if isinstance(body, dict) else encode_json(body)


def _without_response(document: Json) -> Attempt:
    """Read a line that has an ``error`` in place of a response."""
    error = document.get("error")
    if not isinstance(error, dict):
        return malformed("a line without response and without error")
    read = parse_error_object(error, default_code="no_response")
    outcome = AttemptOutcome.RETRYABLE if read.transient else AttemptOutcome.FAILED
    return _ended_early(Attempt(outcome=outcome, error=read))


def _ended_early(attempt: Attempt) -> Attempt:
    """Name what was not done because its batch ended before; some servers say so with a status in the response."""
    outcome = None if attempt.error is None else _ENDED_EARLY.get(attempt.error.code)
    if attempt.error is None or outcome is None:
        return attempt
    return replace(attempt, outcome=outcome, error=replace(attempt.error, transient=True), account_fault=None)
