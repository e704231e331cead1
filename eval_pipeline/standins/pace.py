"""How fast batches are worked off: by the clock, by looks, or by whichever comes last; and the clock itself."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

LAST_PHASE = 3
_PHASE_ENDS = (0.1, 0.9, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds from creation to completion, and looks that each phase lasts."""

    seconds: float = 0.0
    polls: int = 0

    def phase(self, *, age_s: float, looks: int) -> int:
        """Return in which phase, from 0 to 3, a batch is at its so-manieth look."""
        if not looks and not self.seconds:
            return 0
        by_time = sum(age_s >= end * self.seconds for end in _PHASE_ENDS)
        by_looks = max(0, looks - 1) // self.polls if self.polls else LAST_PHASE
        return min(by_time, by_looks, LAST_PHASE)


@dataclass(slots=True)
class Clock:
    """The time of a stand-in, which can be set ahead so that what expires after days expires in a test."""

    ahead_s: float = 0.0

    def now_ns(self) -> int:
        """Return nanoseconds since 1970."""
        return time.time_ns() + int(self.ahead_s * 1e9)


def timestamp(moment_ns: int) -> str:
    """Write a moment as Google does: RFC 3339 in UTC, to the microsecond."""
    moment = datetime.fromtimestamp(moment_ns // 1000 / 1e6, tz=UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
