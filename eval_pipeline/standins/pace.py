"""How fast batches are worked off: by the clock, by looks, or by whichever comes last."""

from dataclasses import dataclass

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
