"""Progress of a running stage as lines: a few a minute, and always the last one."""

from collections.abc import Callable
from decimal import Decimal
from time import monotonic


class ProgressLines:
    """Writes a line every few seconds and one at the end of a stage: done, failed, rate, cost, time left.

    Args:
        write: takes one line.
        every_s: seconds between lines.
        at_start: whether a stage's first report is a line, too.
    """

    def __init__(self, write: Callable[[str], None], *, every_s: float, at_start: bool = False) -> None:
        self._write = write
        self._every_s = every_s
        self._at_start = at_start
        self._stage = ""
        self._began_at_s = 0.0
        self._next_at_s = 0.0
        self._first_done = 0

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Report the present counts."""
        now_s = monotonic()
        if stage != self._stage:
            self._stage, self._began_at_s, self._first_done = stage, now_s, done
            self._next_at_s = now_s if self._at_start else now_s + self._every_s
        if now_s < self._next_at_s and done < total:
            return
        self._next_at_s = now_s + self._every_s
        rate = (done - self._first_done) / max(now_s - self._began_at_s, 1e-9)
        speed = f", {rate:.1f}/s" if rate > 0 else ""
        cost = "" if cost_usd is None else f", ${cost_usd:.4f}"
        left = f", {(total - done) / rate:.0f} s left" if rate > 0 and done < total else ""
        self._write(f"{stage}: {done:,}/{total:,} done, {failed:,} failed{speed}{cost}{left}")
