"""Which accounts are better left alone for a while, as this process has come to know: it is told so, or waits in vain.

What a provider asks for counts for every call, whoever makes it. A call that hangs keeps other accounts waiting, so
that its account rests after it, each time for longer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

SLOW_S = 3.0
"""A call that failed after so long has kept others waiting."""
_AFTER_SLOW_S = 30.0
_MOST_REST_S = 600.0
_MOST_DOUBLINGS = 16
MOST_ASKED_S = 1_800.0
"""A longer rest that a provider asks for is cut: it may be well again before, or have named a number at random."""
_QUICK_FAILURES = 4
"""Failures at once that cost nobody anything."""


@dataclass(frozen=True, slots=True)
class _Rest:
    until_s: float = float("-inf")
    failures: int = 0
    words: str | None = None
    asked_s: float = 0.0
    """The longest rest that the provider asked for."""


class Rests:
    """The rests of accounts; threads may share it, for every change replaces one entry.

    Args:
        clock: seconds on a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._rests: dict[str, _Rest] = {}

    def left_s(self, account: str) -> float:
        """Return for how many seconds an account is left alone."""
        return max(0.0, self._rests.get(account, _Rest()).until_s - self._clock())

    def words(self, account: str) -> str | None:
        """Return what a person was told when the rest began."""
        return self._rests.get(account, _Rest()).words

    def cut_words(self, account: str) -> str | None:
        """Say that a provider asked for a longer rest than it gets; None when it did not."""
        asked_s = self._rests.get(account, _Rest()).asked_s
        if asked_s <= MOST_ASKED_S:
            return None
        return f"its provider asked for {asked_s:,.0f} s and is asked again after {MOST_ASKED_S:,.0f} s"

    def ask(self, account: str, wait_s: float | None) -> None:
        """Note how long the provider asks to be left alone."""
        if wait_s is not None:
            known = self._rests.get(account, _Rest())
            until_s = max(known.until_s, self._clock() + min(wait_s, MOST_ASKED_S))
            asked_s = max(known.asked_s, wait_s)
            self._rests[account] = replace(known, until_s=until_s, asked_s=asked_s)

    def note_failure(self, account: str, *, took_s: float, poll_s: float, words: str | None) -> None:
        """Let an account rest that was asked in vain, at growing lengths."""
        known = self._rests.get(account, _Rest())
        failures = known.failures + 1
        rest_s = _rest_s(failures, took_s=took_s, poll_s=poll_s)
        until_s = max(known.until_s, self._clock() + rest_s)
        self._rests[account] = replace(known, until_s=until_s, failures=failures, words=words)

    def note_success(self, account: str) -> None:
        """Forget what was, but not what the provider asked for."""
        self._rests.pop(account, None)


def _rest_s(failures: int, *, took_s: float, poll_s: float) -> float:
    if took_s >= SLOW_S:
        return min(_AFTER_SLOW_S * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), _MOST_REST_S)
    if failures <= _QUICK_FAILURES:
        return 0.0
    return min(poll_s * 2.0 ** min(failures - _QUICK_FAILURES, _MOST_DOUBLINGS), _MOST_REST_S)


RESTS = Rests()
"""Of this process."""
