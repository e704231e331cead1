"""Progress of a running stage as lines of the run's log, a few a minute at most."""

import logging
from decimal import Decimal
from time import monotonic

import dagster as dg

LINE_EVERY_S = 10.0


class LogProgress:
    """Writes one line when a stage begins, then one every ten seconds, and one at its end."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._stage = ""
        self._began_at_s = 0.0
        self._next_at_s = 0.0
        self._first_done = 0

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Report the present counts."""
        now = monotonic()
        if stage != self._stage:
            self._stage, self._began_at_s, self._next_at_s, self._first_done = stage, now, now, done
        if now < self._next_at_s and done < total:
            return
        self._next_at_s = now + LINE_EVERY_S
        rate = (done - self._first_done) / max(now - self._began_at_s, 1e-9)
        left = f", about {(total - done) / rate:.0f} s left" if rate > 0 and done < total else ""
        cost = "" if cost_usd is None else f", ${cost_usd:.4f}"
        self._log.info(f"{stage}: {done:,} of {total:,} done, {failed:,} failed, {rate:.1f}/s{left}{cost}")


@dg.resource(description="Where running stages tell how far they are.")
def log_progress(context: dg.InitResourceContext) -> LogProgress:
    """Tell progress in the run's log."""
    return LogProgress(context.log or logging.getLogger(__name__))
