"""What Gemini says to every request: its headers, how keys are given, and what is wrong with them."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from eval_pipeline.standins.faults import FaultRule
from eval_pipeline.standins.gemini.errors import (
    NO_KEY,
    RATE_LIMITED,
    WRONG_KEY,
    GeminiError,
    fault_error,
    retry_later,
)
from eval_pipeline.standins.limits import RateLimiter
from eval_pipeline.standins.serving import ProviderError


class GeminiManners:
    """Google's headers and words.

    Args:
        accepted_keys: The API keys to accept; any key when empty.
    """

    def __init__(self, accepted_keys: frozenset[str]) -> None:
        self._accepted_keys = accepted_keys

    def headers(self) -> dict[str, str]:
        """Return the headers of a new answer."""
        return {"x-content-type-options": "nosniff", "vary": "Origin, X-Origin, Referer"}

    def judge_key(self, request: Request) -> GeminiError | None:
        """Return what is wrong with the key in the header or the URL of a request."""
        key = request.headers.get("x-goog-api-key") or request.query_params.get("key") or ""
        if not key.strip():
            return NO_KEY
        return WRONG_KEY if self._accepted_keys and key.strip() not in self._accepted_keys else None

    def levels(self, limiter: RateLimiter) -> Mapping[str, str]:
        """Return nothing: Gemini does not tell what is left of its limits."""
        del limiter
        return {}

    def timing(self, elapsed_ms: int) -> Mapping[str, str]:
        """Return the header that tells how long an answer took."""
        return {"server-timing": f"gfet4t7; dur={elapsed_ms}"}

    def rate_limited(self, wait_s: float, headers: Mapping[str, str]) -> Response:
        """Return the answer to who asks too much; the body says when to come back."""
        return retry_later(RATE_LIMITED, wait_s).response(headers)

    def fault(
        self,
        rule: FaultRule,
        headers: Mapping[str, str],
        *,
        not_found: ProviderError | None,
    ) -> Response | None:
        """Return the answer of a fault that is an HTTP error, or None for every other fault."""
        known = not_found if isinstance(not_found, GeminiError) else None
        error = fault_error(rule, not_found=known)
        return None if error is None else error.response(headers, message=rule.message)
