"""One batch as the stand-in knows it, how the API shows it, and the folder that outlives the process."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.standins.anthropic.errors import InvalidBodyError, no_such_batch
from eval_pipeline.standins.batch_faults import BatchRule, Scenario, read_batch_rule
from eval_pipeline.standins.pace import Clock, timestamp
from eval_pipeline.standins.state_files import write_json

EXECUTION_NS = 24 * 60 * 60 * 10**9
COUNTED = ("succeeded", "errored", "canceled", "expired")


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch; ``looks`` counts how often a client has seen it, ``ended_looks`` since it ended."""

    id: str
    total: int
    created_ns: int
    rule: BatchRule | None = None
    status: str = "in_progress"
    forced: str | None = None
    forced_done: int = 0
    looks: int = 0
    ended_looks: int = 0
    cancelled_ns: int | None = None
    ended_ns: int | None = None
    has_results: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status == "ended"

    def meets(self, *scenarios: Scenario) -> bool:
        """Tell whether it meets one of these scenarios."""
        return self.rule is not None and self.rule.scenario in scenarios

    def as_json(self, url: str) -> dict[str, object]:
        """Return the MessageBatch as the API shows it at this look.

        Args:
            url: Where the batches are.
        """
        late = self._shows(Scenario.LATE_FILES, looks=self.ended_looks)
        shown = self.has_results and not late
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": self._status_shown(),
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

    def _status_shown(self) -> str:
        unknown = self._shows(Scenario.UNKNOWN_STATUS, looks=self.looks) and self.looks
        return self.rule.status if self.rule and unknown else self.status

    def _shows(self, scenario: Scenario, *, looks: int) -> bool:
        return self.rule is not None and self.rule.scenario is scenario and self.rule.lasts(looks)

    def hidden_from(self, *, listing: bool) -> bool:
        """Tell whether a client does not find it, in a list or by its id."""
        looks = self.looks + 1
        vanished = self._shows(Scenario.VANISHED, looks=looks)
        return vanished or (not listing and self._shows(Scenario.FORGOTTEN, looks=looks))


class BatchStore:
    """All batches of one stand-in, in one folder; beside each its requests, its results, and what it has billed.

    Args:
        folder: Where they are kept.
        clock: Tells when one is created.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self.clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        read = [_read(path) for path in folder.glob("*.json")]
        self._batches = {batch.id: batch for batch in sorted(read, key=lambda batch: batch.created_ns)}

    def __getitem__(self, batch_id: str) -> Batch:
        try:
            return self._batches[batch_id]
        except KeyError:
            raise InvalidBodyError.of(no_such_batch(batch_id)) from None

    def newest_first(self) -> list[Batch]:
        """Return all batches."""
        return list(reversed(self._batches.values()))

    def save(self, batch: Batch) -> None:
        """Keep a batch as it is now."""
        self._batches[batch.id] = batch
        write_json(self._folder / f"{batch.id}.json", asdict(batch))

    def path(self, batch_id: str, kind: str) -> Path:
        """Return where something of a batch is: ``requests``, ``results``, ``billed``."""
        return self._folder / f"{batch_id}.{kind}"

    def delete(self, batch_id: str) -> None:
        """Forget a batch; what it billed stays."""
        self._batches.pop(batch_id, None)
        (self._folder / f"{batch_id}.json").unlink(missing_ok=True)
        for kind in ("requests", "results"):
            self.path(batch_id, kind).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all batches, and what they have billed."""
        for batch_id in list(self._batches):
            self.delete(batch_id)
        for path in self._folder.glob("*.billed"):
            path.unlink()


def _read(path: Path) -> Batch:
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    rule = document["rule"]
    return Batch(**{**document, "rule": None if rule is None else read_batch_rule(rule)})


def age_s(batch: Batch) -> float:
    """Return how long ago a batch was created, by the clock of this machine."""
    return (time.time_ns() - batch.created_ns) / 1e9
