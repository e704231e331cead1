"""What the items of a paid stage came to, counted in one pass over their records; every flow counts the same way."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from eval_pipeline.core.cost import StageCost, Tariff
from eval_pipeline.core.outcomes import ItemRecord, ItemStatus, Usage
from eval_pipeline.core.paid_summary import Calls, ItemCounts, Latency, ModelSummary, PaidSummary
from eval_pipeline.core.reasons import ReasonTally
from eval_pipeline.core.thresholds import Threshold


@dataclass(frozen=True, slots=True)
class ItemCost:
    """What one item cost with its retries; None when a part of it has no known price."""

    usd: Decimal | None


def price_item(record: ItemRecord, tariff: Tariff, *, at: datetime) -> ItemCost:
    """Price the calls of one item, retries included, each by itself: prices may depend on the size of a request.

    An item that was answered, with whatever, without a word on tokens is of unknown price; a failed one that reported
    none is free.
    """
    if record.without_usage:
        return ItemCost(None)
    billed = [call for call in record.billed_calls if call.usage != Usage()]
    prices = [tariff.price(call.usage, at=at, returned_model=call.model, served=call.served) for call in billed]
    known = [price.usd for price in prices if price is not None]
    return ItemCost(sum(known, Decimal(0)) if len(known) == len(prices) else None)


def missing_record(item_id: str) -> ItemRecord:
    """Return the record of an item that nothing came back for: the denominator is always the dataset."""
    return ItemRecord(item_id=item_id, status=ItemStatus.MISSING, attempts=0)


@dataclass(slots=True)
class RecordTally:
    """Counts over the records of a stage, in one pass."""

    threshold: float
    model: str
    statuses: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    endpoints: Counter[str] = field(default_factory=Counter)
    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    attempts: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: Decimal = field(default_factory=Decimal)
    unpriced: int = 0
    without_usage: int = 0
    unreported_calls: int = 0
    tiers: Counter[str] = field(default_factory=Counter)
    reasons: ReasonTally = field(default_factory=ReasonTally)
    unpriced_services: Counter[str] = field(default_factory=Counter)
    """Tiers and hosted tools of the items that have no price."""

    def add(self, record: ItemRecord, cost: ItemCost) -> None:
        """Count one item."""
        self.statuses[str(record.status)] += 1
        if record.error is not None and record.status is not ItemStatus.OK:
            self.reasons.add(record.error)
        self.attempts += record.attempts
        self.usage = self.usage + (record.usage or Usage()) + record.retried_usage
        self.without_usage += record.without_usage
        self.unreported_calls += record.unreported_calls
        if record.model is not None:
            self.models[record.model] += 1
        if record.endpoint is not None:
            self.endpoints[record.endpoint] += 1
        if record.latency_s is not None:
            self.latencies_s.append(record.latency_s)
        self.tiers.update(call.served.tier for call in record.billed_calls if call.served.tier)
        if cost.usd is None:
            self.unpriced += 1
            self.unpriced_services.update(name for call in record.billed_calls for name in call.served.names)
        else:
            self.usd += cost.usd

    @property
    def verdict(self) -> Threshold:
        """The failures against what the run allows."""
        total = sum(self.statuses.values())
        failed = total - self.statuses[str(ItemStatus.OK)]
        return Threshold(value=self.threshold, failed=failed, total=total, reasons=self.reasons.most_frequent())

    def cost(self, *, rate: str) -> StageCost:
        """Return tokens and dollars of all calls, retries included."""
        model = self.models.most_common(1)[0][0] if self.models else self.model
        served = " and ".join(sorted(self.tiers)) if self.tiers else rate
        return StageCost(model=model, usage=self.usage, priced_usd=self.usd, unpriced=self.unpriced, rate=served)

    @property
    def counts(self) -> ItemCounts:
        """Items by what became of them."""
        verdict = self.verdict
        return ItemCounts(
            total=verdict.total,
            ok=verdict.total - verdict.failed,
            failed=verdict.failed,
            by_status=dict(sorted(self.statuses.items())),
        )

    @property
    def latency_s(self) -> Latency:
        """How long answers took."""
        return Latency.of(self.latencies_s)

    @property
    def calls(self) -> Calls:
        """What the calls told of themselves."""
        return Calls(
            unpriced_items=self.unpriced,
            items_without_usage=self.without_usage,
            unreported=self.unreported_calls,
            unpriced_services=dict(self.unpriced_services),
            models=dict(self.models),
            endpoints=dict(self.endpoints),
            attempts=self.attempts,
            latency_s=self.latency_s,
        )

    def summary(self, *, rate: str) -> PaidSummary:
        """Return what a stage that asks one model came to."""
        return PaidSummary(threshold=self.verdict, counts=self.counts, cost=self.cost(rate=rate), calls=self.calls)

    def of_model(self) -> ModelSummary:
        """Return what one of several that are asked came to."""
        return ModelSummary(self.counts, self.latency_s)
