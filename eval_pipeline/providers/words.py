"""What a provider says went wrong, in any of the shapes of error bodies, with everything that looks like a key gone.

Servers word errors differently (OpenAI, Google, vLLM, FastAPI, a proxy's page of HTML). What the words mean is told by
the adapters; nothing that looks like a key leaves this module.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.secrets import REDACTED, redact, redact_bytes
from eval_pipeline.providers.headers import Headers, content_type
from eval_pipeline.providers.json_text import encode_json, read_loose_json

_MAX_WORDS = 1000
_MAX_PAGE_WORDS = 200
_IN_ADDRESSES = r"key|api[_-]?key|token|access_token|X-Amz-(?:Signature|Credential|Security-Token)"
_KEYS = re.compile(
    r"(?i)(api key provided:?\s*)\S+|\bsk-[\w*.-]+|(\bbearer\s+)[\w*.~+/=-]{8,}|\bAIza[\w*-]{8,}"
    rf"|([?&](?:{_IN_ADDRESSES})=)[^&\s\"'<>]+"
)


@dataclass(frozen=True, slots=True)
class Words:
    """What the provider said went wrong."""

    code: str | None
    type: str | None
    message: str
    structured: bool
    """Whether it came as JSON, and so from an API."""


def redact_words(text: str) -> str:
    """Blank out what is, or looks like, a key: the real APIs repeat parts of a wrong one.

    >>> redact_words("Incorrect API key provided: sk-abc***wxyz. See the docs.")
    'Incorrect API key provided: [key] See the docs.'
    """
    return _KEYS.sub(lambda found: (found[1] or found[2] or found[3] or "") + REDACTED, redact(text))


def read_words(body: bytes | Json, *, html: bool = False) -> Words:
    """Return the provider's words, from any of the known shapes of error bodies."""
    document = read_loose_json(body) if isinstance(body, bytes) else body
    words = words_of(document.get("error") or document) if isinstance(document, Mapping) else None
    if words is not None:
        return words
    raw = body if isinstance(body, bytes) else encode_json(body)
    text = redact_bytes(raw)[: 20 * _MAX_WORDS].decode("utf-8", errors="replace")
    return Words(code=None, type=None, message=_page_words(text, html=html), structured=False)


def words_of(error: object) -> Words | None:
    """Read one error object, or the text that stands in its place."""
    if isinstance(error, str) and error:
        return Words(code=None, type=None, message=cut(error), structured=True)
    if not isinstance(error, Mapping):
        return None
    message = error.get("message") or error.get("detail") or error.get("msg")
    if not message:
        return None
    words = message if isinstance(message, str) else encode_json(message).decode()
    return Words(code=_label(error.get("code")), type=_label(error.get("type")), message=cut(words), structured=True)


def cut(message: str) -> str:
    """Return a message without keys, and no longer than a person reads."""
    message = redact_words(message)
    return message if len(message) <= _MAX_WORDS else message[:_MAX_WORDS] + "…"


def not_an_api(http_status: int, body: bytes) -> Attempt:
    """Translate a page of HTML or other text where JSON was expected: most likely a wrong base URL."""
    words = read_words(body, html=True)
    return Attempt(
        outcome=AttemptOutcome.FAILED,
        error=ItemError(
            code="not_an_api",
            type="http_error",
            message=f"HTTP {http_status} with text instead of JSON: {words.message or 'an empty page'}",
            transient=False,
        ),
        account_fault=AccountFault.NOT_AN_API,
    )


def malformed(message: str) -> Attempt:
    """Return the attempt of an answer that cannot be read; the call may have been billed."""
    error = ItemError(code="malformed_response", type="malformed", message=message, transient=True)
    return Attempt(outcome=AttemptOutcome.MALFORMED, error=error, maybe_billed=True)


def unreadable(http_status: int, body: bytes, headers: Headers) -> Attempt:
    """Translate an answer that is no JSON: a page from elsewhere, or JSON that was cut."""
    begins_as_json = body.lstrip()[:1] in {b"{", b"["}
    if body.strip() and not begins_as_json and "json" not in content_type(headers):
        return not_an_api(http_status, body)
    what = f"{len(body):,} bytes that are no complete JSON" if body else "an empty body"
    return malformed(f"HTTP {http_status} with {what}")


def called_instead(names: Sequence[str]) -> str:
    """Say that the model wants functions called."""
    named = cut(", ".join(repr(name) for name in dict.fromkeys(names)))
    return f"the model called the function {named} instead of answering; nobody executes functions here"


def _label(value: object) -> str | None:
    """Read a code or type; vLLM repeats the HTTP status as a number, which says nothing new."""
    return cut(value) if isinstance(value, str) and value else None


def _page_words(text: str, *, html: bool) -> str:
    if html or text.lstrip()[:1] == "<":
        text = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", text)
        text = re.sub(r"<[^>]*>", " ", text)
    words = redact_words(" ".join(text.split()))
    return words if len(words) <= _MAX_PAGE_WORDS else words[:_MAX_PAGE_WORDS] + "…"
