"""What a valid batch is: its create request, every request of it under an id of its own.

A request whose ``params`` are wrong passes here: it gets a result of its own, with an error.
"""

import re
from dataclasses import dataclass

from eval_pipeline.standins.anthropic.errors import InvalidBodyError, read_object
from eval_pipeline.standins.documents import JsonDict

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PATTERN = "'^[a-zA-Z0-9_-]{1,64}$'"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How large a batch may be."""

    requests: int = 100_000
    body_bytes: int = 256_000_000


def read_requests(raw: bytes, *, limits: BatchLimits) -> list[JsonDict]:
    """Read the body of a create request, or refuse it as the real API does."""
    body = read_object(raw)
    if unknown := sorted(body.keys() - {"requests"}):
        raise InvalidBodyError(f"{unknown[0]}: Extra inputs are not permitted")
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        raise InvalidBodyError("requests: Field required" if requests is None else "requests: at least one is required")
    if len(requests) > limits.requests:
        raise InvalidBodyError(f"requests: at most {limits.requests} requests are allowed")
    seen: set[str] = set()
    for place, request in enumerate(requests):
        _check(place, request, seen)
    return requests


def _check(place: int, request: object, seen: set[str]) -> None:
    if not isinstance(request, dict) or not isinstance(request.get("params"), dict):
        raise InvalidBodyError(f"requests.{place}.params: Field required")
    custom_id = request.get("custom_id")
    if not isinstance(custom_id, str) or not _ID.fullmatch(custom_id):
        raise InvalidBodyError(f"requests.{place}.custom_id: String should match pattern {_PATTERN}")
    if custom_id in seen:
        raise InvalidBodyError(f"requests.{place}.custom_id: custom_id must be unique within a batch")
    seen.add(custom_id)
