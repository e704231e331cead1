"""What an error answer of OpenAI, or of a server that speaks its protocol, means for one attempt."""

import re

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.retry import is_transient
from eval_pipeline.providers.headers import Headers, content_type, retry_after_s
from eval_pipeline.providers.words import Words, read_words, words_of

_THROTTLED = 429
_MODEL_UNKNOWN = re.compile(r"(?i)\bmodels?\b.*\b(not exist|not found|not available|unknown|no such)|\bno such model\b")
_MODEL_INVALID = re.compile(
    r"(?i)\binvalid model(?: name| id)?\b(?!\s+(?:output|response|parameter))"
    r"|\bnot a valid model\b|\bno endpoints found\b"
)
"""Of Mistral, LiteLLM and OpenRouter, some of them with status 400."""
_MODEL_CODES = frozenset({"model_not_found", "invalid_model", "DeploymentNotFound"})
_NO_SUCH_ADDRESS = re.compile(r"(?i)\bunexpected endpoint\b|\bunknown (?:request )?url\b")
_NOT_AN_API_STATUSES = frozenset({301, 302, 303, 307, 308, 404, 405, 410})
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


def parse_error(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
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
    words = words_of(error) or Words(code=None, type=None, message="no explanation", structured=True)
    code = words.code or default_code
    transient = code in {"server_error", "rate_limit_exceeded", "vector_store_timeout"}
    return ItemError(code=code, type=words.type or "response_error", message=words.message, transient=transient)


def is_no_address(message: str) -> bool:
    """Tell whether an error that came with HTTP 200 says that there is nothing at this address, as LM Studio does."""
    return _NO_SUCH_ADDRESS.search(message) is not None


def _account_fault(http_status: int, words: Words) -> AccountFault | None:
    if words.code in _QUOTA_CODES or words.type in _QUOTA_CODES or http_status == 402:  # noqa: PLR2004 - named so by HTTP
        return AccountFault.QUOTA
    if http_status in {401, 403}:
        return AccountFault.AUTH
    if _names_no_model(http_status, words):
        return AccountFault.MODEL_NOT_FOUND
    return AccountFault.NOT_AN_API if http_status in _NOT_AN_API_STATUSES else None


def _names_no_model(http_status: int, words: Words) -> bool:
    if words.code in _MODEL_CODES or words.type in _MODEL_CODES:
        return True
    unknown = http_status == 404 and _MODEL_UNKNOWN.search(words.message)  # noqa: PLR2004 - named so by HTTP
    return bool(unknown or (http_status in {400, 404} and _MODEL_INVALID.search(words.message)))
