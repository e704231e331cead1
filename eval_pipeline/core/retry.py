"""When a failed call is made again, and after how long.

One layer for everything: the SDKs' own retries are off, because theirs are neither counted nor paced. Exponential
back-off with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from dataclasses import dataclass

TRANSIENT_HTTP = frozenset({408, 409, 429})
SERVER_ERRORS_FROM = 500
PERMANENT_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
MAX_DOUBLINGS = 32
"""Beyond any ceiling; keeps the power of two a float."""
LEAST_LAST_DELAY_S = 0.5
"""What is left of a time budget after that is no chance of its own."""


def is_transient(http_status: int, *, error_code: str | None) -> bool:
    """Tell whether a provider's error may go away by itself.

    >>> is_transient(429, error_code="rate_limit_exceeded"), is_transient(429, error_code="insufficient_quota")
    (True, False)
    """
    if error_code in PERMANENT_CODES:
        return False
    return http_status in TRANSIENT_HTTP or http_status >= SERVER_ERRORS_FROM


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently one item is tried."""

    max_attempts: int = 5
    base_delay_s: float = 1.0
    max_delay_s: float = 30.0
    time_budget_s: float = 600.0
    """From the first attempt of an item to the start of its last one."""

    def delay_s(self, *, attempts: int, elapsed_s: float, retry_after_s: float | None, jitter: float) -> float | None:
        """Return the seconds to wait before the next attempt, or None when the item has had its chances.

        Args:
            attempts: attempts made so far, at least 1.
            elapsed_s: seconds since the first attempt began.
            retry_after_s: what the provider asked for; honoured as given, also beyond ``max_delay_s``.
            jitter: uniform in [0, 1).
        """
        if attempts >= self.max_attempts:
            return None
        doublings = min(attempts - 1, MAX_DOUBLINGS)
        ceiling = min(self.max_delay_s, self.base_delay_s * 2.0**doublings)
        delay = jitter * ceiling if retry_after_s is None else retry_after_s
        return delay if elapsed_s + delay <= self.time_budget_s else None

    def asks_too_much(self, retry_after_s: float | None, *, elapsed_s: float) -> bool:
        """Tell whether a provider asks to be left alone for longer than the item may take."""
        return retry_after_s is not None and elapsed_s + retry_after_s > self.time_budget_s

    def last_delay_s(self, *, attempts: int, elapsed_s: float) -> float | None:
        """Return the wait for the end of the time budget, where an item has its last chance; None when it had that.

        Of a provider that asks for more: it may be well again before, or have named a number that means nothing.
        """
        left_s = self.time_budget_s - elapsed_s
        return left_s if attempts < self.max_attempts and left_s >= LEAST_LAST_DELAY_S else None
