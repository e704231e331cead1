"""Messages: what one answer of them means. One parser for live answers and for lines of batch results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.passages import Passage, distinct
from eval_pipeline.core.secrets import excerpt
from eval_pipeline.providers.anthropic.citations import found_in
from eval_pipeline.providers.anthropic.client import AnthropicConnection
from eval_pipeline.providers.anthropic.errors import attempt_of, parse_error, read_error
from eval_pipeline.providers.anthropic.requests import request_of
from eval_pipeline.providers.anthropic.usage import read_served, read_usage
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.reading import parse_answer, read_answer
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.words import called_instead, cut, malformed

_ERRORS_FROM = 300
_MAX_EXCERPT = 200
_DONE: Final = frozenset({None, "end_turn", "stop_sequence"})
"""Compatible servers may name no reason."""
_CUT: Final = {
    "max_tokens": "the answer was cut at the limit of output tokens (max_output_tokens)",
    "model_context_window_exceeded": "the answer was cut where the model's context window ended",
    "pause_turn": "the model paused a long turn with tools of the server (pause_turn); nobody continues it here",
}


class AnthropicAnswerer:
    """A model behind ``POST /v1/messages``."""

    def __init__(self, connection: AnthropicConnection) -> None:
        self._connection = connection

    async def ask(self, body: Json) -> Attempt:
        """Send one request and translate what comes back."""
        reply = await self._connection.post("messages", request_of(body))
        if not isinstance(reply, RawReply):
            return reply
        attempt = read_answer(parse_message, reply.http_status, reply.content, reply.headers)
        return self._connection.finish(attempt, latency_s=reply.latency_s)


def parse_message(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
    """Translate one answer, or the ``message`` of a batch line."""
    return parse_answer(http_status, body, headers, refused=parse_error, read=_read)


@dataclass(slots=True)
class _Content:
    """What a message holds, in order."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    """Functions that the model wants called, which nobody does here."""
    found: list[Passage] | None = None
    """What searches found and what is cited; None where neither is told."""

    @property
    def text(self) -> str:
        """The answer: citations split it into blocks that belong together."""
        return "".join(self.texts)

    @property
    def thinking(self) -> str | None:
        """What the model thought, where it is shown; what is redacted tells nothing."""
        said = [thought for thought in self.thoughts if thought.strip()]
        return "\n\n".join(said) if said else None


def _read(document: object) -> Attempt:
    if not isinstance(document, Mapping):
        return malformed(f"a JSON {type(document).__name__} instead of a message")
    if document.get("type") == "error" or isinstance(document.get("error"), Mapping):
        return attempt_of(read_error(None, document, {}))
    content = _content_of(document.get("content"))
    if content is None:
        return malformed(f"a JSON object that is no message: {excerpt(str(dict(document)), most=_MAX_EXCERPT)}")
    return _judge(document, content)


def _content_of(blocks: object) -> _Content | None:
    """Sort the blocks of a message; None when they are not readable."""
    if not isinstance(blocks, list):
        return None
    content = _Content()
    for block in blocks:
        if not isinstance(block, Mapping):
            return None
        if (found := found_in(block)) is not None:
            content.found = (content.found or []) + found
        match block.get("type"):
            case "text":
                text = block.get("text")
                if not isinstance(text, str):
                    return None
                content.texts.append(text)
            case "thinking":
                content.thoughts.append(_text(block.get("thinking")) or "")
            case "tool_use":
                content.called.append(_text(block.get("name")) or "tool")
    return content


def _judge(document: Json, content: _Content) -> Attempt:
    """Decide what a message amounts to; a reason of tomorrow is no answer: whether it is whole, nobody knows."""
    reason = document.get("stop_reason")
    if not isinstance(reason, str | None):
        reason = str(reason)
    if reason == "refusal":
        return _with_facts(document, AttemptOutcome.REFUSED, content, _refusal(document, content))
    if reason in _CUT:
        return _with_facts(document, AttemptOutcome.TRUNCATED, content, _error(reason, _CUT[reason]))
    if reason == "tool_use" and content.text.strip():
        unfinished = _error(reason, called_instead(content.called))
        return _with_facts(document, AttemptOutcome.TRUNCATED, content, unfinished)
    if reason not in {*_DONE, "tool_use"}:
        words = f"the message has stop reason '{excerpt(reason or '', most=_MAX_EXCERPT)}' instead of 'end_turn'"
        return _with_facts(document, AttemptOutcome.INVALID_OUTPUT, content, _error("unknown_stop_reason", words))
    if content.text.strip():
        return _with_facts(document, AttemptOutcome.OK, content)
    words = called_instead(content.called) if content.called else "the model completed its answer without any text"
    return _with_facts(document, AttemptOutcome.EMPTY, content, _error("empty_output", words))


def _refusal(document: Json, content: _Content) -> ItemError:
    """Say why the model refused: the API tells a category and words, older models nothing."""
    details = document.get("stop_details")
    told = details if isinstance(details, Mapping) else {}
    category, words = _text(told.get("category")), _text(told.get("explanation"))
    named = f" ({cut(category)})" if category else ""
    said = words or content.text.strip() or None
    return _error("refusal", f"the model refused{named}" + (f": {cut(said)}" if said else ""))


def _with_facts(document: Json, outcome: AttemptOutcome, content: _Content, error: ItemError | None = None) -> Attempt:
    usage = read_usage(document.get("usage"))
    return Attempt(
        outcome=outcome,
        text=content.text or None,
        error=error,
        response_id=_text(document.get("id")),
        model=_text(document.get("model")),
        usage=usage,
        maybe_billed=usage is None,
        thinking=content.thinking,
        served=read_served(document.get("usage")),
        passages=None if content.found is None else distinct(content.found),
    )


def _error(code: str, message: str) -> ItemError:
    return ItemError(code=code, type="stop_reason", message=message, transient=False)


def _text(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) and value else None
