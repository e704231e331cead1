"""Asks experts live: all at once, each what is wanted of it, as often as something more is wanted."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Final

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.cost import NOTHING
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Answerer
from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.tallies import price_item
from eval_pipeline.dispatch.budget import Budget, ResponsePurse
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.refusals import REFUSES_ALL
from eval_pipeline.runs.at_work import StageAtWork
from eval_pipeline.runs.live_stage import LiveModel, ask_together
from eval_pipeline.runs.panels.cells import Cell, cell_of_request
from eval_pipeline.runs.panels.judges import Seat
from eval_pipeline.runs.panels.settling import Settler, Wanted
from eval_pipeline.runs.panels.work import PanelWork
from eval_pipeline.runs.task import Task
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint

OF_ONE_EXPERT: Final = frozenset(
    {
        "provider_auth_failed",
        "provider_unreachable",
        "provider_not_an_api",
        "provider_other_protocol",
        "model_not_found",
        "provider_quota_exhausted",
        "provider_told_to_wait",
        "missing_api_key",
        REFUSES_ALL,
    }
)
"""What keeps one expert from being asked, while the others go on."""
_ANSWERED: Final = frozenset({ItemStatus.OK, ItemStatus.INCOMPLETE, ItemStatus.EMPTY})
_MOST_ROUNDS: Final = 8
"""Notes, verdict, repair, evidence, each asked again after a refusal."""


@dataclass(slots=True)
class LiveExperts:
    """The experts of a run that are asked live."""

    task: Task
    held: StageAtWork
    work: PanelWork
    settler: Settler
    faults: dict[str, EvalPipelineError]
    """What keeps experts from being asked."""
    calls: int = 0

    def ask(self, cells: Sequence[Cell]) -> None:
        """Ask until every cell of these experts is settled, or cannot be asked."""
        for number in range(_MOST_ROUNDS):
            with self.held.journal.spool() as spool:
                index = RecordIndex(spool)
                open_cells = (cell for cell in cells if cell.seat.id not in self.faults)
                wanted = list(self.settler.look(open_cells, index, again=number == 0))
                if not wanted:
                    return
                self._ask(wanted, index, spent_usd=self._spent(cells, index))

    def _ask(self, wanted: Sequence[Wanted], index: RecordIndex, *, spent_usd: Decimal) -> None:
        """Ask experts side by side, as many at once as there may be calls."""
        by_seat: dict[str, list[Wanted]] = {}
        for one in wanted:
            by_seat.setdefault(one.cell.seat.id, []).append(one)
        budget = models.budget(self.held.run.max_cost_usd, spent_usd=spent_usd)
        task = replace(self.task, progress=_Together(self.task.progress, stage=self.work.stage, total=len(wanted)))
        seats = [seat for seat in self.work.judges.seats if seat.id in by_seat]
        for some in chunks(seats, size=self.work.concurrency):
            shares = shared_out(self.work.concurrency, {seat.id: len(by_seat[seat.id]) for seat in some})
            asked = [
                self._model(seat, by_seat[seat.id], index, concurrency=shares[seat.id], budget=budget) for seat in some
            ]
            for seat, outcome in zip(some, ask_together(task, self.held, asked), strict=True):
                self._note(seat, outcome)

    def _note(self, seat: Seat, outcome: int | EvalPipelineError) -> None:
        """Count an expert's calls, or keep what is wrong with its account from the others."""
        if isinstance(outcome, int):
            self.calls += outcome
        elif outcome.code in OF_ONE_EXPERT:
            self.faults[seat.id] = outcome
            self.task.say(f"{seat.id}: {outcome.message}; {outcome.hint}")
        else:
            raise outcome

    def _model(
        self, seat: Seat, wanted: Sequence[Wanted], index: RecordIndex, *, concurrency: int, budget: Budget | None
    ) -> LiveModel[Wanted, Json]:
        tariff = self.work.tariff(seat)

        def purse(_spent_usd: Decimal) -> ResponsePurse | None:
            if budget is None:
                return None
            return ResponsePurse(budget, tariff, measure=lambda body: len(orjson.dumps(body)))

        def opened(endpoint: Endpoint, _host: FileHost | None) -> AbstractAsyncContextManager[Answerer]:
            return models.answerer(endpoint, settings=self.task.deployment.settings, concurrency=concurrency)

        return LiveModel(
            endpoint=seat.endpoint,
            name=seat.model,
            concurrency=concurrency,
            shown_as=seat.id,
            total=len(wanted),
            items=lambda: wanted,
            id_of=lambda one: one.request_id,
            body_of=lambda one: self.settler.body(one, index),
            open=opened,
            price=partial(price_item, tariff=tariff, at=self.held.run.created_at),
            answered=_ANSWERED,
            purse=purse,
        )

    def _spent(self, cells: Iterable[Cell], index: RecordIndex) -> Decimal:
        """Return what all requests so far cost, where there is a budget."""
        if self.held.run.max_cost_usd is None:
            return NOTHING
        return spent_on(cells, index, self.work, run=self.held.run)


def spent_on(cells: Iterable[Cell], index: RecordIndex, work: PanelWork, *, run: RunRecord) -> Decimal:
    """Return what the requests of a run cost so far, as far as it is known."""
    seats = {cell.id: cell.seat for cell in cells}
    tariffs = {seat.id: work.tariff(seat) for seat in work.judges.seats}
    spent = NOTHING
    for request_id in index:
        seat, record = seats.get(cell_of_request(request_id)), index.find(request_id)
        if seat is not None and record is not None:
            spent += price_item(record, tariffs[seat.id], at=run.created_at).usd or NOTHING
    return spent


def shared_out(concurrency: int, wanted: Mapping[str, int]) -> dict[str, int]:
    """Share calls at once out by how many requests each has, one at least: no more are shared out than there are.

    >>> shared_out(100, {"a": 1000, "b": 1000, "c": 10})
    {'a': 50, 'b': 49, 'c': 1}
    >>> shared_out(4, {"a": 1000, "b": 1, "c": 1})
    {'a': 2, 'b': 1, 'c': 1}
    """
    total = max(1, sum(wanted.values()))
    shares = {name: max(1, concurrency * count // total) for name, count in wanted.items()}
    by_need = sorted(wanted, key=lambda name: -wanted[name])
    for name in by_need[: max(0, concurrency - sum(shares.values()))]:
        shares[name] += 1
    while sum(shares.values()) > concurrency and max(shares.values()) > 1:
        shares[max(by_need, key=lambda name: shares[name])] -= 1
    return {name: min(share, max(1, wanted[name])) for name, share in shares.items()}


class _Together:
    """The progress of several experts as one stage's."""

    def __init__(self, watcher: Progress, *, stage: str, total: int) -> None:
        self._watcher = watcher
        self._stage = stage
        self._total = total
        self._each: dict[str, tuple[int, int, Decimal | None]] = {}

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Take in where one expert is, and tell where all are."""
        del total
        self._each[stage] = (done, failed, cost_usd)
        each = self._each.values()
        costs = [cost for *_, cost in each]
        known = [cost for cost in costs if cost is not None]
        self._watcher.update(
            stage=self._stage,
            done=sum(one[0] for one in each),
            failed=sum(one[1] for one in each),
            total=self._total,
            cost_usd=sum(known, NOTHING) if len(known) == len(costs) else None,
        )
