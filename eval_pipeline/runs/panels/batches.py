"""Asks experts by batches, at several endpoints in one run: each endpoint has rounds of its own and waits for no other.

What is asked one after the other (notes, verdict, repair, evidence) are phases: a phase has all follow-up rounds, and
the next one begins when nothing of it is out any more.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

import orjson

from eval_pipeline.core.batches import OPEN, BatchCallError, BatchJob, CallFault, JobState
from eval_pipeline.core.cost import NOTHING, Experience, first_usage, worst_usage
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import ConflictError, EvalPipelineError, IncompleteError, UsageError
from eval_pipeline.core.names import command_on
from eval_pipeline.core.outcomes import AttemptOutcome
from eval_pipeline.core.runs import RunMode, RunRecord, RunState
from eval_pipeline.dispatch.batch_stage import Advance, BatchWork
from eval_pipeline.dispatch.budget import bytes_a_request
from eval_pipeline.dispatch.collect import Handling
from eval_pipeline.dispatch.poll import PollReport
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.request_files import ShardLimits
from eval_pipeline.dispatch.submit import Order, Parcel
from eval_pipeline.runs.at_work import StageAtWork
from eval_pipeline.runs.batch_items import answer_results, may_be_asked
from eval_pipeline.runs.batches import (
    batch_stage,
    is_left_to_holder,
    note_advance,
    told_of,
    wait_for_provider,
)
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.panels.cells import Cell
from eval_pipeline.runs.panels.judges import Seat
from eval_pipeline.runs.panels.live import OF_ONE_EXPERT, spent_on
from eval_pipeline.runs.panels.settling import Settler, Wanted
from eval_pipeline.runs.panels.work import PanelWork
from eval_pipeline.runs.rounds import close_phase, close_rounds, first_round, phase_round
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import Journal
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint

if TYPE_CHECKING:
    from eval_pipeline.core.ports.batch_provider import BatchForm

SHARDS_AN_ENDPOINT: Final = 1_000
_MOST_PHASES: Final = 12
_OF_AN_ACCOUNT: Final = frozenset({CallFault.ACCOUNT, CallFault.UNREACHABLE, CallFault.UNSUPPORTED, CallFault.REFUSED})


def batch_endpoints(work: PanelWork) -> tuple[str, ...]:
    """Return the names of the endpoints whose batches a run uses, in the order of its panel."""
    return tuple(dict.fromkeys(seat.endpoint for seat in work.seats(RunMode.BATCH)))


@dataclass(slots=True)
class BatchExperts:
    """The experts of a run that are asked by batches."""

    task: Task
    run: RunRecord
    work: PanelWork
    settler: Settler
    cells: Sequence[Cell]
    """That this run pays for."""
    faults: dict[str, EvalPipelineError] = field(default_factory=dict)
    """What keeps endpoints from being asked, by their names."""

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints whose batches are used, in the order of the panel."""
        return batch_endpoints(self.work)

    def submit_first(self) -> JsonDict:
        """Submit the first round at every endpoint, and say what is out.

        Raises:
            EvalPipelineError: what is wrong, where nothing can be submitted and nobody is asked live either.
        """
        for name in self.endpoints:
            with self._isolated(name), batch_stage(self.task, self.batch_work(name)) as batches:
                batches.submit_first()
        if self.faults.keys() == set(self.endpoints) and not self.work.seats(RunMode.FAST):
            raise next(iter(self.faults.values()))
        jobs = self._jobs()
        now = [job for job in jobs if job.round >= self._phase_round(job.provider)]
        faults = [f"{name}: {error.message}; {error.hint}" for name, error in self.faults.items()]
        return {**told_of(jobs, now), **({"faults": faults} if faults else {})}

    def go_on(self, held: StageAtWork) -> bool:
        """Take every endpoint on as far as it can go now; False while one waits, which is then told and recorded."""
        cancelled = held.run.cancel_requested
        advances: list[Advance] = []
        try:
            for name in self.endpoints:
                with self._isolated(name):
                    advances.append(self._advance(name, cancelled=cancelled))
            held.lease.check()
        except ConflictError as error:
            if not is_left_to_holder(self.task, error):
                raise
            if held.run.state is not RunState.RUNNING or held.run.worker in {None, self.task.deployment.worker}:
                wait_for_provider(self.task, cancelled=cancelled)
            return False
        jobs = [job for advance in advances for job in advance.jobs]
        report = PollReport()
        for advance in advances:
            report.trouble += advance.report.trouble
            report.paused = report.paused or advance.report.paused
        report.trouble += [f"{name}: {error.message}" for name, error in self.faults.items()]
        finished = all(advance.finished for advance in advances)
        together = Advance(finished=finished, jobs=jobs, report=report)
        return note_advance(self.task, held, together, cancelled=cancelled)

    def close(self) -> None:
        """Let the next materialization have all rounds again, and drop what an endpoint at fault was never sent."""
        deployment, ref = self.task.deployment, self.task.ref(self.work.stage)
        for job in self._jobs():
            if job.provider in self.faults and job.is_unsent:
                deployment.ledger.change_job(job, to=JobState.CANCELLED)
        for name in self.endpoints:
            close_rounds(deployment.objects, deployment.ledger, ref, name)

    @contextmanager
    def _isolated(self, name: str) -> Iterator[None]:
        """Keep what is wrong with one endpoint's account from the others."""
        self.faults.pop(name, None)
        try:
            yield
        except EvalPipelineError as error:
            of_account = isinstance(error, BatchCallError) and error.fault in _OF_AN_ACCOUNT
            if not of_account and error.code not in OF_ONE_EXPERT:
                raise
            if self.endpoints == (name,) and not self.work.seats(RunMode.FAST):
                raise
            self.faults[name] = error
            self.task.say(f"{name}: {error.message}; {error.hint}")

    def _advance(self, name: str, *, cancelled: bool) -> Advance:
        """Take one endpoint on, from phase to phase."""
        deployment, ref = self.task.deployment, self.task.ref(self.work.stage)
        for _ in range(_MOST_PHASES):
            with batch_stage(self.task, self.batch_work(name)) as batches:
                advance = batches.wind_up() if cancelled else batches.advance()
            if cancelled or not advance.finished or not self._has_more(name):
                return advance
            close_phase(deployment.objects, deployment.ledger, ref, name)
        return advance

    def _has_more(self, name: str) -> bool:
        """Tell whether something is to be asked that was never asked."""
        with self._journal().spool() as spool:
            index = RecordIndex(spool)
            wanted = self.settler.look(self._cells_at(name), index, again=True)
            return any(index.find(one.request_id) is None for one in wanted)

    def batch_work(self, name: str) -> BatchWork:
        """Say what is asked of one endpoint and how answers are kept."""
        objects, ref = self.task.deployment.objects, self.task.ref(self.work.stage)
        seats = [seat for seat in self.work.seats(RunMode.BATCH) if seat.endpoint == name]
        endpoint = self.task.endpoints.find(name)
        form = models.answer_form(endpoint, body={"model": seats[0].model})
        return BatchWork(
            stage=ref,
            provider=name,
            parcels=partial(self._parcels, endpoint, seats),
            handling=Handling(read=form.read, writer=partial(answer_results, objects), sent_as=form.sent_as),
            purse=partial(self._purse, name),
            first_round=self._phase_round(name),
            resend_lost=self.task.resend_lost,
            own=lambda job: job.provider == name,
            first_shard=SHARDS_AN_ENDPOINT * self.endpoints.index(name),
        )

    @contextmanager
    def _parcels(
        self, endpoint: Endpoint, seats: Sequence[Seat], number: int, anew: bool
    ) -> Iterator[Iterable[Parcel]]:
        ref = self.task.ref(self.work.stage)
        is_first = number == first_round(self.task.deployment.objects, ref, endpoint.name)
        begins = number == self._phase_round(endpoint.name)
        with self._journal().spool() as spool:
            index = RecordIndex(spool)
            wanted = [
                one
                for one in self.settler.look(self._cells_at(endpoint.name), index, again=True)
                if self._goes_out(one, index, anew=anew and is_first, is_new_phase=begins and not is_first)
            ]
            yield [
                Parcel(self._order(endpoint, seat, number), self._lines(endpoint, seat, wanted, index))
                for seat in seats
            ]

    def _goes_out(self, one: Wanted, index: RecordIndex, *, anew: bool, is_new_phase: bool) -> bool:
        record = index.find(one.request_id)
        if record is None:
            return True
        if is_new_phase:  # what failed in passing had its rounds in the phase before
            return False
        return may_be_asked(record, anew=anew, resend_lost=self.task.resend_lost)

    def _lines(self, endpoint: Endpoint, seat: Seat, wanted: Sequence[Wanted], index: RecordIndex) -> Iterator[bytes]:
        forms: dict[bytes, BatchForm] = {}
        for one in wanted:
            if one.cell.seat.id != seat.id:
                continue
            body = self.settler.body(one, index)
            given = body.pop("input")
            key = orjson.dumps(body)
            if key not in forms:
                forms[key] = models.answer_form(endpoint, body=body)
            yield forms[key].lines.line(one.request_id, given)

    def _order(self, endpoint: Endpoint, seat: Seat, number: int) -> Order:
        settings = self.task.deployment.settings
        return Order(
            stage=self.task.ref(self.work.stage),
            round=number,
            provider=endpoint.name,
            protocol=endpoint.protocol,
            model=seat.model,
            endpoint=models.answer_form(endpoint, body={"model": seat.model}).endpoint,
            limits=ShardLimits(requests=settings.batch_max_requests, size_bytes=settings.batch_max_bytes),
        )

    def _cells_at(self, name: str) -> Iterator[Cell]:
        return (cell for cell in self.cells if cell.seat.mode is RunMode.BATCH and cell.seat.endpoint == name)

    def _phase_round(self, name: str) -> int:
        return phase_round(self.task.deployment.objects, self.task.ref(self.work.stage), name)

    def _journal(self) -> Journal:
        return Journal(self.task.deployment.objects, self.task.ref(self.work.stage))

    def _jobs(self) -> Sequence[BatchJob]:
        return self.task.deployment.ledger.stage_jobs(self.task.ref(self.work.stage))

    def _purse(self, name: str) -> "_RoundPurse | None":
        run = find_run(self.task.deployment, flow=self.task.flow, key=self.task.key)
        if run.max_cost_usd is None:
            return None
        with self._journal().spool() as spool:
            spent_usd = spent_on(self.cells, RecordIndex(spool), self.work, run=run)
        out = [job for job in self._jobs() if job.provider != name and (job.state in OPEN or _lost(job))]
        return _RoundPurse(run, self.work, spent_usd=spent_usd, elsewhere=out)


