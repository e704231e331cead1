"""One batch as the stand-in knows it, and how the API shows it."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from eval_pipeline.standins.anthropic.errors import InvalidBodyError, no_such_batch
from eval_pipeline.standins.batch_faults import Scenario
from eval_pipeline.standins.kept_batches import BatchFolder, KeptBatch
from eval_pipeline.standins.pace import Clock, timestamp

EXECUTION_NS = 24 * 60 * 60 * 10**9
COUNTED = ("succeeded", "errored", "canceled", "expired")


@dataclass(slots=True, kw_only=True)
class Batch(KeptBatch):
    """One batch; ``ended_looks`` counts how often a client has seen it since it ended."""

    total: int
    status: str = "in_progress"
    ended_looks: int = 0
    cancelled_ns: int | None = None
    ended_ns: int | None = None
    has_results: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status == "ended"

    def as_json(self, url: str) -> dict[str, object]:
        """Return the MessageBatch as the API shows it at this look.

        Args:
            url: Where the batches are.
        """
        late = self.meets_still(Scenario.LATE_FILES, looks=self.ended_looks)
        shown = self.has_results and not late
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self.shown_as(self.status),
            "request_counts": None if self.meets(Scenario.NULL_COUNTS) else self._counts(),
            "created_at": timestamp(self.created_ns),
            "expires_at": timestamp(self.created_ns + EXECUTION_NS),
            "cancel_initiated_at": None if self.cancelled_ns is None else timestamp(self.cancelled_ns),
            "ended_at": None if self.ended_ns is None else timestamp(self.ended_ns),
            "archived_at": None,
            "results_url": f"{url}/{self.id}/results" if shown else None,
        }

    def _counts(self) -> dict[str, int]:
        """Return the counts: until all has ended, all is being processed."""
        done = {name: self.counts.get(name, 0) if self.is_ended else 0 for name in COUNTED}
        return {"processing": self.total - sum(done.values()), **done}


class BatchStore(BatchFolder[Batch]):
    """All batches of one stand-in; beside each its ``requests`` and its ``results``.

    Args:
        folder: Where they are kept.
        clock: Tells when one is created.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(
            folder,
            Batch,
            absent=lambda batch_id: InvalidBodyError.of(no_such_batch(batch_id)),
            beside=("requests", "results"),
        )
        self.clock = clock


def age_s(batch: Batch) -> float:
    """Return how long ago a batch was created, by the clock of this machine."""
    return (time.time_ns() - batch.created_ns) / 1e9
