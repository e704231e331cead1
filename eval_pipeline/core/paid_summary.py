"""What a paid stage says of itself: counts, the verdict on its failures, cost, speed; the same type in every flow.

A stage that pays makes one and keeps it in its manifest; its check, later stages, reports, `show`, `run status` and the
command line read it. What its parts are called in JSON stands here, in `core.cost` and in `core.thresholds` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from eval_pipeline.core.cost import NOTHING, Costs, StageCost, cost_from_json
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.core.stages import Manifest
from eval_pipeline.core.statistics import percentile
from eval_pipeline.core.thresholds import Threshold

_COUNTED = frozenset({"total", "ok", "failed", "by_status"})


def failed_ones(by_status: Mapping[str, int]) -> Mapping[str, int]:
    """Return the failed of items that are counted by status."""
    return {status: count for status, count in by_status.items() if status != ItemStatus.OK}


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """Items by what became of them; whatever is not ok failed, or is not finished."""

    total: int
    ok: int
    failed: int
    by_status: Mapping[str, int] | None = None
    """None: the stage tells by other names why items failed."""
    others: Mapping[str, int | None] = field(default_factory=dict)
    """What one stage counts beside them, by names of its own."""

    def to_json(self) -> JsonDict:
        """Return the JSON form."""
        by_status = {} if self.by_status is None else {"by_status": dict(self.by_status)}
        return {"total": self.total, "ok": self.ok, "failed": self.failed, **by_status, **self.others}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        others = {name: count for name, count in value.items() if name not in _COUNTED}
        return cls(value["total"], value["ok"], value["failed"], value.get("by_status"), others)


def item_counts(manifest: Manifest) -> ItemCounts | None:
    """Return the items of any stage that counts failed ones, whether it pays or not."""
    counts = manifest.summary.get("counts")
    return ItemCounts.from_json(counts) if counts is not None and "failed" in counts else None


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers took; None: no call of its own told, as in a batch."""

    p50: float | None = None
    p95: float | None = None
    max: float | None = None

    @classmethod
    def of(cls, latencies_s: Sequence[float]) -> Self:
        """Sum up what every call took."""
        return cls(*(percentile(latencies_s, percent) for percent in (50, 95, 100))) if latencies_s else cls()

    def to_json(self) -> JsonDict | None:
        """Return the JSON form; null where there is none."""
        return None if self.max is None else {"p50": self.p50, "p95": self.p95, "max": self.max}

    @classmethod
    def from_json(cls, value: Json | None) -> Self:
        """Read the JSON form back."""
        return cls() if value is None else cls(value["p50"], value["p95"], value["max"])


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What one of several that are asked came to: a model, or an expert of a panel; its cost stands in ``Costs``."""

    counts: ItemCounts
    latency_s: Latency = field(default_factory=Latency)

    def to_json(self) -> JsonDict:
        """Return the JSON form."""
        return {**self.counts.to_json(), "latency_s": self.latency_s.to_json()}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        counted = {name: count for name, count in value.items() if name != "latency_s"}
        return cls(ItemCounts.from_json(counted), Latency.from_json(value.get("latency_s")))


def models_as_json(models: Mapping[str, ModelSummary]) -> JsonDict:
    """Return the JSON form of each of several, by its label."""
    return {label: one.to_json() for label, one in models.items()}


@dataclass(frozen=True, slots=True)
class Calls:
    """What the calls of a stage told of themselves; None: this stage, or the version that made it, is silent.

    ``unreported`` ones ended without a readable answer, and may have been charged.
    """

    unpriced_items: int | None = None
    items_without_usage: int | None = None
    calls_without_usage: int | None = None
    unreported: int | None = None
    unpriced_services: Mapping[str, int] | None = None
    """Items by the tier or hosted tool whose price nobody publishes."""
    models: Mapping[str, int] | None = None
    """Items by the name that the answering model gave itself."""
    endpoints: Mapping[str, int] | None = None
    """Items by the address that answered."""
    attempts: int | None = None
    latency_s: Latency | None = None

    @property
    def uncounted(self) -> int:
        """Items or calls whose tokens nobody knows."""
        return self.items_without_usage or self.calls_without_usage or 0

    def to_json(self) -> JsonDict:
        """Return the JSON form: what is told."""
        facts: JsonDict = {
            "unpriced_items": self.unpriced_items,
            "items_without_usage": self.items_without_usage,
            "unreported_calls": self.unreported,
            "calls_without_usage": self.calls_without_usage,
            "unpriced_services": None if self.unpriced_services is None else dict(self.unpriced_services),
            "models": None if self.models is None else dict(self.models),
            "endpoints": None if self.endpoints is None else dict(self.endpoints),
            "attempts": self.attempts,
        }
        told = {name: fact for name, fact in facts.items() if fact is not None}
        return told if self.latency_s is None else {**told, "latency_s": self.latency_s.to_json()}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read what a summary tells."""
        return cls(
            unpriced_items=value.get("unpriced_items"),
            items_without_usage=value.get("items_without_usage"),
            calls_without_usage=value.get("calls_without_usage"),
            unreported=value.get("unreported_calls"),
            unpriced_services=value.get("unpriced_services"),
            models=value.get("models"),
            endpoints=value.get("endpoints"),
            attempts=value.get("attempts"),
            latency_s=Latency.from_json(value["latency_s"]) if "latency_s" in value else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidSummary:
    """What a paid stage came to.

    A stage that found nothing to do has no counts and no cost, but a verdict all the same.
    """

    threshold: Threshold
    note: str | None = None
    """Why there was nothing to do."""
    mode: str | None = None
    requests: int | None = None
    """Calls that were made, or requests that went out in batches."""
    counts: ItemCounts | None = None
    cost: StageCost | Costs | None = None
    """Of the stage, or of each of several that were asked."""
    calls: Calls = field(default_factory=Calls)
    by_model: Mapping[str, ModelSummary] | None = None
    """By label, of a stage that asks several models or experts."""
    faults: Sequence[str] | None = None
    """Why one of several could not be asked; a stage that asks one raises instead."""
    batch_notes: Sequence[str] = ()
    """What a reader of the results should know of their batches."""
    own: Mapping[str, object] = field(default_factory=dict)
    """What this stage alone tells, as JSON."""

    def to_json(self) -> JsonDict:
        """Return the JSON form, as the stage's manifest keeps it."""
        facts: JsonDict = {
            "note": self.note,
            "mode": self.mode,
            "calls": self.requests,
            "counts": None if self.counts is None else self.counts.to_json(),
            "threshold": self.threshold.to_json(),
            "cost": None if self.cost is None else self.cost.to_json(),
        }
        several: JsonDict = {
            "by_model": None if self.by_model is None else models_as_json(self.by_model),
            "faults": None if self.faults is None else list(self.faults),
            "batch_notes": list(self.batch_notes) or None,
        }
        return {**_told(facts), **self.own, **self.calls.to_json(), **_told(several)}

    @property
    def known_usd(self) -> Decimal:
        """What it cost as far as a budget can know: nothing, where the cost is not known."""
        return NOTHING if self.cost is None else self.cost.cost_usd or NOTHING

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Read what a paid stage keeps in its manifest."""
        return cls.from_json(manifest.summary)

    @classmethod
    def find(cls, manifest: Manifest) -> Self | None:
        """Read what a stage keeps in its manifest if it pays; None for any other."""
        return cls.of(manifest) if "threshold" in manifest.summary else None

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back, as this version or an earlier one wrote it."""
        counts, by_model = value.get("counts"), value.get("by_model")
        return cls(
            threshold=Threshold.from_json(value["threshold"]),
            note=value.get("note"),
            mode=value.get("mode"),
            requests=value.get("calls"),
            counts=None if counts is None else ItemCounts.from_json(counts),
            cost=cost_from_json(value.get("cost")),
            calls=Calls.from_json(value),
            by_model=None
            if by_model is None
            else {label: ModelSummary.from_json(one) for label, one in by_model.items()},
            faults=value.get("faults"),
            batch_notes=tuple(value.get("batch_notes", ())),
            own={name: fact for name, fact in value.items() if name not in _NAMED},
        )


def _told(facts: JsonDict) -> JsonDict:
    return {name: fact for name, fact in facts.items() if fact is not None}


_NAMED = frozenset(
    {"note", "mode", "calls", "counts", "threshold", "cost", "by_model", "faults", "batch_notes"}
    | {"unpriced_items", "items_without_usage", "calls_without_usage", "unreported_calls", "unpriced_services"}
    | {"models", "endpoints", "attempts", "latency_s"}
)
