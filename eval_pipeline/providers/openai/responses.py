"""The Responses API: what one answer of it means. One parser for live calls and for lines of batch results.

Answers are read leniently from their bytes, never through the SDK's models: those take 60 µs to 100 µs an answer and
break on the fields that compatible servers leave out.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import OK, PLAINLY, AccountFault, Attempt, AttemptOutcome, ItemError, Served
from eval_pipeline.core.passages import searches_files
from eval_pipeline.core.secrets import excerpt, label
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.json_text import encode_json, read_loose_json
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.errors import is_no_address, parse_error, parse_error_object
from eval_pipeline.providers.openai.output import Output, read_output
from eval_pipeline.providers.openai.usage import read_usage
from eval_pipeline.providers.reading import parse_answer, read_answer
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.words import malformed, read_words

_ERRORS_FROM, _REFUSED_FROM = 300, 400
_NOT_THERE = frozenset({404, 405, 410, 501})
_MAX_EXCERPT = 200
_MAX_TIER = 40
_RESULTS = "file_search_call.results"
STANDARD_TIERS: Final = frozenset({"", "default", "auto", "standard", "on_demand"})
"""Names of the tier that is usual; ``on_demand`` is Groq's."""


class OpenAIAnswerer:
    """A model behind ``POST /responses``; the body goes out as it is given, and asks for what a file search found."""

    def __init__(self, connection: OpenAIConnection) -> None:
        self._connection = connection
        self._probing = asyncio.Lock()
        self._has_chat: bool | None = None

    async def ask(self, body: Json) -> Attempt:
        """Send one request body and translate what comes back."""
        reply = await self._connection.post("/responses", with_results(body))
        if not isinstance(reply, RawReply):
            return reply
        attempt = read_answer(parse_response, reply.http_status, reply.content, reply.headers)
        if _is_absent(attempt, http_status=reply.http_status) and await self._speaks_chat():
            attempt = other_protocol(attempt, base_url=self._connection.base_url)
        return self._connection.finish(attempt, latency_s=reply.latency_s)

    async def _speaks_chat(self) -> bool:
        """Ask once, with an empty request, which nobody answers or charges for, whether there are chat completions."""
        async with self._probing:
            if self._has_chat is None:
                reply = await self._connection.post("/chat/completions", {})
                self._has_chat = isinstance(reply, RawReply) and is_there(reply.http_status, reply.content)
            return self._has_chat


def _is_absent(attempt: Attempt, *, http_status: int) -> bool:
    """Tell whether an answer says that there is nothing at its path, in contrast to a page from elsewhere."""
    said = http_status in _NOT_THERE or (attempt.error is not None and is_no_address(attempt.error.message))
    return said and attempt.account_fault is AccountFault.NOT_AN_API


def is_there(http_status: int, body: bytes) -> bool:
    """Tell from what an empty request came to whether there is an API at its path."""
    if _ERRORS_FROM <= http_status < _REFUSED_FROM or http_status in _NOT_THERE:
        return False
    document = read_loose_json(body)
    return isinstance(document, Mapping) and not is_no_address(read_words(document).message)


def other_protocol(attempt: Attempt, *, base_url: str) -> Attempt:
    """Say that a server has no responses, but chat completions."""
    words = f"{base_url} has no /responses, but it has /chat/completions: it speaks protocol openai_chat"
    error = _error("other_protocol", words)
    return replace(attempt, error=error, account_fault=AccountFault.OTHER_PROTOCOL)


def with_results(body: Json) -> Json:
    """Return a body that asks for the passages that a file search finds; one without such a tool as it is.

    >>> with_results({"model": "m", "tools": [{"type": "file_search"}]})["include"]
    ['file_search_call.results']
    """
    if "tools" not in body or not searches_files(body):
        return body
    given = body.get("include")
    asked = list(given) if isinstance(given, list) else []
    return body if _RESULTS in asked else {**body, "include": [*asked, _RESULTS]}


