"""``generateContent``: what one answer of it means. One parser for live answers and for lines of batch results."""

from collections.abc import Mapping
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import PLAINLY, AccountFault, Attempt, AttemptOutcome, ItemError, Served
from eval_pipeline.core.secrets import excerpt
from eval_pipeline.providers.gemini.account import model_path
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.errors import attempt_of, parse_error, read_status
from eval_pipeline.providers.gemini.fields import part_of, pick, text_in
from eval_pipeline.providers.gemini.grounding import read_grounding
from eval_pipeline.providers.gemini.requests import request_of
from eval_pipeline.providers.gemini.usage import read_usage
from eval_pipeline.providers.headers import Headers
from eval_pipeline.providers.reading import parse_answer, read_answer
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.words import called_instead, cut, malformed

_ERRORS_FROM = 300
_MAX_EXCERPT = 200
CUT: Final = {
    "MAX_TOKENS": "the answer was cut at the limit of output tokens (maxOutputTokens)",
    "CONTINUATION": "the answer was cut at the limit of tokens of one request",
}
REFUSED: Final = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"}
    | {"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
)
_FAILED: Final = frozenset(
    {"LANGUAGE", "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"}
    | {"MISSING_THOUGHT_SIGNATURE", "NO_IMAGE", "IMAGE_OTHER"}
)
_SUSPENDED: Final = "PUP_LIMITED_DISABLED"


class GeminiAnswerer:
    """A model behind ``models/{model}:generateContent``."""

    def __init__(self, connection: GeminiConnection) -> None:
        self._connection = connection

    async def ask(self, body: Json) -> Attempt:
        """Send one request and translate what comes back."""
        path = f"{model_path(str(body.get('model', '')))}:generateContent"
        reply = await self._connection.post(path, request_of(body))
        if not isinstance(reply, RawReply):
            return reply
        attempt = read_answer(parse_generation, reply.http_status, reply.content, reply.headers)
        return self._connection.finish(attempt, latency_s=reply.latency_s)


def parse_generation(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
    """Translate one answer, or the ``response`` of a batch line."""
    return parse_answer(http_status, body, headers, refused=parse_error, read=_read)


def _read(document: object) -> Attempt:
    if not isinstance(document, Mapping):
        return malformed(f"a JSON {type(document).__name__} instead of a response object")
    if isinstance(document.get("error"), Mapping):
        return attempt_of(read_status(document["error"]))
    candidates = pick(document, "candidates")
    if candidates and isinstance(candidates, list) and isinstance(candidates[0], Mapping):
        return _judge(document, candidates[0])
    if reason := text_in(part_of(document, "promptFeedback"), "blockReason"):
        return _with_facts(document, AttemptOutcome.REFUSED, error=_blocked(document, reason))
    if candidates or not _tells_anything(document):
        return malformed(f"a JSON object that is no response: {excerpt(str(dict(document)), most=_MAX_EXCERPT)}")
    words = "the answer has no candidate, and the provider gives no reason"
    return _with_facts(document, AttemptOutcome.MALFORMED, error=_error("no_candidate", words, transient=True))


def _tells_anything(document: Json) -> bool:
    names = ("candidates", "promptFeedback", "usageMetadata", "modelVersion")
    return any(pick(document, name) is not None for name in names)


def _blocked(document: Json, reason: str) -> ItemError:
    said = text_in(part_of(document, "promptFeedback"), "blockReasonMessage")
    words = f"the provider blocked the prompt ({reason})" + (f": {cut(said)}" if said else "")
    return ItemError(code=reason.lower(), type="prompt_blocked", message=words, transient=False)


def _judge(document: Json, candidate: Json) -> Attempt:
    """Decide what the first candidate amounts to."""
    text = _text_of(candidate)
    if text is None:
        return malformed(f"a candidate that cannot be read: {excerpt(str(dict(candidate)), most=_MAX_EXCERPT)}")
    given = pick(candidate, "finishReason")
    reason = None if given is None else str(given)
    if reason is None or reason.upper() == "STOP":  # compatible servers may name no reason
        return _answered(document, candidate, text)
    outcome, error = _unfinished(reason, text_in(candidate, "finishMessage"))
    fault = AccountFault.AUTH if error.code == _SUSPENDED.lower() else None
    return _with_facts(document, outcome, text=text or None, error=error, fault=fault, candidate=candidate)


def _answered(document: Json, candidate: Json, text: str) -> Attempt:
    if text.strip():
        return _with_facts(document, AttemptOutcome.OK, text=text, candidate=candidate)
    called = [name for part in _parts(candidate) if (name := text_in(part_of(part, "functionCall"), "name"))]
    words = called_instead(called) if called else "the model completed its answer without any text"
    nothing = _error("empty_output", words)
    return _with_facts(document, AttemptOutcome.EMPTY, text=text or None, error=nothing, candidate=candidate)


def _parts(candidate: Json) -> list[Json]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, Mapping) else None
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []


