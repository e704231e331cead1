"""Moments as sessions carry them: texts that stay as they came, read as UTC.

A time without a zone is taken as UTC, and whoever reads one is told so.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_LAST_MILLISECOND: Final = 253_402_300_799_000
"""Of the year 9999. Numbers above it are nanoseconds or microseconds."""
_FIRST_MILLISECOND: Final = 100_000_000_000
"""In 1973; numbers below it are seconds."""
_MICROSECONDS_A_SECOND: Final = 1_000_000


def read_time(text: str) -> datetime | None:
    """Return the moment in UTC, or None where the text names none.

    >>> read_time("2026-01-04T20:00:00.123456789Z"), read_time("4 January")
    (datetime.datetime(2026, 1, 4, 20, 0, 0, 123456, tzinfo=datetime.timezone.utc), None)
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_time(text: str) -> bool:
    """Tell whether a text names a moment."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def first_and_last(texts: Sequence[str]) -> tuple[datetime, datetime] | None:
    """Return the first and the last of some moments; None where there is none.

    Texts of one length that end with the same zone are compared as they are: a session has hundreds.
    """
    if not texts:
        return None
    first, last = min(texts), max(texts)
    if len({len(text) for text in texts}) == 1 and first[-1] == "Z" and all(text[-1] == "Z" for text in texts):
        texts = (first, last)
    read = [moment for moment in map(read_time, texts) if moment is not None]
    return (min(read), max(read)) if read else None


def has_zone(text: str) -> bool:
    """Tell whether a text that is a moment says in which zone.

    >>> has_zone("2026-01-04T20:00:00Z"), has_zone("2026-01-04 20:00")
    (True, False)
    """
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def time_of_number(number: float) -> str | None:
    """Return the moment that a count since 1970 names, in seconds, milli-, micro- or nanoseconds by its size.

    >>> time_of_number(1_767_556_800), time_of_number(1_767_556_800_123_000_000)
    ('2026-01-04T20:00:00Z', '2026-01-04T20:00:00.123000Z')
    """
    if number <= 0:
        return None
    per_second = 1.0
    while number / per_second * 1_000 > _LAST_MILLISECOND or number / per_second >= _FIRST_MILLISECOND:
        per_second *= 1_000
    microseconds = (
        round(number * _MICROSECONDS_A_SECOND / per_second)
        if per_second == 1
        else int(int(number) * _MICROSECONDS_A_SECOND // int(per_second))
    )
    try:
        whole, rest = divmod(microseconds, _MICROSECONDS_A_SECOND)
        return written(datetime.fromtimestamp(whole, UTC).replace(microsecond=rest))
    except (ValueError, OverflowError, OSError):
        return None


def written(moment: datetime) -> str:
    """Write a moment as sessions carry it."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
