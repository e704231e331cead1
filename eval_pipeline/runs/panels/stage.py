"""The two stages that have items judged: one submits batches, one asks what is missing and stores a row a cell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode, RunRecord
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.runs.at_work import StageAtWork, at_work
from eval_pipeline.runs.batches import LIVE, batch_notes, refuse_changed_input, start_over_once
from eval_pipeline.runs.panels.batches import BatchExperts, batch_endpoints
from eval_pipeline.runs.panels.cells import Cell, cells_of
from eval_pipeline.runs.panels.findings import Findings
from eval_pipeline.runs.panels.live import LiveExperts
from eval_pipeline.runs.panels.settling import Settlements, Settler, open_settlements
from eval_pipeline.runs.panels.sharing import Sharing
from eval_pipeline.runs.panels.showing import Showing, run_secret
from eval_pipeline.runs.panels.waiting import wait_no_more
from eval_pipeline.runs.panels.work import PanelWork
from eval_pipeline.runs.rounds import WHOLE
from eval_pipeline.runs.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE: Final = 500


def make_judgements(
    task: Task,
    stage: str,
    *,
    schema: "pa.Schema",
    made_from: StageReader,
    submitted: StageReader,
    work: Callable[[RunRecord], PanelWork],
) -> StageReader | None:
    """Have judged what is not judged yet, then store every judgement; None while batches are out.

    Args:
        task: the stage's own.
        stage: its name.
        schema: the columns of its rows.
        made_from: the stage that the items are made from.
        submitted: the stage that submitted the batches.
        work: says what a run has judged.
    """
    deployment, ref = task.deployment, task.ref(stage)
    inputs = {made_from.manifest.stage.stage: made_from}
    with at_work(deployment, ref, schema=schema, inputs=inputs, dagster_run_id=task.dagster_run_id) as held:
        wanted = work(held.run)
        if task.refresh:
            start_over_once(task, held, shares=(WHOLE, *batch_endpoints(wanted)))
        elif held.run.mode is RunMode.BATCH:
            refuse_changed_input(submitted, made_from)
        with Judging.opened(task, held.run, wanted) as judging:
            if not judging.ask(held):
                return None
            held.files.finish(judging.store(held))
            judging.batches.close()
    wait_no_more(deployment, ref)
    return deployment.stages.open(ref)


def submit_judgements(
    task: Task, stage: str, *, inputs: Mapping[str, StageReader], work: Callable[[RunRecord], PanelWork]
) -> StageReader:
    """Make the stage that submits the batches of a run; of a fast run it only notes that it needs none.

    Args:
        task: the submitting stage's own.
        stage: its name.
        inputs: what it is made from.
        work: says what a run has judged.
    """
    ref = task.ref(stage)
    with at_work(task.deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id) as held:
        mode = str(held.run.mode)
        if held.run.mode is RunMode.FAST:
            held.files.finish({"mode": mode, "note": LIVE})
        else:
            with Judging.opened(task, held.run, work(held.run)) as judging:
                held.files.finish({"mode": mode, **judging.submit()})
    return task.deployment.stages.open(ref)


@dataclass(slots=True)
class Judging:
    """One materialization of a stage that judges."""

    task: Task
    run: RunRecord
    work: PanelWork
    kept: Settlements
    cells: Sequence[Cell]
    """Each once, also where two items have the same content."""
    settler: Settler
    batches: BatchExperts
    sharing: Sharing
    faults: dict[str, EvalPipelineError] = field(default_factory=dict)
    """What keeps experts from being asked."""
    calls: int = 0

    @classmethod
    @contextmanager
    def opened(cls, task: Task, run: RunRecord, work: PanelWork) -> Iterator[Self]:
        """Put together what is judged and how it is shown, for the time of a ``with``."""
        ref = task.ref(work.stage)
        showing = Showing(
            work.judges,
            material=work.material,
            secret=run_secret(task.deployment.objects, ref),
            feedback_visible=work.feedback_visible,
        )
        with open_settlements() as kept:
            settler = Settler(
                judges=work.judges,
                showing=showing,
                tariffs={seat.id: work.tariff(seat) for seat in work.judges.seats},
                at=run.created_at,
                kept=kept,
            )
            cells = list({cell.id: cell for cell in cells_of(work.items, work.judges)}.values())
            batches = BatchExperts(task, run, work, settler, cells)
            sharing = Sharing(task, run, work, kept, cells)
            yield cls(task, run, work, kept, cells, settler, batches, sharing)

    def ask(self, held: StageAtWork) -> bool:
        """Ask what is missing; False while batches are out.

        Raises:
            EvalPipelineError: what is wrong with the accounts, where it is wrong with those of all experts.
        """
        self.sharing.claim()
        while True:
            if not self._ask_own(held):
                return False
            self.sharing.store(held)
            if not self.sharing.held:
                return True
            if not self.sharing.wait(held):
                return False

    def submit(self) -> JsonDict:
        """Submit what is to be asked by batches first, and say what is out."""
        self.sharing.claim()
        self.batches.cells = self.sharing.own
        return self.batches.submit_first()

    def _ask_own(self, held: StageAtWork) -> bool:
        """Ask what this run pays for; False while batches are out."""
        own = list(self.sharing.own)
        live = {seat.id for seat in self.work.seats(RunMode.FAST)}
        experts = LiveExperts(self.task, held, self.work, self.settler, self.faults)
        experts.ask([cell for cell in own if cell.seat.id in live])
        self.calls += experts.calls
        self.batches.cells = own
        if self.batches.endpoints and not self.batches.go_on(held):
            return False
        for seat in self.work.seats(RunMode.BATCH):
            if seat.endpoint in self.batches.faults:
                self.faults[seat.id] = self.batches.faults[seat.endpoint]
        if self.faults.keys() == {seat.id for seat in self.work.judges.seats}:
            raise next(iter(self.faults.values()))
        with held.journal.spool() as spool:
            self.settler.give_up(own, RecordIndex(spool), faults=self.faults)
        return True

    def store(self, held: StageAtWork) -> JsonDict:
        """Write a row for every cell of every item; returns what the stage came to."""
        findings = Findings(self.work)
        for rows in chunks(self._rows(findings), size=_ROWS_AT_ONCE):
            held.files.append(rows)
        costs = Costs.of({seat.id: findings.cost(seat, rate=self.work.rate(seat)) for seat in self.work.judges.seats})
        told = PaidSummary(
            threshold=findings.threshold,
            mode=str(self.work.mode),
            requests=self.calls + sum(job.requests for job in self.task.deployment.ledger.stage_jobs(held.ref)),
            counts=findings.counts,
            cost=costs,
            calls=findings.calls,
            by_model=findings.by_expert,
            faults=[f"{expert}: {error.message}; {error.hint}" for expert, error in self.faults.items()],
            batch_notes=batch_notes(self.task, held.ref),
            own={**findings.own(), **self.work.own()},
        )
        return told.to_json()

    def _rows(self, findings: Findings) -> Iterator[JsonDict]:
        for cell in cells_of(self.work.items, self.work.judges):
            row, record = self.kept.find(cell.id)
            findings.add(cell, row, record)
            yield self.work.row(cell.item, row)
