"""What a run of sessions that is not finished has come to so far: expert by expert, and session by session."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

import orjson

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import RecordTally, price_item
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.judging.aggregation import CellState, Opinion, aggregate, average_samples
from eval_pipeline.judging.steps import CellStatus, Kind, Step
from eval_pipeline.runs.panels.cells import PLAIN, Cell, cells_of
from eval_pipeline.runs.panels.judges import Judges
from eval_pipeline.runs.panels.settling import Settlements, Settler, open_settlements
from eval_pipeline.runs.panels.showing import Showing, run_secret
from eval_pipeline.runs.so_far import PaidSoFar, Share, count_so_far
from eval_pipeline.session_eval.judged import STAGE, work_of
from eval_pipeline.storage.journal import Journal
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


def sessions_so_far(deployment: Deployment, run: RunRecord) -> Iterator[JsonDict]:
    """Yield every session of a run that is at work: pending, running, ok or failed, with its error and its average."""
    ref = StageRef(flow=run.flow, key=run.key, stage=STAGE)
    sessions = deployment.stages.find(StageRef(flow=run.flow, key=run.key, stage="sessions"))
    if sessions is None:
        return
    work = work_of(run, deployment=deployment, sessions=sessions)
    with Journal(deployment.objects, ref).spool() as spool, open_settlements() as kept:
        index = RecordIndex(spool)
        secret = run_secret(deployment.objects, ref) if len(index) else ""
        tariffs = {seat.id: work.tariff(seat) for seat in work.judges.seats}
        showing = Showing(work.judges, material=work.material, secret=secret)
        settler = Settler(work.judges, showing, tariffs, run.created_at, kept)
        plain = (cell for cell in cells_of(work.items, work.judges) if cell.variant == PLAIN)
        for session_id, cells in groupby(plain, key=lambda cell: cell.item.item_id):
            yield _session(session_id, list(cells), index, settler, kept)


def _session(
    session_id: str, cells: Sequence[Cell], index: RecordIndex, settler: Settler, kept: Settlements
) -> JsonDict:
    begun = [cell for cell in cells if index.find(cell.request(Step(Kind.VERDICT))) is not None]
    list(settler.look(begun, index, again=True))
    rows = [kept.find(cell.id)[0] for cell in cells if cell.id in kept]
    error = next((row["error_message"] or row["status"] for row in rows if row["status"] != CellStatus.OK), None)
    return {
        "session_id": session_id,
        "state": _state(cells, rows, begun=bool(begun)),
        "judged": len(rows),
        "of": len(cells),
        "error": error,
        "average": _average(settler.judges, rows),
    }


def _state(cells: Sequence[Cell], rows: Sequence[Row], *, begun: bool) -> str:
    if len(rows) < len(cells):
        return "running" if begun else "pending"
    return "ok" if any(row["status"] == CellStatus.OK for row in rows) else "failed"


def _average(judges: Judges, rows: Sequence[Row]) -> float | None:
    """Return the mean of the required quality axes' scores that there are so far."""
    said: dict[str, dict[str, list[Opinion]]] = {}
    weights = {seat.id: seat.expert.weight for seat in judges.seats}
    for row in rows:
        for name, axis in orjson.loads(row["axes"]).items():
            opinion = Opinion(CellState(axis["state"]), axis["score"], weights[row["expert_id"]])
            said.setdefault(name, {}).setdefault(row["expert_id"], []).append(opinion)
    axes = judges.panel.rubric.axes
    scores = [
        aggregate([average_samples(samples) for samples in by_expert.values()]).mean
        for name, by_expert in said.items()
        if axes[name].required and not axes[name].covariate
    ]
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if known else None
