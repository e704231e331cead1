"""How many calls may be under way at once: as many as asked for, fewer while the provider says "too many".

Additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP does it. A burst of 429s that answers one burst
of calls is one signal, not many: the limit is halved at most once per round trip.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Pace:
    """The present limit; every method returns the next one. Times are seconds on a monotonic clock."""

    ceiling: int
    limit: float
    decreased_at_s: float = float("-inf")
    resume_at_s: float = float("-inf")
    """No call starts before this moment."""

    @classmethod
    def start(cls, concurrency: int) -> "Pace":
        """Begin at the concurrency that was asked for."""
        return cls(ceiling=concurrency, limit=float(concurrency))

    @property
    def slots(self) -> int:
        """Calls that may be under way at once, at least 1."""
        return max(1, int(self.limit))

    def after_success(self) -> "Pace":
        """Grow by one call per round of successful calls."""
        if self.limit >= self.ceiling:
            return self
        return replace(self, limit=min(float(self.ceiling), self.limit + 1.0 / self.limit))

    def after_throttle(self, *, called_at_s: float, now_s: float, retry_after_s: float | None) -> "Pace":
        """Halve, unless the refused call began before the last decrease; pause as long as the provider asks."""
        resume = self.resume_at_s if retry_after_s is None else max(self.resume_at_s, now_s + retry_after_s)
        if called_at_s < self.decreased_at_s:
            return replace(self, resume_at_s=resume)
        return replace(self, limit=max(1.0, self.limit / 2), decreased_at_s=now_s, resume_at_s=resume)
