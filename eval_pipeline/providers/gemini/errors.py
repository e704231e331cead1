"""What an error of a Google API means: of a live answer, of a line of a batch, of a batch as a whole.

All are a ``google.rpc.Status`` in JSON: a code, a message, and details that say more than both.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError
from eval_pipeline.core.retry import is_transient
from eval_pipeline.providers.gemini.fields import pick
from eval_pipeline.providers.headers import Headers, content_type, duration_s, retry_after_s
from eval_pipeline.providers.json_text import read_loose_json
from eval_pipeline.providers.words import Words, cut, not_an_api, read_words, words_of

FILE_UNAVAILABLE: Final = "file_unavailable"
"""Code of an item whose request names a file that is gone or not ready: the file is at fault, not the account."""
_RPC: Final = {
    1: ("CANCELLED", 499),
    2: ("UNKNOWN", 500),
    3: ("INVALID_ARGUMENT", 400),
    4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404),
    6: ("ALREADY_EXISTS", 409),
    7: ("PERMISSION_DENIED", 403),
    8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400),
    10: ("ABORTED", 409),
    11: ("OUT_OF_RANGE", 400),
    12: ("UNIMPLEMENTED", 501),
    13: ("INTERNAL", 500),
    14: ("UNAVAILABLE", 503),
    15: ("DATA_LOSS", 500),
    16: ("UNAUTHENTICATED", 401),
}
"""Numbers of google.rpc.Code with the HTTP status that each is mapped to, from its published definition."""
_STATUSES: Final = dict(_RPC.values())
_FILE = re.compile(
    r"(?i)permission to access the file|\bfiles?[ /].*\b(not exist|not found|not in an active)|"
    r"requested entity was not found"
)
"""A model that is not there is named; of a file Google may say no more than that the entity was not found."""
_MODEL = re.compile(r"(?i)\bmodels?\b")
_BAD_KEY = re.compile(r"(?i)\bapi[ _-]?key\b|user location is not supported")
_NO_CREDIT = re.compile(r"(?i)credits are depleted|spending cap|enable billing|billing (is )?(disabled|not enabled)")
_NO_QUOTA = re.compile(r"\blimit: 0\b")
_MOVED = frozenset({301, 302, 303, 307, 308, 404, 405, 410})


class QuotaLack(StrEnum):
    """Why there is no room that a short wait would bring."""

    DAY = "day"
    """The quota of a day is spent, or the model has none."""
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class GoogleError:
    """An error in our own words."""

    http_status: int
    status: str | None
    """Such as ``RESOURCE_EXHAUSTED``; None when no API spoke."""
    message: str
    reasons: tuple[str, ...] = ()
    quotas: tuple[str, ...] = ()
    retry_delay_s: float | None = None

    @property
    def code(self) -> str:
        """The code of an item's error."""
        if self.about_file:
            return FILE_UNAVAILABLE
        if "API_KEY_INVALID" in self.reasons:
            return "api_key_invalid"
        return self.status.lower() if self.status else f"http_{self.http_status}"

    @property
    def about_file(self) -> bool:
        """Whether a file that the request names is at fault."""
        return self.http_status in {400, 403, 404} and _FILE.search(self.message) is not None

    @property
    def lack(self) -> QuotaLack | None:
        """What a short wait will not bring back."""
        if "BILLING_DISABLED" in self.reasons or self.http_status == 402 or _NO_CREDIT.search(self.message):  # noqa: PLR2004
            return QuotaLack.CREDIT
        by_day = any("PerDay" in quota for quota in self.quotas) or _NO_QUOTA.search(self.message)
        return QuotaLack.DAY if self.throttled and by_day else None

    @property
    def throttled(self) -> bool:
        """Whether it came too soon."""
        return self.http_status == 429  # noqa: PLR2004 - named so by HTTP

    @property
    def account_fault(self) -> AccountFault | None:
        """What is wrong with the key, the address or the account."""
        if self.lack is not None:
            return AccountFault.QUOTA
        if self.about_file:
            return None
        if self.http_status in {401, 403} or (self.http_status == 400 and _BAD_KEY.search(self.message)):  # noqa: PLR2004
            return AccountFault.AUTH
        if self.http_status not in _MOVED:
            return None
        if self.status == "NOT_FOUND":
            return AccountFault.MODEL_NOT_FOUND if _MODEL.search(self.message) else None
        return AccountFault.NOT_AN_API

    @property
    def transient(self) -> bool:
        """Whether asking again may help."""
        if self.account_fault is not None:
            return False
        return self.about_file or is_transient(self.http_status, error_code=None) or self.status == "CANCELLED"


