"""Reads one answer: whatever goes wrong meanwhile is its own fault, and never its neighbours'.

Parsers know the shapes that providers are known to send. One that nobody thought of (an object where a word belongs)
makes a ``malformed`` item that keeps what came; the others that were paid for are read all the same.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import orjson

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome
from eval_pipeline.core.ports.models import EmbeddingFailure, EmbeddingReply
from eval_pipeline.core.secrets import excerpt
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.json_text import read_json, read_loose_json
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.words import malformed, unreadable

UNREADABLE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a parser raises that met a shape which it does not know."""
RAW_CHARACTERS: Final = 65_536
_ERRORS_FROM: Final = 300
_TEXT: Final = rb'"(?:[^"\\]|\\.)*+"'
_TOKENS: Final = re.compile(rb"%b|[\[{]++|[\]}]++" % _TEXT, re.DOTALL)
_VALUE: Final = re.compile(rb"\s*+:\s*+(%b)" % _TEXT, re.DOTALL)
_OPENS, _CLOSES = b"[{", b"]}"


def parse_answer(
    http_status: int,
    body: bytes | Json,
    headers: Headers,
    *,
    refused: Callable[[int, bytes | Json, Headers], Attempt],
    read: Callable[[object], Attempt],
    no_json: Callable[[int, bytes, Headers], Attempt] = unreadable,
) -> Attempt:
    """Translate one answer of a protocol that answers in JSON, or one line of its batches.

    Args:
        http_status: of the answer; for a line what stands in it, or 200.
        body: the bytes, or the JSON object of a batch line.
        headers: of the answer, empty for a batch line.
        refused: translates an error.
        read: translates the document.
        no_json: translates what is none.
    """
    if http_status >= _ERRORS_FROM:
        return refused(http_status, body, headers)
    if not isinstance(body, bytes):
        return read(body)
    try:
        document = read_json(body)
    except ValueError:
        return no_json(http_status, body, headers)
    return read(document)


def read_answer(
    parse: Callable[[int, bytes, Headers], Attempt], http_status: int, body: bytes, headers: Headers
) -> Attempt:
    """Translate one live answer; one that cannot be read keeps its bytes."""
    try:
        attempt = parse(http_status, body, headers)
    except UNREADABLE as error:
        attempt = unexpected(error)
    return replace(attempt, raw=kept(body)) if attempt.outcome is AttemptOutcome.MALFORMED else attempt


class ParseVectors(Protocol):
    """Translates one answer to a call about several texts."""

    def __call__(
        self, http_status: int, body: bytes, headers: Headers, /, *, latency_s: float
    ) -> EmbeddingReply | EmbeddingFailure:
        """Return the vectors, or why there are none."""
        ...


def read_vectors(parse: ParseVectors, reply: RawReply) -> EmbeddingReply | EmbeddingFailure:
    """Translate one live answer about vectors; one that cannot be read keeps its bytes."""
    try:
        parsed = parse(reply.http_status, reply.content, reply.headers, latency_s=reply.latency_s)
    except UNREADABLE as error:
        parsed = EmbeddingFailure(attempt=unexpected(error), divisible=False)
    if isinstance(parsed, EmbeddingReply) or parsed.attempt.outcome is not AttemptOutcome.MALFORMED:
        return parsed
    return replace(parsed, attempt=replace(parsed.attempt, raw=kept(reply.content)))


def read_line(line: bytes, read: Callable[[Json], ResultLine], *, id_name: str) -> ResultLine:
    """Read one line of a batch's results; its file keeps it, whatever it is."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        document = read_loose_json(line)
    if not isinstance(document, dict):
        return ResultLine(id_in(line, id_name), malformed("a line that is no JSON object"))
    try:
        return read(document)
    except UNREADABLE as error:
        item_id = document.get(id_name)
        return ResultLine(item_id if isinstance(item_id, str) else None, unexpected(error))


def unexpected(error: Exception) -> Attempt:
    """Return the attempt of an answer in a shape that its parser does not know."""
    return malformed(
        f"an answer in a shape that is not known ({type(error).__name__}: {excerpt(str(error), most=200)})"
    )


def kept(body: bytes) -> str:
    """Return what came, as far as it is kept."""
    return excerpt(body.decode("utf-8", "replace"), most=RAW_CHARACTERS)


def id_in(line: bytes, name: str) -> str | None:
    """Find whose a line is that is no JSON: a field of the line itself, not of what is nested in it."""
    wanted = b'"%b"' % name.encode()
    depth = 0
    found = None
    for token in _TOKENS.finditer(line):
        mark = token[0]
        if mark[0] in _OPENS:
            depth += len(mark)
        elif mark[0] in _CLOSES:
            depth -= len(mark)
        elif depth == 1 and mark == wanted and (found := _VALUE.match(line, token.end())):
            break
    try:
        item_id = None if found is None else orjson.loads(found[1])
    except orjson.JSONDecodeError:
        return None
    return item_id if isinstance(item_id, str) and item_id else None
