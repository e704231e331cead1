"""What Anthropic says to every request: its headers, how keys are given, and what is wrong with them."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from eval_pipeline.standins.anthropic.errors import (
    NO_KEY,
    NO_VERSION,
    RATE_LIMITED,
    WRONG_KEY,
    AnthropicError,
    fault_response,
)
from eval_pipeline.standins.faults import FaultRule
from eval_pipeline.standins.limits import RateLimiter
from eval_pipeline.standins.serving import ProviderError


class AnthropicManners:
    """Anthropic's headers and words.

    Args:
        accepted_keys: The API keys to accept; any key when empty.
    """

    def __init__(self, accepted_keys: frozenset[str]) -> None:
        self._accepted_keys = accepted_keys

    def headers(self) -> dict[str, str]:
        """Return the headers of a new answer."""
        return {"request-id": f"req_{secrets.token_hex(12)}", "anthropic-organization-id": "stand-in"}

    def judge_key(self, request: Request) -> AnthropicError | None:
        """Return what is wrong with the key of a request, or that it names no version of the API."""
        key = request.headers.get("x-api-key", "").strip()
        if not key:
            return NO_KEY
        if self._accepted_keys and key not in self._accepted_keys:
            return WRONG_KEY
        return None if request.headers.get("anthropic-version") else NO_VERSION

    def levels(self, limiter: RateLimiter) -> Mapping[str, str]:
        """Return the headers that tell what is left of the limits; Anthropic names the moment of a reset."""
        told = limiter.headers()
        later = (datetime.now(UTC) + timedelta(seconds=60)).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            f"anthropic-ratelimit-{what}-{name}": later if name == "reset" else told[f"x-ratelimit-{name}-{what}"]
            for what in ("requests", "tokens")
            for name in ("limit", "remaining", "reset")
        }

    def timing(self, elapsed_ms: int) -> Mapping[str, str]:
        """Return the header that tells how long an answer took."""
        return {"x-envoy-upstream-service-time": str(elapsed_ms)}

    def rate_limited(self, wait_s: float, headers: Mapping[str, str]) -> Response:
        """Return the answer to who asks too much."""
        return RATE_LIMITED.response({**headers, "retry-after": f"{wait_s:g}"})

    def fault(self, rule: FaultRule, headers: Mapping[str, str], *, not_found: ProviderError | None) -> Response | None:
        """Return the answer of a fault that is an HTTP error, or None for every other fault."""
        return fault_response(rule, headers, not_found=not_found)
