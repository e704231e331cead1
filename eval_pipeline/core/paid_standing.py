"""Where the paid work of a run stands, finished or so far: what ``show`` of every flow tells of it, and reads back.

The command line words it, scripts read its JSON; both get it from here, so that no flow tells it in a way of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.paid_summary import ItemCounts
from eval_pipeline.core.reasons import Reason
from eval_pipeline.core.thresholds import Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidStanding:
    """What became of the items of a run, what it cost, and why items failed."""

    counts: ItemCounts
    """Those that are to be asked still are neither ok nor failed."""
    allowed: float
    """The share of failures that the run allows."""
    verdict: Threshold | None = None
    """None: not judged yet."""
    reasons: Sequence[Reason] = ()
    """The most frequent ones."""
    cost: Costs | None = None
    """None: nothing was paid yet."""

    @property
    def unfinished(self) -> int:
        """Items that are still to be asked."""
        return self.counts.total - self.counts.ok - self.counts.failed

    def counts_json(self) -> JsonDict:
        """Return the counts, with the unfinished ones."""
        counted = replace(self.counts, others={"unfinished": self.unfinished, **self.counts.others})
        return counted.to_json()

    def cost_json(self) -> JsonDict | None:
        """Return the cost, and every part of it."""
        return None if self.cost is None else self.cost.to_json()

    def threshold_json(self) -> JsonDict:
        """Return the verdict, or what it will be about."""
        told = [reason.to_json() for reason in self.reasons]
        if self.verdict is None:
            return {"value": self.allowed, "observed": None, "breached": None, "reasons": told}
        return {**self.verdict.to_json(), "reasons": told}

    @classmethod
    def of(cls, document: Json) -> Self:
        """Read it back from the document of a run."""
        threshold, cost = document["threshold"], document["cost"]
        counts = ItemCounts.from_json(document["counts"])
        others = {name: count for name, count in counts.others.items() if name != "unfinished"}
        return cls(
            counts=replace(counts, others=others),
            allowed=threshold["value"],
            verdict=None if threshold["breached"] is None else Threshold.from_json(threshold),
            reasons=[Reason.from_json(reason) for reason in threshold["reasons"]],
            cost=None if cost is None else Costs.from_json(cost),
        )
