"""What a run of sessions that is not finished has come to so far, expert by expert; first verdicts are counted."""

from functools import partial

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import RecordTally, price_item
from eval_pipeline.judging.steps import Kind, Step
from eval_pipeline.runs.panels.cells import PLAIN, cells_of
from eval_pipeline.runs.so_far import PaidSoFar, Share, count_so_far
from eval_pipeline.session_eval.judged import STAGE, work_of
from eval_pipeline.wiring.deployment import Deployment


def judgements_so_far(deployment: Deployment, run: RunRecord) -> PaidSoFar | None:
    """Count what the journal of ``judgements`` holds; None when nothing was asked yet."""
    sessions = deployment.stages.find(StageRef(flow=run.flow, key=run.key, stage="sessions"))
    if sessions is None:
        return None
    work = work_of(run, deployment=deployment, sessions=sessions)
    seats = work.judges.seats
    tallies = {seat.id: RecordTally(threshold=1.0, model=seat.model) for seat in seats}
    prices = {seat.id: partial(price_item, tariff=work.tariff(seat), at=run.created_at) for seat in seats}
    shares = (
        Share(cell.request(Step(Kind.VERDICT)), tallies[cell.seat.id], prices[cell.seat.id])
        for cell in cells_of(work.items, work.judges)
        if cell.variant == PLAIN
    )
    counts = count_so_far(deployment, StageRef(flow=run.flow, key=run.key, stage=STAGE), shares)
    if counts is None:
        return None
    return PaidSoFar(
        counts,
        Costs.of({seat.id: tallies[seat.id].cost(rate=work.rate(seat)) for seat in seats}),
        by_model={expert: tally.of_model() for expert, tally in tallies.items()},
    )
