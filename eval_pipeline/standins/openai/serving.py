"""What OpenAI says to every request: its headers, how keys are given, and what is wrong with them."""

import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from eval_pipeline.standins.faults import FaultRule
from eval_pipeline.standins.limits import RateLimiter, retry_headers
from eval_pipeline.standins.openai.errors import NO_KEY, RATE_LIMITED, WRONG_KEY, OpenAIError, fault_response
from eval_pipeline.standins.serving import ProviderError


class OpenAIManners:
    """OpenAI's headers and words.

    Args:
        accepted_keys: The API keys to accept; any key when empty.
        asks_for_key: Whether a request must carry a key.
    """

    def __init__(self, accepted_keys: frozenset[str], *, asks_for_key: bool = True) -> None:
        self._accepted_keys = accepted_keys
        self._asks_for_key = asks_for_key or bool(accepted_keys)

    def headers(self) -> dict[str, str]:
        """Return the headers of a new answer."""
        return {"x-request-id": f"req_{secrets.token_hex(16)}", "openai-version": "2020-10-01"}

    def judge_key(self, request: Request) -> OpenAIError | None:
        """Return what is wrong with the bearer token of a request."""
        if not self._asks_for_key:
            return None
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return NO_KEY
        return WRONG_KEY if self._accepted_keys and key.strip() not in self._accepted_keys else None

    def levels(self, limiter: RateLimiter) -> Mapping[str, str]:
        """Return the headers that tell what is left of the limits."""
        return limiter.headers()

    def timing(self, elapsed_ms: int) -> Mapping[str, str]:
        """Return the header that tells how long an answer took."""
        return {"openai-processing-ms": str(elapsed_ms)}

    def rate_limited(self, wait_s: float, headers: Mapping[str, str]) -> Response:
        """Return the answer to who asks too much."""
        return RATE_LIMITED.response({**headers, **retry_headers(wait_s)})

    def fault(
        self,
        rule: FaultRule,
        headers: Mapping[str, str],
        *,
        not_found: ProviderError | None,
    ) -> Response | None:
        """Return the answer of a fault that is an HTTP error, or None for every other fault."""
        return fault_response(rule, headers, not_found=not_found)
