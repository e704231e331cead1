"""How a bot is asked and read, as its endpoint's entry says it: typed, its variables filled in."""

from dataclasses import dataclass, field
from typing import Self

from eval_pipeline.core.documents import Json
from eval_pipeline.providers.http.template import RequestTemplate

EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for a bot that answers later."""

    status: str
    done: tuple[str, ...]
    failed: tuple[str, ...]
    poll_url: str | None
    """None: the Location header says it."""
    every_s: float


@dataclass(frozen=True, slots=True)
class Bot:
    """One bot. All places are JSONPaths."""

    request: RequestTemplate = field(repr=False)
    answer: str
    contexts: str | None
    input_tokens: str | None
    output_tokens: str | None
    wait: Waiting | None
    price_per_call_usd: float | None

    @classmethod
    def from_json(cls, says: Json) -> Self:
        """Read what an entry says beyond what all protocols have."""
        request, usage, wait = says["request"], says.get("usage") or {}, says.get("wait")
        return cls(
            request=RequestTemplate(
                method=request.get("method", "POST"),
                url=request["url"],
                headers=request.get("headers", {}),
                body=request.get("body"),
            ),
            answer=says["answer"],
            contexts=says.get("contexts"),
            input_tokens=usage.get("input"),
            output_tokens=usage.get("output"),
            wait=None if wait is None else _waiting(wait),
            price_per_call_usd=says.get("price_per_call_usd"),
        )


def _waiting(wait: Json) -> Waiting:
    return Waiting(
        status=wait["status"],
        done=tuple(wait["done"]),
        failed=tuple(wait.get("failed", ())),
        poll_url=wait.get("poll_url"),
        every_s=wait.get("every_s", EVERY_S),
    )
