"""Batches as every stand-in keeps them: what they meet, whom they hide from, and the folder that outlives the process.

What a protocol says of a batch, and how its life goes on, stands in the folder of the protocol.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson

from eval_pipeline.standins.batch_faults import BatchRule, Scenario, read_batch_rule
from eval_pipeline.standins.state_files import write_json


@dataclass(slots=True, kw_only=True)
class KeptBatch:
    """What is known of a batch in every protocol; ``looks`` counts how often a client has seen it."""

    id: str
    created_ns: int
    rule: BatchRule | None = None
    forced: str | None = None
    forced_done: int = 0
    looks: int = 0
    tokens: dict[str, int] = field(default_factory=dict)

    def meets(self, *scenarios: Scenario) -> bool:
        """Tell whether it meets one of these scenarios."""
        return self.rule is not None and self.rule.scenario in scenarios

    def meets_still(self, scenario: Scenario, *, looks: int) -> bool:
        """Tell whether it meets this scenario, which does not last for ever, after so many looks."""
        return self.rule is not None and self.rule.scenario is scenario and self.rule.lasts(looks)

    def hidden_from(self, *, listing: bool) -> bool:
        """Tell whether a client does not find it, in a list or by its id."""
        looks = self.looks + 1
        vanished = self.meets_still(Scenario.VANISHED, looks=looks)
        return vanished or (not listing and self.meets_still(Scenario.FORGOTTEN, looks=looks))

    def shown_as(self, status: str) -> str:
        """Return the status that a client is told: for a while perhaps one that no client knows."""
        unknown = self.meets_still(Scenario.UNKNOWN_STATUS, looks=self.looks) and self.looks
        return self.rule.status if self.rule and unknown else status


BatchT = TypeVar("BatchT", bound=KeptBatch)


class BatchFolder(Generic[BatchT]):
    """All batches of one stand-in, in one folder; beside each, in files of its name, what belongs to it.

    Args:
        folder: Where they are kept.
        made: What a batch is.
        absent: Makes the refusal of a batch that is not there, from its id.
        beside: The kinds of files that go with a batch; what was ``billed`` stays when it is deleted.
    """

    def __init__(
        self, folder: Path, made: type[BatchT], *, absent: Callable[[str], Exception], beside: tuple[str, ...] = ()
    ) -> None:
        self._folder = folder
        self._absent = absent
        self._beside = beside
        folder.mkdir(parents=True, exist_ok=True)
        read = [_read(path, made) for path in folder.glob("*.json")]
        self._batches = {batch.id: batch for batch in sorted(read, key=lambda batch: batch.created_ns)}

    def __getitem__(self, batch_id: str) -> BatchT:
        try:
            return self._batches[batch_id]
        except KeyError:
            raise self._absent(batch_id) from None

    def newest_first(self) -> list[BatchT]:
        """Return all batches."""
        return list(reversed(self._batches.values()))

    def save(self, batch: BatchT) -> None:
        """Keep a batch as it is now."""
        self._batches[batch.id] = batch
        write_json(self.path(batch.id, "json"), asdict(batch))

    def path(self, batch_id: str, kind: str) -> Path:
        """Return where something of a batch is, such as the lines that were ``billed``."""
        return self._folder / f"{batch_id}.{kind}"

    def billed_paths(self) -> list[Path]:
        """Return where it is noted what was billed, also for batches that were deleted."""
        return sorted(self._folder.glob("*.billed"))

    def delete(self, batch_id: str) -> None:
        """Forget a batch; what it billed stays noted."""
        self._batches.pop(batch_id, None)
        for kind in ("json", *self._beside):
            self.path(batch_id, kind).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all batches, and what they have billed."""
        for batch_id in list(self._batches):
            self.delete(batch_id)
        for path in self.billed_paths():
            path.unlink(missing_ok=True)


def _read(path: Path, made: type[BatchT]) -> BatchT:
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    rule = document["rule"]
    return made(**{**document, "rule": None if rule is None else read_batch_rule(rule)})
