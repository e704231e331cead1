"""Rate limits as OpenAI keeps them: a bucket of requests and one of tokens, refilled continuously.

Their levels are told in the headers of every answer; whoever finds a bucket empty gets a 429 with
the time that its refill takes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """How much may be asked in a window; the defaults are too high to be felt."""

    requests: int = 10_000_000
    tokens: int = 10_000_000_000
    window_s: float = 60.0


@dataclass(slots=True)
class Bucket:
    """What is left of one limit."""

    limit: int
    window_s: float
    level: float
    filled_at_s: float

    def refill(self, now_s: float) -> None:
        """Add what has become available since the last look."""
        gained = (now_s - self.filled_at_s) * self.limit / self.window_s
        self.level = min(self.limit, self.level + gained)
        self.filled_at_s = now_s

    def wait_s(self, amount: float) -> float:
        """Return how long until the amount is there; a larger one than the limit needs a full bucket."""
        missing = min(amount, self.limit) - self.level
        return max(0.0, missing * self.window_s / self.limit)


class RateLimiter:
    """Both buckets of one endpoint."""

    def __init__(self, limits: RateLimits, *, clock: Clock) -> None:
        self._clock = clock
        now_s = clock()
        self._requests = Bucket(limits.requests, limits.window_s, limits.requests, now_s)
        self._tokens = Bucket(limits.tokens, limits.window_s, limits.tokens, now_s)

    def admit(self, tokens: int) -> float:
        """Take one request and its tokens and return 0, or take nothing and return the wait in seconds."""
        now_s = self._clock()
        self._requests.refill(now_s)
        self._tokens.refill(now_s)
        wait_s = max(self._requests.wait_s(1), self._tokens.wait_s(tokens))
        if not wait_s:
            self._requests.level -= 1
            self._tokens.level -= tokens
        return wait_s

    def headers(self) -> dict[str, str]:
        """Return the six headers that tell the state of the buckets."""
        told: dict[str, str] = {}
        for name, bucket in (("requests", self._requests), ("tokens", self._tokens)):
            told[f"x-ratelimit-limit-{name}"] = str(bucket.limit)
            told[f"x-ratelimit-remaining-{name}"] = str(max(0, math.floor(bucket.level)))
            told[f"x-ratelimit-reset-{name}"] = duration(bucket.wait_s(bucket.limit))
        return told


def duration(seconds: float) -> str:
    """Write a time as OpenAI's headers do: ``12ms``, ``1.5s``, ``6m0s``."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    if not minutes:
        return f"{rest:g}s"
    return f"{int(minutes)}m{round(rest, 3):g}s"


def retry_headers(wait_s: float) -> dict[str, str]:
    """Return the headers that tell a client when to come back."""
    return {"retry-after": f"{wait_s:g}", "retry-after-ms": str(math.ceil(wait_s * 1000))}