def _thinking(candidate: Json) -> str | None:
    """Return the model's thoughts, where it was asked to show them."""
    said = [text for part in _parts(candidate) if part.get("thought") and (text := text_in(part, "text"))]
    return "\n\n".join(said) if said else None


def _served(candidate: Json) -> Served:
    """Tell whether the answer was grounded in a search, which has a fee of its own."""
    queries = pick(part_of(candidate, "groundingMetadata"), "webSearchQueries")
    return Served(tools=(("google_search", len(queries)),)) if isinstance(queries, list) and queries else PLAINLY


def _unfinished(reason: str, said: str | None) -> tuple[AttemptOutcome, ItemError]:
    """Say what it means that the model stopped for any reason but being done.

    A reason of tomorrow is no answer: whether the text is whole, nobody knows.
    """
    after = f": {cut(said)}" if said else ""
    stopped = f"the model stopped ({reason.upper()}){after}"
    words = f"the answer has finish reason '{excerpt(reason, most=_MAX_EXCERPT)}' instead of 'STOP'{after}"
    reason = reason.upper()
    if reason in CUT:
        return AttemptOutcome.TRUNCATED, _error(reason.lower(), f"{CUT[reason]}{after}")
    if reason in REFUSED:
        return AttemptOutcome.REFUSED, _error(reason.lower(), stopped)
    if reason in _FAILED or reason == _SUSPENDED:
        return AttemptOutcome.FAILED, _error(reason.lower(), stopped)
    if reason == "MALFORMED_RESPONSE":
        return AttemptOutcome.MALFORMED, _error(reason.lower(), stopped, transient=True)
    return AttemptOutcome.INVALID_OUTPUT, _error("unknown_finish_reason", words)


def _text_of(candidate: Json) -> str | None:
    """Join all texts that are no thoughts; None when the content is not readable."""
    content = candidate.get("content")
    if content is None:
        return ""
    parts = content.get("parts") if isinstance(content, Mapping) else content
    if parts is None:
        return ""
    if not isinstance(parts, list):
        return None
    texts: list[str] = []
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else part
        if not isinstance(text, str | None) or not isinstance(part, Mapping):
            return None
        if text and not part.get("thought"):
            texts.append(text)
    return "".join(texts)


def _with_facts(
    document: Json,
    outcome: AttemptOutcome,
    *,
    text: str | None = None,
    error: ItemError | None = None,
    fault: AccountFault | None = None,
    candidate: Json | None = None,
) -> Attempt:
    usage = read_usage(pick(document, "usageMetadata"))
    return Attempt(
        outcome=outcome,
        text=text,
        error=error,
        response_id=text_in(document, "responseId"),
        model=text_in(document, "modelVersion"),
        usage=usage,
        account_fault=fault,
        maybe_billed=usage is None,
        thinking=None if candidate is None else _thinking(candidate),
        served=PLAINLY if candidate is None else _served(candidate),
        passages=None if candidate is None else read_grounding(candidate),
    )


def _error(code: str, message: str, *, transient: bool = False) -> ItemError:
    return ItemError(code=code, type="finish_reason", message=message, transient=transient)
