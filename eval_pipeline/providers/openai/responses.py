"""The Responses API: what one answer of it means. One parser for live calls and for lines of batch results.

Answers are read leniently from their bytes, never through the SDK's models: those take 60 µs to 100 µs an answer and
break on the fields that compatible servers leave out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.secrets import excerpt
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.json_text import encode_json, read_json
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.errors import parse_error, parse_error_object
from eval_pipeline.providers.openai.usage import read_usage
from eval_pipeline.providers.reading import read_answer
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.words import malformed, unreadable

_ERRORS_FROM = 300
_MAX_EXCERPT = 200


class _Content(NamedTuple):
    """What the messages of a response hold."""

    text: str
    refusal: str | None


class OpenAIAnswerer:
    """A model behind ``POST /responses``; the body goes out as it is given."""

    def __init__(self, connection: OpenAIConnection) -> None:
        self._connection = connection

    async def ask(self, body: Mapping[str, Any]) -> Attempt:
        """Send one request body and translate what comes back."""
        reply = await self._connection.post("/responses", body)
        if not isinstance(reply, RawReply):
            return reply
        attempt = read_answer(parse_response, reply.http_status, reply.content, reply.headers)
        return self._connection.finish(attempt, latency_s=reply.latency_s)


def parse_response(http_status: int, body: bytes | Mapping[str, Any], headers: Headers) -> Attempt:
    """Translate one answer.

    Args:
        http_status: of the answer; in a batch line ``response.status_code``.
        body: the bytes, or the JSON object of a batch line.
        headers: of the answer, empty for a batch line.
    """
    if http_status >= _ERRORS_FROM:
        return parse_error(http_status, body, headers)
    if not isinstance(body, bytes):
        return _read_response(body)
    try:
        document = read_json(body)
    except ValueError:
        return unreadable(http_status, body, headers)
    return _read_response(document)


def _read_response(document: object) -> Attempt:
    if not isinstance(document, dict):
        return malformed(f"a JSON {type(document).__name__} instead of a response object")
    if document.get("error") is not None:
        return _with_facts(document, AttemptOutcome.FAILED, error=_error_of(document))
    status = document.get("status")
    if isinstance(status, str) and status in {"failed", "cancelled"}:
        return _ended_without_error(document)
    content = _read_content(document.get("output"))
    if content is None:
        return malformed(f"a JSON object that is no response: {_excerpt(document)}")
    return _judge(document, content)


def _error_of(document: Mapping[str, Any]) -> ItemError:
    return parse_error_object(document["error"], default_code="response_failed")


def _ended_without_error(document: Mapping[str, Any]) -> Attempt:
    cancelled = document["status"] == "cancelled"
    outcome = AttemptOutcome.CANCELLED if cancelled else AttemptOutcome.FAILED
    message = f"the provider reports status '{document['status']}' and no reason"
    return _with_facts(document, outcome, error=_error(f"response_{document['status']}", message))


def _judge(document: Mapping[str, Any], content: _Content) -> Attempt:
    """Decide what a response with readable content amounts to."""
    status = document.get("status")
    text = content.text
    if content.refusal is not None:
        refused = _error("refusal", content.refusal or "the model refused without a word")
        return _with_facts(document, AttemptOutcome.REFUSED, text=text or None, error=refused)
    if status == "incomplete":
        return _with_facts(document, AttemptOutcome.TRUNCATED, text=text or None, error=_why_incomplete(document))
    if status is not None and status != "completed":  # some compatible servers name no status
        unknown = _error("unknown_status", f"the response has status {_shown(status)} instead of 'completed'")
        return _with_facts(document, AttemptOutcome.INVALID_OUTPUT, text=text or None, error=unknown)
    if not text.strip():
        nothing = _error("empty_output", "the model completed its answer without any text")
        return _with_facts(document, AttemptOutcome.EMPTY, text=text or None, error=nothing)
    return _with_facts(document, AttemptOutcome.OK, text=text, error=None)


def _why_incomplete(document: Mapping[str, Any]) -> ItemError:
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


def _read_content(output: object) -> _Content | None:
    """Collect all text and refusals of all messages in order; None when this is no list of output items."""
    if not isinstance(output, list):
        return None
    if (text := _only_text(output)) is not None:
        return _Content(text, None)
    texts: list[str] = []
    refusals: list[str] = []
    for item in output:
        if not isinstance(item, dict):
            return None
        if item.get("type") == "message" and not _collect(item.get("content"), texts=texts, refusals=refusals):
            return None
    return _Content(text="".join(texts), refusal="\n".join(refusals) if refusals else None)


def _only_text(output: list[Any]) -> str | None:
    """Return the text of the ordinary answer, one message of one text; None for any other, which is read with care."""
    try:
        (message,) = output
        (part,) = message["content"]
        text = part["text"] if message["type"] == "message" and part["type"] == "output_text" else None
    except (ValueError, TypeError, KeyError):
        return None
    return text if isinstance(text, str) else None


def _collect(content: object, *, texts: list[str], refusals: list[str]) -> bool:
    """Add the parts of one message; False when it is not readable."""
    if isinstance(content, str):  # as some compatible servers write a single text
        texts.append(content)
        return True
    if not isinstance(content, list):
        return False
    for part in content:
        match part:
            case {"type": "output_text", "text": str(text)}:
                texts.append(text)
            case {"type": "refusal"}:
                words = part.get("refusal")
                refusals.append(words if isinstance(words, str) else "")
            case {"type": "output_text"}:
                return False
    return True


def _with_facts(
    document: Mapping[str, Any], outcome: AttemptOutcome, *, text: str | None = None, error: ItemError | None
) -> Attempt:
    usage = read_usage(document.get("usage"))
    transient = error is not None and error.transient
    return Attempt(
        AttemptOutcome.RETRYABLE if transient else outcome,
        text,
        error,
        _text(document.get("id")),
        _text(document.get("model")),
        usage,
        throttled=transient and error is not None and error.code == "rate_limit_exceeded",
        maybe_billed=usage is None,
    )


def _error(code: str, message: str) -> ItemError:
    return ItemError(code=code, type="response_error", message=message, transient=False)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _shown(value: object) -> str:
    return excerpt(repr(value), most=_MAX_EXCERPT)


def _excerpt(document: Mapping[str, Any]) -> str:
    return excerpt(encode_json(document).decode(), most=_MAX_EXCERPT)
