"""Where a paid stage stands, whatever its flow: by its summary once it is whole, until then by what its journal holds.

A manifest appears when a stage is whole; what was answered and paid for until then stands in the journal alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from eval_pipeline.core.cost import Costs, StageCost
from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.paid_summary import ItemCounts, ModelSummary, PaidSummary
from eval_pipeline.core.reasons import Reason, ReasonTally
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import ItemCost, RecordTally
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.storage.journal import Journal
from eval_pipeline.wiring.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Share:
    """An item of a stage, where it is counted, and what its calls cost."""

    item_id: str
    tally: RecordTally
    price: Callable[[ItemRecord], ItemCost]


@dataclass(frozen=True, slots=True)
class SoFar:
    """Items by what became of them; those that will be asked again are neither."""

    ok: int
    failed: int
    reasons: tuple[Reason, ...] = ()
    """The most frequent ones of the failures."""


@dataclass(frozen=True, slots=True)
class PaidSoFar:
    """What a paid stage has come to before it has a summary."""

    counts: SoFar
    cost: StageCost | Costs
    by_model: Mapping[str, ModelSummary] = field(default_factory=dict)
    """Of each of several that are asked."""


def count_so_far(
    deployment: Deployment,
    ref: StageRef,
    shares: Iterable[Share],
    *,
    read: Callable[[ItemRecord], ItemRecord] = lambda record: record,
) -> SoFar | None:
    """Count what the journal of a stage holds of its items, each in its tally; None when nothing was asked yet.

    Args:
        deployment: where the stage lives.
        ref: the stage.
        shares: its items.
        read: says what a record counts as.
    """
    ok = finished = 0
    reasons = ReasonTally()
    with Journal(deployment.objects, ref).spool() as spool:
        index = RecordIndex(spool)
        if len(index) == 0:
            return None
        for share in shares:
            record = index.find(share.item_id)
            if record is not None:
                counted = read(record)
                share.tally.add(counted, share.price(record))
                finished += record.finished
                ok += counted.status is ItemStatus.OK
                if counted.error is not None and counted.status is not ItemStatus.OK:
                    reasons.add(counted.error)
    return SoFar(ok=ok, failed=finished - ok, reasons=reasons.most_frequent())


def standing_of(
    paid: PaidSummary | None, so_far: PaidSoFar | None, *, total: int, allowed: float, called: str
) -> PaidStanding:
    """Say what became of the items of a stage.

    Args:
        paid: what the stage came to; None while it is not finished.
        so_far: what it has come to until then; None when nothing was asked yet.
        total: the items of the run.
        allowed: the share of failures that the run allows.
        called: what the cost of the stage is called, if it asks one model.
    """
    if paid is not None and paid.counts is not None:
        verdict, cost = paid.threshold, Costs.join({called: paid.cost})
        return PaidStanding(counts=paid.counts, allowed=allowed, verdict=verdict, reasons=verdict.reasons, cost=cost)
    if so_far is None:
        return PaidStanding(counts=ItemCounts(total, 0, 0), allowed=allowed)
    found = so_far.counts
    counts, cost = ItemCounts(total, found.ok, found.failed), Costs.join({called: so_far.cost})
    return PaidStanding(counts=counts, allowed=allowed, reasons=found.reasons, cost=cost)