def parse_response(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
    """Translate one answer, or the ``response`` of a batch line."""
    return parse_answer(http_status, body, headers, refused=parse_error, read=_read_response)


def _read_response(document: object) -> Attempt:
    if not isinstance(document, dict):
        return malformed(f"a JSON {type(document).__name__} instead of a response object")
    if document.get("error") is not None:
        return _failed(document)
    status, output = document.get("status"), document.get("output")
    if status == "completed" and (text := _only_text(output)) and not text.isspace():
        return _answered(document, text)
    if isinstance(status, str) and status in {"failed", "cancelled"}:
        return _ended_without_error(document)
    content = _read_content(output)
    if content is None:
        return malformed(f"a JSON object that is no response: {_excerpt(document)}")
    return _judge(document, content)


def _answered(document: Json, text: str) -> Attempt:
    """Return the ordinary answer, as nearly all of a batch are, without a detour."""
    usage, response_id, model = read_usage(document.get("usage")), document.get("id"), document.get("model")
    tier = document.get("service_tier")
    return Attempt(  # by place: with names it takes half as long again
        OK,
        text,
        None,
        response_id if isinstance(response_id, str) and response_id else None,
        model if isinstance(model, str) and model else None,
        usage,
        usage is None,
        PLAINLY if tier is None or tier == "default" else _served(document, None),
    )


def _error_of(document: Json) -> ItemError:
    return parse_error_object(document["error"], default_code="response_failed")


def _failed(document: Json) -> Attempt:
    error = _error_of(document)
    attempt = _with_facts(document, AttemptOutcome.FAILED, error=error)
    return replace(attempt, account_fault=AccountFault.NOT_AN_API) if is_no_address(error.message) else attempt


def _ended_without_error(document: Json) -> Attempt:
    cancelled = document["status"] == "cancelled"
    outcome = AttemptOutcome.CANCELLED if cancelled else AttemptOutcome.FAILED
    message = f"the provider reports status '{document['status']}' and no reason"
    return _with_facts(document, outcome, error=_error(f"response_{document['status']}", message))


def _judge(document: Json, content: Output) -> Attempt:
    """Decide what a response with readable content amounts to."""
    status = document.get("status")
    if content.refusal is not None:
        refused = _error("refusal", content.refusal or "the model refused without a word")
        return _with_facts(document, AttemptOutcome.REFUSED, content, error=refused)
    if status == "incomplete":
        return _with_facts(document, AttemptOutcome.TRUNCATED, content, error=_why_incomplete(document))
    if status is not None and status != "completed":  # some compatible servers name no status
        unknown = _error("unknown_status", f"the response has status {_shown(status)} instead of 'completed'")
        return _with_facts(document, AttemptOutcome.INVALID_OUTPUT, content, error=unknown)
    if not content.text.strip():
        return _with_facts(document, AttemptOutcome.EMPTY, content, error=_error("empty_output", content.why_empty))
    return _with_facts(document, AttemptOutcome.OK, content, error=None)


def _why_incomplete(document: Json) -> ItemError:
    details = document.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, Mapping) else None
    match reason:
        case "max_output_tokens":
            return _error(reason, "the answer was cut at the limit of output tokens (max_output_tokens)")
        case "content_filter":
            return _error(reason, "the provider's content filter cut the answer")
        case str():
            return _error("incomplete", f"the answer is incomplete: {excerpt(reason, most=_MAX_EXCERPT)}")
    return _error("incomplete", "the answer is incomplete; the provider gives no reason")


def _read_content(output: object) -> Output | None:
    """Collect all text and refusals of all messages in order; None when this is no list of output items."""
    if not isinstance(output, list):
        return None
    return read_output(output)


def _only_text(output: object) -> str | None:
    """Return the text of the ordinary answer, one message of one text; None for any other, which is read with care."""
    if not isinstance(output, list):
        return None
    try:
        (message,) = output
        (part,) = message["content"]
        ordinary = message["type"] == "message" and "phase" not in message and part["type"] == "output_text"
        text = part["text"] if ordinary else None
    except (ValueError, TypeError, KeyError):
        return None
    return text if isinstance(text, str) else None


def _with_facts(
    document: Json, outcome: AttemptOutcome, content: Output | None = None, *, error: ItemError | None
) -> Attempt:
    usage = read_usage(document.get("usage"))
    transient = error is not None and error.transient
    return Attempt(
        outcome=AttemptOutcome.RETRYABLE if transient else outcome,
        text=None if content is None else content.text or None,
        error=error,
        response_id=_text(document.get("id")),
        model=_text(document.get("model")),
        usage=usage,
        throttled=transient and error is not None and error.code == "rate_limit_exceeded",
        maybe_billed=usage is None,
        thinking=None if content is None else content.thinking,
        served=_served(document, content),
        passages=None if content is None else content.passages,
    )


def _served(document: Json, content: Output | None) -> Served:
    """Tell the tier that answered, which need not be the one that was asked for, and the hosted tools."""
    named = document.get("service_tier")
    tier = label(named, most=_MAX_TIER) if isinstance(named, str) and named not in STANDARD_TIERS else None
    tools = tuple(sorted(content.tools.items())) if content is not None and content.tools else ()
    return Served(tier, tools) if tier or tools else PLAINLY


def _error(code: str, message: str) -> ItemError:
    return ItemError(code=code, type="response_error", message=message, transient=False)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _shown(value: object) -> str:
    return excerpt(repr(value), most=_MAX_EXCERPT)


def _excerpt(document: Json) -> str:
    return excerpt(encode_json(document).decode(), most=_MAX_EXCERPT)
