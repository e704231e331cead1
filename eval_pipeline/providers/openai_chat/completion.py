"""Chat Completions: what one answer of them means. One parser for live calls and for lines of batch results.

Servers agree about little: content is a text, a list of parts or null; thinking stands in ``reasoning_content``, in
``reasoning`` or among the parts; errors come with status 200. What is thinking is never taken for the answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import PLAINLY, AccountFault, Attempt, AttemptOutcome, ItemError, Served
from eval_pipeline.core.secrets import excerpt, label
from eval_pipeline.providers.headers import Headers, content_type
from eval_pipeline.providers.json_text import encode_json, read_loose_json
from eval_pipeline.providers.openai.errors import is_no_address, parse_error, parse_error_object
from eval_pipeline.providers.openai.output import Output
from eval_pipeline.providers.openai.responses import STANDARD_TIERS
from eval_pipeline.providers.openai.usage import read_usage
from eval_pipeline.providers.openai_chat.message import read_message
from eval_pipeline.providers.reading import parse_answer
from eval_pipeline.providers.words import malformed, unreadable

_ERRORS_FROM, _ERRORS_TO = 300, 600
_FORBIDDEN = 403
_MAX_EXCERPT = 200
_MAX_TIER = 40
_DONE: Final = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence", ""})
_CALLS: Final = frozenset({"tool_calls", "function_call", "tool_use"})


@dataclass(frozen=True, slots=True)
class _Ending:
    """What it means that a model ended for another reason than that it was done."""

    outcome: AttemptOutcome
    code: str
    words: str


_CUT = _Ending(
    AttemptOutcome.TRUNCATED,
    "max_output_tokens",
    "the answer was cut at the limit of output tokens or of the model's context",
)
_FILTERED = _Ending(AttemptOutcome.REFUSED, "content_filter", "the provider's content filter withheld the answer")
_BROKEN = _Ending(AttemptOutcome.RETRYABLE, "server_error", "the server gave up while it answered")
"""Of OpenRouter, of vLLM, of DeepSeek; it may not the next time."""
_ENDINGS: Final = MappingProxyType(
    {
        **dict.fromkeys(("length", "max_tokens", "model_length"), _CUT),
        **dict.fromkeys(("content_filter", "content_filtered", "safety"), _FILTERED),
        **dict.fromkeys(("error", "abort", "insufficient_system_resource"), _BROKEN),
    }
)


def parse_completion(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
    """Translate one answer, or the ``chat.completion`` of a batch line."""
    return parse_answer(http_status, body, headers, refused=_read_refused, read=_read_completion, no_json=_read_stream)


def _read_stream(http_status: int, body: bytes, headers: Headers) -> Attempt:
    """Say of an answer that is no JSON whether it is a stream, which nobody asked for."""
    return _streamed() if _is_stream(body, headers) else unreadable(http_status, body, headers)


def _read_refused(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
    """Read an error; OpenRouter says 403 of one question that its moderation flagged, which is no fault of the key."""
    attempt = parse_error(http_status, body, headers)
    if http_status != _FORBIDDEN or not _is_flagged(body):
        return attempt
    return replace(attempt, account_fault=None)


def _is_flagged(body: bytes | Json) -> bool:
    document = read_loose_json(body) if isinstance(body, bytes) else body
    error = document.get("error") if isinstance(document, Mapping) else None
    metadata = error.get("metadata") if isinstance(error, Mapping) else None
    return isinstance(metadata, Mapping) and bool(metadata.keys() & {"flagged_input", "reasons"})


def _is_stream(body: bytes, headers: Headers) -> bool:
    return content_type(headers) == "text/event-stream" or body.lstrip().startswith(b"data:")


def _streamed() -> Attempt:
    words = "the server streams its answers, although it was asked not to (stream: false)"
    return Attempt(
        outcome=AttemptOutcome.FAILED,
        error=_error("streamed_answer", words),
        account_fault=AccountFault.NOT_AN_API,
        maybe_billed=True,
    )


def _read_completion(document: object) -> Attempt:
    if not isinstance(document, dict):
        return malformed(f"a JSON {type(document).__name__} instead of a chat completion")
    choice = _first_choice(document.get("choices"))
    error = _error_in(document) or (choice or {}).get("error")
    if error:
        return _failed(document, error)
    message = None if choice is None else choice.get("message")
    if choice is None or not isinstance(message, dict):
        return malformed(f"a JSON object that is no chat completion: {_excerpt(document)}")
    if (text := _only_text(choice, message)) is not None:
        return _with_facts(document, AttemptOutcome.OK, text=text)
    content = read_message(message)
    if content is None:
        return malformed(f"a message in a shape that is not known: {_excerpt(message)}")
    return _judge(document, content, finish=choice.get("finish_reason"))


def _error_in(document: Json) -> object | None:
    """Return the error that an answer with status 200 consists of."""
    return document.get("error") or (document if document.get("object") == "error" else None)


def _first_choice(choices: object) -> Json | None:
    """Return the choice with the lowest index; every request asks for one."""
    found = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    return min(found, key=_index, default=None)


def _index(choice: Json) -> int:
    index = choice.get("index")
    return index if type(index) is int else 0


def _only_text(choice: Json, message: Json) -> str | None:
    """Return the text of the ordinary answer; None for any other, which is read with care."""
    text = message.get("content")
    beside = ("refusal", "reasoning_content", "reasoning", "reasoning_details", "tool_calls", "function_call")
    if type(text) is not str or choice.get("finish_reason") != "stop":
        return None
    return text if text.strip() and not any(map(message.get, beside)) else None


def _judge(document: Json, content: Output, *, finish: object) -> Attempt:
    """Decide what a message amounts to, by why the model ended."""
    if content.refusal is not None:
        return _with_facts(document, AttemptOutcome.REFUSED, content, error=_error("refusal", content.refusal))
    reason = "" if finish is None else finish.lower() if isinstance(finish, str) else "?"
    ending = _ENDINGS.get(reason)
    if ending is not None:
        error = _error(ending.code, f"{ending.words} (finish_reason {finish})")
        again = replace(error, transient=ending.outcome is AttemptOutcome.RETRYABLE)
        return _with_facts(document, ending.outcome, content, error=again)
    if reason in _CALLS:
        return _with_facts(document, AttemptOutcome.EMPTY, _aside(content), error=_error("empty_output", _why(content)))
    if reason not in _DONE:
        words = f"the answer ended with finish_reason {excerpt(repr(finish), most=_MAX_EXCERPT)} instead of 'stop'"
        unknown = _error("unknown_finish_reason", words)
        return _with_facts(document, AttemptOutcome.INVALID_OUTPUT, content, error=unknown)
    if not content.text.strip():
        return _with_facts(document, AttemptOutcome.EMPTY, content, error=_error("empty_output", _why(content)))
    return _with_facts(document, AttemptOutcome.OK, content)


def _aside(content: Output) -> Output:
    """Return what was said before a call as commentary, which is no answer."""
    return replace(content, texts=[], commentary=[*content.texts, *content.commentary])


def _why(content: Output) -> str:
    """Say why there is no answer."""
    if content.thoughts and not content.called:
        return "the model thought and gave no answer"
    return content.why_empty


def _failed(document: Json, error: Any) -> Attempt:  # noqa: ANN401 - JSON
    """Read an error that came with status 200; OpenRouter puts the status into its code."""
    usage = read_usage(document.get("usage"))
    status = error.get("code") if isinstance(error, Mapping) else None
    if type(status) is int and _ERRORS_FROM < status < _ERRORS_TO:
        attempt = _read_refused(status, {"error": error}, {})
    else:
        read = parse_error_object(error, default_code="completion_failed")
        outcome = AttemptOutcome.RETRYABLE if read.transient else AttemptOutcome.FAILED
        fault = AccountFault.NOT_AN_API if is_no_address(read.message) else None
        attempt = Attempt(outcome=outcome, error=read, account_fault=fault)
    return replace(
        attempt,
        response_id=_name(document.get("id")),
        model=_name(document.get("model")),
        usage=usage,
        maybe_billed=usage is None and attempt.account_fault is None,
    )


def _with_facts(
    document: Json,
    outcome: AttemptOutcome,
    content: Output | None = None,
    *,
    text: str | None = None,
    error: ItemError | None = None,
) -> Attempt:
    usage = read_usage(document.get("usage"))
    return Attempt(
        outcome=outcome,
        text=text if content is None else content.text or None,
        error=error,
        response_id=_name(document.get("id")),
        model=_name(document.get("model")),
        usage=usage,
        maybe_billed=usage is None,
        thinking=None if content is None else content.thinking,
        served=_served(document.get("service_tier")),
        system_fingerprint=_name(document.get("system_fingerprint")),
    )


def _served(tier: object) -> Served:
    return Served(label(tier, most=_MAX_TIER)) if isinstance(tier, str) and tier not in STANDARD_TIERS else PLAINLY


def _error(code: str, message: str) -> ItemError:
    return ItemError(code=code, type="response_error", message=message, transient=False)


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _excerpt(document: Json) -> str:
    return excerpt(encode_json(document).decode(), most=_MAX_EXCERPT)
