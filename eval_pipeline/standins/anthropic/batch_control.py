"""The URLs under ``/__standin__/`` for batches.

``batch_faults`` GET, POST (a JSON list of rules for batches created from now on), DELETE; ``batch_settings``
GET, POST (``batch_seconds``, ``batch_polls``, ``max_requests``, ``max_body_bytes``, ``ahead_s``: how far the clock is
set ahead); ``batches`` GET, DELETE (forgets batches and bills); ``batches/{id or "all"}`` POST (``status``, ``done``);
``counts`` GET as elsewhere, after all that is due was worked off, with ``batches`` and their bills.
"""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from eval_pipeline.standins.anthropic.batch_input import BatchLimits
from eval_pipeline.standins.anthropic.batch_life import STATUSES, Lives
from eval_pipeline.standins.anthropic.batch_state import Batch
from eval_pipeline.standins.anthropic.batches import Batches
from eval_pipeline.standins.anthropic.errors import InvalidBodyError
from eval_pipeline.standins.batch_control import States
from eval_pipeline.standins.batch_faults import ANTHROPIC_SCENARIOS, Scenario


class AnthropicDesk:
    """What Anthropic's batches have of their own."""

    able: AbstractSet[Scenario] = ANTHROPIC_SCENARIOS
    states = States("status", "statuses", STATUSES)
    refusals: tuple[type[Exception], ...] = (InvalidBodyError,)

    def __init__(self, batches: Batches, lives: Lives) -> None:
        self.planned = batches
        self.lives = lives

    def limits(self) -> dict[str, float]:
        """Return the limits of batches, and how far the clock is ahead."""
        limits = self.lives.limits
        return {
            "max_requests": limits.requests,
            "max_body_bytes": limits.body_bytes,
            "ahead_s": self.lives.batches.clock.ahead_s,
        }

    def apply(self, settings: Mapping[str, float], /) -> None:
        """Change the limits and the clock."""
        self.lives.limits = BatchLimits(
            requests=int(settings["max_requests"]), body_bytes=int(settings["max_body_bytes"])
        )
        self.lives.batches.clock.ahead_s = float(settings["ahead_s"])

    def forget(self) -> None:
        """Count batches from zero."""
        self.planned.created = 0

    def document(self, batch: Batch, /) -> object:
        """Return a batch as the API writes it."""
        return batch.as_json("")

    def summary(self) -> dict[str, object]:
        """Count the batches."""
        batches, billed = self.lives.batches.newest_first(), self.lives.billed
        return {
            "created": self.planned.created,
            "statuses": dict(Counter(batch.status for batch in batches)),
            "executed": billed.total(),
            "executed_distinct": len(billed),
            "by_text": dict(Counter(name.partition("|")[2] for name in billed.elements())),
            "tokens": dict(sum((Counter(batch.tokens) for batch in batches), Counter[str]())),
        }

    def billed(self) -> None:
        """Tell nothing: live calls and requests of batches are billed by different names."""
