"""What an error of Anthropic's API means: of a live answer, of a line of a batch, of a call about batches.

All are ``{"type": "error", "error": {"type", "message"}}``; the inner type says more than the HTTP status, which lines
of a batch do not have.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.retry import is_transient
from eval_pipeline.providers.headers import Headers, content_type, retry_after_s
from eval_pipeline.providers.words import not_an_api, read_words

_STATUSES: Final = {
    "invalid_request_error": 400,
    "invalid_request": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""By Anthropic's page of errors."""
OVERLOADED: Final = 529
_THROTTLED: Final = 429
_NOT_FOUND: Final = 404
_NO_CREDIT = re.compile(r"(?i)credit balance is too low|spend(ing)? limit|usage limits?\b")
"""A spent budget of the account comes as 400 or 429, not as a ``billing_error``."""
_SPENT: Final = "enforced_spend_limit_reached"
_MODEL = re.compile(r"(?i)\bmodels?\b")
_MOVED: Final = frozenset({301, 302, 303, 307, 308, 404, 405, 410})


@dataclass(frozen=True, slots=True)
class ClaudeError:
    """An error in our own words."""

    http_status: int
    type: str | None
    """Such as ``overloaded_error``; None when no API spoke."""
    message: str
    spent: bool = False
    """Whether the account has used up what it may spend."""
    retry_after_s: float | None = None

    @property
    def code(self) -> str:
        """The code of an item's error."""
        return self.type or f"http_{self.http_status}"

    @property
    def words(self) -> str:
        """The provider's words, with the status where nothing else says what it was."""
        return self.message if self.type else f"HTTP {self.http_status}: {self.message or 'no explanation'}"

    @property
    def throttled(self) -> bool:
        """Whether it came too soon: for this account, or for all of them."""
        return self.http_status in {_THROTTLED, OVERLOADED} and not self.spent

    @property
    def account_fault(self) -> AccountFault | None:
        """What is wrong with the key, the address or the account."""
        if self.spent or self.http_status == _STATUSES["billing_error"]:
            return AccountFault.QUOTA
        if self.http_status in {401, 403}:
            return AccountFault.AUTH
        if self.http_status == _NOT_FOUND and self.type and _MODEL.search(self.message):
            return AccountFault.MODEL_NOT_FOUND
        return AccountFault.NOT_AN_API if self.http_status in _MOVED else None

    @property
    def transient(self) -> bool:
        """Whether asking again may help."""
        return self.account_fault is None and is_transient(self.http_status, error_code=None)


def parse_error(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
    """Translate an answer with an HTTP status of 300 or more."""
    error = read_error(http_status, body, headers)
    if error.type is None and http_status in _MOVED and isinstance(body, bytes):
        return not_an_api(http_status, body)
    return attempt_of(error)


def attempt_of(error: ClaudeError) -> Attempt:
    """Say what an error means for the attempt that met it."""
    return Attempt(
        outcome=AttemptOutcome.RETRYABLE if error.transient else AttemptOutcome.FAILED,
        error=ItemError(
            code=error.code, type=error.type or "http_error", message=error.words, transient=error.transient
        ),
        retry_after_s=error.retry_after_s if error.transient else None,
        throttled=error.transient and error.throttled,
        account_fault=error.account_fault,
    )


def read_error(http_status: int | None, body: bytes | Json, headers: Headers) -> ClaudeError:
    """Read an error answer, whoever wrote it; one without a status, as in a batch, has that of its type."""
    words = read_words(body, html="html" in content_type(headers))
    kind = words.type if words.structured else None
    status = http_status or _STATUSES.get(kind or "", 500)
    spent = status in {400, _THROTTLED} and (_NO_CREDIT.search(words.message) is not None or _says_spent(body))
    return ClaudeError(status, kind, words.message, spent, retry_after_s(headers, http_status=status))


def _says_spent(body: bytes | Json) -> bool:
    return _SPENT.encode() in body if isinstance(body, bytes) else _SPENT in str(_details(body))


def _details(body: Json) -> object:
    error = body.get("error")
    return error.get("details") if isinstance(error, Mapping) else body.get("details")
