"""What the headers of an answer tell: its content type, and when to come back. OpenAI's limits and those of its kin."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Headers = Mapping[str, str]
"""Names in lower case, or a case-insensitive mapping."""

_LIMITED = 429
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")
MAX_RESET_HINT_S = 60.0
"""``x-ratelimit-reset-*`` tells when a limit is whole again; a longer time says little about the next call."""


def content_type(headers: Headers) -> str:
    """Return the media type in lower case, without parameters; empty when the server named none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def retry_after_s(headers: Headers, *, http_status: int, now: datetime | None = None) -> float | None:
    """Return the seconds to wait: ``retry-after-ms``, else ``Retry-After``, else on a 429 a spent limit's reset."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    if given is not None:
        seconds = _number(given)
        return seconds if seconds is not None else _until(given, now=now or datetime.now(UTC))
    return _spent_limit_reset_s(headers) if http_status == _LIMITED else None


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", text, re.ASCII):
        return None
    return float(text)


def _until(http_date: str, *, now: datetime) -> float | None:
    moment = read_date(http_date)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def read_date(text: str) -> datetime | None:
    """Read a date as headers write it; None for anything else, such as a year of five digits."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _spent_limit_reset_s(headers: Headers) -> float | None:
    waits = [
        wait
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}") == "0"
        and (wait := duration_s(headers.get(f"x-ratelimit-reset-{what}", ""))) is not None
    ]
    return max(waits) if waits and max(waits) <= MAX_RESET_HINT_S else None


def duration_s(text: str) -> float | None:
    """Read a duration as OpenAI writes it.

    >>> duration_s("6m0s"), duration_s("120ms"), duration_s("1.5s"), duration_s("soon")
    (360.0, 0.12, 1.5, None)
    """
    found = _DURATION.fullmatch(text.strip())
    if not found or not any(found.groups()):
        return None
    try:
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    except ValueError:  # such as 1.2.3s
        return None
    total_s = hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    return total_s if math.isfinite(total_s) else None
