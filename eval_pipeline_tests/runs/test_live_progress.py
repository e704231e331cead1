"""What is told of a live stage: items, failures and dollars, also after an interruption."""

from decimal import Decimal

from eval_pipeline.core.outcomes import ItemError, ItemRecord, ItemStatus
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.runs.live_progress import LiveProgress
from eval_pipeline_tests.dispatch.test_records import MemorySpool

BUSY = ItemError(code="rate_limit_exceeded", type="http", message="later", transient=True)
DONE = ItemRecord("done", ItemStatus.OK, "18")
SILENT = ItemRecord("silent", ItemStatus.EMPTY)
TRIED = ItemRecord("tried", ItemStatus.FAILED, error=BUSY)
DOLLARS = {"done": "0.25", "silent": "2", "tried": "0.5"}


class Watcher:
    """Keeps the last that was told."""

    def __init__(self) -> None:
        self.told: tuple[int, int, Decimal | None] = (0, 0, None)

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        assert (stage, total) == ("responses", 4)
        self.told = (done, failed, cost_usd)


def price(record: ItemRecord) -> ItemCost:
    dollars = DOLLARS.get(record.item_id)
    return ItemCost(None if dollars is None else Decimal(dollars) * record.attempts)


def started(watcher: Watcher, *earlier: ItemRecord) -> LiveProgress:
    progress = LiveProgress(watcher, stage="responses", total=4, price=price)
    progress.resume(["done", "silent", "tried", "new"], RecordIndex(MemorySpool(list(earlier))))
    return progress


def test_what_an_earlier_attempt_left_is_told_at_once() -> None:
    """A person who goes on with a run sees where it stands, not 0 of 4."""
    watcher = Watcher()

    assert started(watcher, DONE, SILENT).left == 2
    assert watcher.told == (2, 1, Decimal("2.25"))


def test_an_unfinished_item_is_still_to_be_asked_and_what_it_cost_is_counted_once() -> None:
    watcher = Watcher()
    progress = started(watcher, TRIED)
    assert (progress.left, watcher.told) == (4, (0, 0, Decimal("0.5")))

    progress.add(ItemRecord("tried", ItemStatus.OK, "18", attempts=3))

    assert watcher.told == (1, 0, Decimal("1.5"))


def test_a_flow_says_what_counts_as_answered() -> None:
    """A model that hears nothing in a silent clip has not failed."""
    watcher = Watcher()
    progress = LiveProgress(
        watcher, stage="responses", total=4, price=price, answered=frozenset({ItemStatus.OK, ItemStatus.EMPTY})
    )

    progress.add(SILENT)

    assert watcher.told == (1, 0, Decimal(2))


def test_an_item_of_unknown_price_makes_the_cost_unknown() -> None:
    watcher = Watcher()
    started(watcher, DONE).add(ItemRecord("new", ItemStatus.OK, "18"))

    assert watcher.told == (2, 0, None)
