"""The lines of Anthropic's batches: requests under an item's id, results read by the parser of live answers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import orjson

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.turns import Input
from eval_pipeline.providers.anthropic.errors import attempt_of, read_error
from eval_pipeline.providers.anthropic.messages import parse_message
from eval_pipeline.providers.anthropic.requests import earlier_turns, fixed_fields, request_of
from eval_pipeline.providers.json_text import encode_json, json_text
from eval_pipeline.providers.reading import read_line
from eval_pipeline.providers.words import malformed

ENDPOINT: Final = "/v1/messages/batches"
_UNDONE: Final = {
    "expired": (AttemptOutcome.EXPIRED, "batch_expired", "the batch expired before the item was done"),
    "canceled": (AttemptOutcome.CANCELLED, "batch_cancelled", "the batch was cancelled before the item was done"),
}


class AnthropicLines:
    """Request lines of answers: what every request shares is written as JSON once.

    Args:
        body: the model body of a run, read as live calls read it.
    """

    def __init__(self, *, body: Json) -> None:
        self._body = body
        turns = b"".join(orjson.dumps(turn) + b"," for turn in earlier_turns(body))
        fixed = orjson.dumps(fixed_fields(body)).removesuffix(b"}")
        self._middle = b',"params":%b,"messages":[%b{"role":"user","content":' % (fixed, turns)

    def line(self, item_id: str, given: Input) -> bytes:
        """Return the line of one item, with its line break."""
        if not isinstance(given, str):
            request = encode_json(request_of({**self._body, "input": given}))
            return b'{"custom_id":%b,"params":%b}\n' % (json_text(item_id), request)
        return b'{"custom_id":%b%b%b}]}}\n' % (json_text(item_id), self._middle, json_text(given))


def read_message_line(line: bytes) -> ResultLine:
    """Read one result."""
    return read_line(line, _read_result, id_name="custom_id")


def _read_result(document: Json) -> ResultLine:
    given, result = document.get("custom_id"), document.get("result")
    custom_id = given if isinstance(given, str) and given else None
    return ResultLine(custom_id, _attempt_of(result if isinstance(result, Mapping) else {}))


def _attempt_of(result: Json) -> Attempt:
    kind = result.get("type")
    if kind == "succeeded" and isinstance(result.get("message"), Mapping):
        return parse_message(200, result["message"], {})
    if kind == "errored" and isinstance(result.get("error"), Mapping):
        return replace(attempt_of(read_error(None, result["error"], {})), throttled=False)
    if isinstance(kind, str) and kind in _UNDONE:
        outcome, code, words = _UNDONE[kind]
        return Attempt(outcome, error=ItemError(code=code, type="batch", message=words, transient=True))
    return malformed("a line without a result that is known")
