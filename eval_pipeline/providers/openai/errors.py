"""What an error answer of OpenAI, or of a server that speaks its protocol, means for one attempt.

Servers word errors differently (OpenAI, vLLM, FastAPI, a proxy's page of HTML): all are read here, and only here.
Nothing that looks like a key leaves this module: the real API repeats parts of a wrong key in its message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.retry import is_transient
from eval_pipeline.providers.openai.headers import Headers, content_type, retry_after_s

_MAX_WORDS = 1000
_MAX_PAGE_WORDS = 200
_THROTTLED = 429
_REDACTED = "[key]"
_KEYS = re.compile(r"(?i)(api key provided:?\s*)\S+|\bsk-[\w*.-]+|(\bbearer\s+)[\w*.~+/=-]{8,}")
_MODEL_UNKNOWN = re.compile(r"(?i)\bmodels?\b.*\b(not exist|not found|not available|unknown|no such)|\bno such model\b")
_NOT_AN_API_STATUSES = frozenset({301, 302, 303, 307, 308, 404, 405, 410})
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


@dataclass(frozen=True, slots=True)
class Words:
    """What the provider said went wrong."""

    code: str | None
    type: str | None
    message: str
    structured: bool
    """Whether it came as JSON, and so from an API."""


def redact(text: str, *, secret: str | None = None) -> str:
    """Blank out what is, or looks like, a key.

    >>> redact("Incorrect API key provided: sk-abc***wxyz. See the docs.")
    'Incorrect API key provided: [key] See the docs.'
    """
    if secret:
        text = text.replace(secret, _REDACTED)
    return _KEYS.sub(lambda found: (found[1] or found[2] or "") + _REDACTED, text)


def parse_error(http_status: int, body: bytes | Mapping[str, Any], headers: Headers) -> Attempt:
    """Translate an answer with an HTTP status of 300 or more."""
    words = read_words(body, html="html" in content_type(headers))
    code = words.code or f"http_{http_status}"
    fault = _account_fault(http_status, words)
    transient = fault is None and is_transient(http_status, error_code=code)
    message = words.message if words.structured else f"HTTP {http_status}: {words.message or 'no explanation'}"
    return Attempt(
        outcome=AttemptOutcome.RETRYABLE if transient else AttemptOutcome.FAILED,
        error=ItemError(code=code, type=words.type or "http_error", message=message, transient=transient),
        retry_after_s=retry_after_s(headers, http_status=http_status) if transient else None,
        throttled=transient and http_status == _THROTTLED,
        account_fault=fault,
    )


def parse_error_object(error: object, *, default_code: str) -> ItemError:
    """Read an ``error`` object that came with HTTP 200 (a failed response, a server that always says 200)."""
    words = _words_of(error) or Words(code=None, type=None, message="no explanation", structured=True)
    code = words.code or default_code
    transient = code in {"server_error", "rate_limit_exceeded", "vector_store_timeout"}
    return ItemError(code=code, type=words.type or "response_error", message=words.message, transient=transient)


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


def read_words(body: bytes | Mapping[str, Any], *, html: bool = False) -> Words:
    """Return the provider's words, from any of the known shapes of error bodies."""
    document = _load(body) if isinstance(body, bytes) else body
    words = _words_of(document.get("error") or document) if isinstance(document, Mapping) else None
    if words is not None:
        return words
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    text = raw[: 20 * _MAX_WORDS].decode("utf-8", errors="replace")
    return Words(code=None, type=None, message=_page_words(text, html=html), structured=False)


def _load(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _words_of(error: object) -> Words | None:
    if isinstance(error, str) and error:
        return Words(code=None, type=None, message=_cut(error), structured=True)
    if not isinstance(error, Mapping):
        return None
    message = error.get("message") or error.get("detail") or error.get("msg")
    if not message:
        return None
    words = message if isinstance(message, str) else orjson.dumps(message).decode()
    return Words(code=_label(error.get("code")), type=_label(error.get("type")), message=_cut(words), structured=True)


def _label(value: object) -> str | None:
    """Read a code or type; vLLM repeats the HTTP status as a number, which says nothing new."""
    return value if isinstance(value, str) and value else None


def _cut(message: str) -> str:
    message = redact(message)
    return message if len(message) <= _MAX_WORDS else message[:_MAX_WORDS] + "…"


def _page_words(text: str, *, html: bool) -> str:
    if html or text.lstrip()[:1] == "<":
        text = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", text)
        text = re.sub(r"<[^>]*>", " ", text)
    words = redact(" ".join(text.split()))
    return words if len(words) <= _MAX_PAGE_WORDS else words[:_MAX_PAGE_WORDS] + "…"


def _account_fault(http_status: int, words: Words) -> AccountFault | None:
    if words.code in _QUOTA_CODES or words.type in _QUOTA_CODES or http_status == 402:  # noqa: PLR2004 - named so by HTTP
        return AccountFault.QUOTA
    if http_status in {401, 403}:
        return AccountFault.AUTH
    if words.code == "model_not_found" or (http_status == 404 and _MODEL_UNKNOWN.search(words.message)):  # noqa: PLR2004
        return AccountFault.MODEL_NOT_FOUND
    return AccountFault.NOT_AN_API if http_status in _NOT_AN_API_STATUSES else None