def parse_error(http_status: int, body: bytes | Json, headers: Headers) -> Attempt:
    """Translate an answer with an HTTP status of 300 or more."""
    error = read_error(http_status, body, headers)
    if error.status is None and http_status in _MOVED and isinstance(body, bytes):
        return not_an_api(http_status, body)
    return attempt_of(error)


def attempt_of(error: GoogleError) -> Attempt:
    """Say what an error means for the attempt that met it."""
    outcome = AttemptOutcome.RETRYABLE if error.transient else AttemptOutcome.FAILED
    message = error.message if error.status else f"HTTP {error.http_status}: {error.message or 'no explanation'}"
    return Attempt(
        outcome=AttemptOutcome.CANCELLED if error.status == "CANCELLED" else outcome,
        error=ItemError(code=error.code, type="google_rpc", message=message, transient=error.transient),
        retry_after_s=error.retry_delay_s if error.transient else None,
        throttled=error.transient and error.throttled,
        account_fault=error.account_fault,
    )


def read_error(http_status: int, body: bytes | Json, headers: Headers) -> GoogleError:
    """Read an error answer, whoever wrote it."""
    document = read_loose_json(body) if isinstance(body, bytes) else body
    if isinstance(document, list) and document:  # as streaming methods write it
        document = document[0]
    given = document.get("error") if isinstance(document, Mapping) else None
    wait_s = retry_after_s(headers, http_status=http_status)
    if isinstance(given, Mapping):
        return read_status(given, http_status=http_status, retry_delay_s=wait_s)
    words = read_words(body, html="html" in content_type(headers))
    return GoogleError(http_status, None, words.message, retry_delay_s=wait_s)


def read_status(given: Json, *, http_status: int | None = None, retry_delay_s: float | None = None) -> GoogleError:
    """Read an error object; without an HTTP status of its own, as in a batch, it has that of its code.

    Codes below 20 are google.rpc's, all others HTTP's.
    """
    code = given.get("code")
    number = code if type(code) is int else None
    status = given.get("status") if isinstance(given.get("status"), str) else None
    known_status, of_code = _RPC.get(number or 0, (None, number))
    status = status or known_status
    details = given.get("details")
    known = [detail for detail in details if isinstance(detail, Mapping)] if isinstance(details, list) else []
    words = words_of(given) or Words(code=None, type=None, message="no explanation", structured=True)
    return GoogleError(
        http_status=http_status or _STATUSES.get(status or "") or of_code or 500,
        status=cut(status) if status else "UNKNOWN",
        message=cut(words.message),
        reasons=tuple(str(detail["reason"]) for detail in known if "reason" in detail),
        quotas=tuple(_quotas(known)),
        retry_delay_s=next((wait for detail in known if (wait := _delay_s(detail)) is not None), retry_delay_s),
    )


def _quotas(details: list[Json]) -> list[str]:
    violations = [entry for detail in details for entry in _list(detail.get("violations"))]
    return [str(pick(entry, "quotaId") or "") for entry in violations if isinstance(entry, Mapping)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _delay_s(detail: Json) -> float | None:
    delay = pick(detail, "retryDelay")
    return duration_s(delay) if isinstance(delay, str) else None
