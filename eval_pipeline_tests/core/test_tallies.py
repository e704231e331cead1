from datetime import UTC, datetime
from decimal import Decimal

import pytest

from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.outcomes import PLAINLY, BilledCall, ItemError, ItemRecord, ItemStatus, Served, Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tallies import ItemCost, RecordTally, missing_record, price_item

NOW = datetime(2026, 11, 26, tzinfo=UTC)
TEN, TWENTY = Usage(input=10, total=10), Usage(input=20, total=20)
PASSING = ItemError(code="http_500", type="server_error", message="down", transient=True)


class CentAToken:
    """Prices a token at a cent; knows one model only."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY) -> Price | None:
        del mode, at, served
        return Price(Decimal(usage.total) / 100, rate="standard") if model == "known" else None


def cost_of(record: ItemRecord) -> Decimal | None:
    tariff = Tariff(book=CentAToken(), model="known", mode=RunMode.FAST)
    return price_item(record, tariff, at=NOW).usd


@pytest.mark.parametrize(
    ("record", "usd"),
    [
        (ItemRecord("a", ItemStatus.OK, answer="x", usage=TEN), Decimal("0.10")),
        (ItemRecord("a", ItemStatus.OK, answer="x", usage=TEN, retried=(BilledCall(TWENTY),)), Decimal("0.30")),
        (ItemRecord("a", ItemStatus.FAILED, error=PASSING, retried=(BilledCall(TWENTY),)), Decimal("0.20")),
        (ItemRecord("a", ItemStatus.FAILED, error=PASSING), Decimal(0)),
        (ItemRecord("a", ItemStatus.REFUSED, error=PASSING, usage=Usage()), Decimal(0)),
        (ItemRecord("a", ItemStatus.OK, answer="x"), None),
        (ItemRecord("a", ItemStatus.EMPTY), None),
        (missing_record("a"), Decimal(0)),
    ],
)
def test_an_item_costs_what_all_its_calls_reported(record: ItemRecord, usd: Decimal | None) -> None:
    assert cost_of(record) == usd


def test_one_call_without_a_price_leaves_the_item_without_one() -> None:
    record = ItemRecord("a", ItemStatus.OK, answer="x", usage=TEN, retried=(BilledCall(TWENTY, "another"),))
    unknown = price_item(record, Tariff(book=CentAToken(), model="another", mode=RunMode.FAST), at=NOW)

    assert unknown.usd is None


def test_a_stage_is_counted_in_one_pass() -> None:
    tally = RecordTally(threshold=0.5, model="asked")
    for latency_s in (1.0, 2.0, 4.0):
        record = ItemRecord("a", ItemStatus.OK, answer="x", usage=TEN, model="known-1", latency_s=latency_s, attempts=2)
        tally.add(record, ItemCost(Decimal("0.1")))
    tally.add(ItemRecord("b", ItemStatus.FAILED, error=PASSING, unreported_calls=2, attempts=5), ItemCost(Decimal(0)))
    tally.add(missing_record("c"), ItemCost(Decimal(0)))

    told = tally.summary(rate="batch").to_json()

    assert told["counts"] == {"total": 5, "ok": 3, "failed": 2, "by_status": {"failed": 1, "missing": 1, "ok": 3}}
    verdict = {"value": 0.5, "observed": 0.4, "breached": False, "failed": 2, "total": 5}
    reasons = [{"code": "http_500", "message": "down", "count": 1}]
    assert told["threshold"] == {**verdict, "reasons": reasons}
    assert told["latency_s"] == {"p50": 2.0, "p95": 3.8, "max": 4.0}
    assert (told["attempts"], told["unreported_calls"], told["models"]) == (11, 2, {"known-1": 3})
    assert (told["cost"]["model"], told["cost"]["cost_usd"], told["cost"]["rate"]) == ("known-1", 0.3, "batch")


def test_a_sum_with_a_part_that_nobody_knows_is_not_known() -> None:
    tally = RecordTally(threshold=0.5, model="asked")
    tally.add(ItemRecord("a", ItemStatus.OK, answer="x", usage=TEN), ItemCost(Decimal("0.1")))
    tally.add(ItemRecord("b", ItemStatus.OK, answer="x"), ItemCost(None))

    told = tally.summary(rate="standard").to_json()

    assert (told["cost"]["cost_usd"], told["unpriced_items"], told["items_without_usage"]) == (None, 1, 1)
    assert told["latency_s"] is None
    assert told["cost"]["model"] == "asked"


def test_nothing_at_all_is_a_breach() -> None:
    assert RecordTally(threshold=1.0, model="asked").verdict.breached
