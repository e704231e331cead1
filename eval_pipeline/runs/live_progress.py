"""How far a live stage is with its items, told to whoever watches; every flow counts the same way."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.dispatch.records import RecordIndex


@dataclass(slots=True)
class LiveProgress:
    """What is answered, what failed and what it cost so far."""

    watcher: Progress
    stage: str
    total: int
    price: Callable[[ItemRecord], ItemCost]
    answered: frozenset[ItemStatus] = frozenset({ItemStatus.OK})
    """What does not count as failed."""
    done: int = 0
    failed: int = 0
    usd: Decimal = Decimal(0)
    priced: bool = True
    earlier: dict[str, Decimal] = field(default_factory=dict)
    """What the unfinished attempts at an item cost; its next record counts that in."""

    def resume(self, item_ids: Iterable[str], index: RecordIndex) -> None:
        """Count what an earlier attempt left of these items, and tell."""
        for item_id in item_ids:
            record = index.find(item_id)
            if record is not None:
                self._count(record, finished=index.finished(item_id))
        self._tell()

    @property
    def left(self) -> int:
        """Items that are still to be asked."""
        return self.total - self.done

    def add(self, record: ItemRecord) -> None:
        """Count one item and tell."""
        self._count(record, finished=True)
        self._tell()

    def _count(self, record: ItemRecord, *, finished: bool) -> None:
        """Count one record; what an unfinished one cost is spent all the same."""
        cost = self.price(record).usd
        self.usd += (cost or 0) - self.earlier.pop(record.item_id, Decimal(0))
        if not finished:
            self.earlier[record.item_id] = cost or Decimal(0)
        self.priced = self.priced and cost is not None
        self.done += finished
        self.failed += finished and record.status not in self.answered

    def _tell(self) -> None:
        """Report the present counts."""
        self.watcher.update(
            stage=self.stage,
            done=self.done,
            failed=self.failed,
            total=self.total,
            cost_usd=self.usd if self.priced else None,
        )
