"""Where a paid stage stands: by its summary once it is whole, until then by what its journal holds; in every flow."""

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.paid_summary import ItemCounts, PaidSummary
from eval_pipeline.runs.so_far import PaidSoFar


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
