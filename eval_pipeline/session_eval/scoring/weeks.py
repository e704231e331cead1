"""Whole weeks in a time zone: which ones a period touches, and where each begins.

A week belongs to a session by its last activity, and is named by its Monday. Where the clock changes, a week has an
hour more or less; so weeks are told apart by the moments at which they begin, and not by counting hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

_DAYS = 7


@dataclass(frozen=True, slots=True)
class Weeks:
    """Consecutive weeks, each beginning on a Monday at midnight of the zone."""

    zone: ZoneInfo
    mondays: tuple[date, ...]

    @property
    def begins_s(self) -> list[float]:
        """When each begins, and the last one ends, in seconds of POSIX time."""
        days = [*self.mondays, self.mondays[-1] + timedelta(days=_DAYS)]
        return [datetime.combine(day, time(), tzinfo=self.zone).timestamp() for day in days]

    def place(self, moments_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return in which week each moment lies, from 0; -1: in none, or there is no moment (NaN)."""
        places = np.searchsorted(np.array(self.begins_s), moments_s, side="right") - 1
        return np.where((places < len(self.mondays)) & ~np.isnan(moments_s), places, -1).astype(np.int64)


def week_of(moment: datetime, *, zone: ZoneInfo) -> date:
    """Return the Monday of the week in which a moment lies there.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 4, 20, tzinfo=UTC)
    >>> [str(week_of(moment, zone=ZoneInfo(name))) for name in ("UTC", "Asia/Kolkata")]
    ['2025-12-29', '2026-01-05']
    """
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def weeks_of_period(*, days: int, until: datetime, zone: ZoneInfo) -> Weeks:
    """Return the weeks that the last ``days`` days up to a moment touch, as whole weeks."""
    first, last = week_of(until - timedelta(days=days), zone=zone), week_of(until, zone=zone)
    return Weeks(zone, tuple(_mondays(first, last)))


def _mondays(first: date, last: date) -> Sequence[date]:
    return [first + timedelta(days=_DAYS * place) for place in range((last - first).days // _DAYS + 1)]