@dataclass(frozen=True, slots=True)
class _RoundPurse:
    """Pays for a round of one endpoint: nothing of it goes out unless its worst case fits, beside what is out."""

    run: RunRecord
    work: PanelWork
    spent_usd: Decimal
    elsewhere: Sequence[BatchJob]

    def pay(self, intents: Sequence[BatchJob], *, earlier: Sequence[BatchJob]) -> None:
        """Raise ``budget_exceeded`` when a round does not fit."""
        if not intents:
            return
        limit_usd = Decimal(str(self.run.max_cost_usd))
        worst_usd = sum((self._worst(job, job.requests) for job in intents), NOTHING)
        out_usd = sum((self._worst(job, job.requests) for job in self.elsewhere if job.state in OPEN), NOTHING)
        lost_usd = sum((self._worst(job, _lost(job)) for job in (*earlier, *self.elsewhere)), NOTHING)
        if self.spent_usd + out_usd + lost_usd + worst_usd <= limit_usd:
            return
        stage = intents[0].stage
        raise IncompleteError(
            f"run {stage.key.partition} stopped at its budget: {sum(job.requests for job in intents):,} requests of "
            f"{stage.stage} may cost ${worst_usd:.6f}, ${self.spent_usd + out_usd + lost_usd:.6f} of ${limit_usd:.6f} "
            "is spent or out; none of them was sent",
            code="budget_exceeded",
            hint=f"what was answered is kept; {command_on('run retry', stage.key)} --max-cost-usd X goes on",
        )

    def _worst(self, job: BatchJob, requests: int) -> Decimal:
        seats = [seat for seat in self.work.judges.seats if (seat.endpoint, seat.model) == (job.provider, job.model)]
        if not requests or not seats:
            return NOTHING
        size = bytes_a_request([job])
        body = {"max_output_tokens": max(seat.output_tokens for seat in seats)}
        usage = worst_usage(body, body_bytes=size, experience=Experience()) or first_usage(body, body_bytes=size)
        price = self.work.tariff(seats[0]).price(usage, at=self.run.created_at)
        if price is None:
            raise UsageError(
                f"the budget cannot be kept: model {job.model} has no published price",
                code="budget_needs_price",
                hint="leave out --max-cost-usd, or name a model with a published price",
            )
        return requests * price.usd


def _lost(job: BatchJob) -> int:
    """Count requests that may have been charged and that brought nothing to read a price from."""
    return job.requests if job.state is JobState.LOST else (job.outcomes or {}).get(str(AttemptOutcome.MISSING), 0)
