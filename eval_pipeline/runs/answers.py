"""A stage that asks one model question by question, whatever its flow: live or in batches, paid once, stored in order.

A flow says what is asked of which model and what a row of the stage looks like; all between is done here. Stages whose
requests are of another form (several texts a call, clips) put the parts together themselves.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, partial
from itertools import repeat
from typing import TYPE_CHECKING

import orjson

from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.cost import NOTHING, Experience, Tariff, first_usage, worst_usage
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.outcomes import ItemRecord, Usage
from eval_pipeline.core.ports.batch_provider import BatchForm
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Answerer
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode, RunRecord
from eval_pipeline.core.tallies import ItemCost, RecordTally, missing_record, price_item
from eval_pipeline.core.turns import Input
from eval_pipeline.dispatch.batch_results import AnswerResults
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.dispatch.budget import ResponsePurse, RoundPurse, bytes_a_request
from eval_pipeline.dispatch.collect import Handling
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.submit import Order, Parcel
from eval_pipeline.runs.at_work import StageAtWork, at_work, start_over
from eval_pipeline.runs.batch_items import answer_results, asks_again
from eval_pipeline.runs.batches import batch_notes, go_on, submit_first_round
from eval_pipeline.runs.endpoints import require_endpoint
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.live_stage import LiveModel, ask_missing
from eval_pipeline.runs.rounds import close_rounds, first_round
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import Journal
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 500
Question = tuple[str, Input]
"""The id of an item, and what it asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What a stage asks one model."""

    stage: str
    """Its name."""
    endpoint: str
    """Name of the endpoint that the model is asked at."""
    frozen: FrozenEndpoint
    """The same one, as the run was specified for it."""
    body: Json
    """Frozen: a request of the Responses API with the model's name, to which every question is the input."""
    mode: RunMode
    concurrency: int
    """Live calls under way at once."""
    failure_threshold: float
    total: int
    each: Callable[[], Iterable[Question]]
    """All of them in order; read several times."""
    about: Callable[[], Iterable[Json]] | None = None
    """What else a live request tells of its item, in the same order; None: nothing."""

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self.body["model"])

    @property
    def tariff(self) -> Tariff:
        """What its calls cost."""
        return models.tariff(self.frozen, self.model, mode=self.mode)


def submit_questions(
    task: Task, stage: str, *, inputs: Mapping[str, StageReader], questions: Callable[[RunRecord], Questions]
) -> StageReader:
    """Make the stage that submits the batches of a run; of a fast run it only notes that it needs none.

    Args:
        task: the submitting stage's own.
        stage: its name.
        inputs: what it is made from.
        questions: says what a run asks.
    """

    def work(run: RunRecord) -> BatchWork:
        return _InBatches(task, questions(run)).work()

    return submit_first_round(task, stage, inputs=inputs, work=work)


def make_answers(
    task: Task,
    stage: str,
    *,
    schema: "pa.Schema",
    made_from: StageReader,
    submitted: StageReader,
    questions: Callable[[RunRecord], Questions],
    row: Callable[[ItemRecord, ItemCost], JsonDict],
    read: Callable[[ItemRecord], ItemRecord] = lambda record: record,
    own: Callable[[], JsonDict] = dict,
) -> StageReader | None:
    """Ask what is not answered yet, then store a row for every question; None while batches are out.

    Args:
        task: the stage's own.
        stage: its name.
        schema: the columns of its rows.
        made_from: the stage that the questions are made from.
        submitted: the stage that submitted the batches.
        questions: says what a run asks.
        row: makes the row of an item from its record and its cost.
        read: says what a record counts as.
        own: what this stage alone tells, once all records were read.
    """
    deployment, ref = task.deployment, task.ref(stage)
    inputs = {made_from.manifest.stage.stage: made_from}
    with at_work(deployment, ref, schema=schema, inputs=inputs, dagster_run_id=task.dagster_run_id) as held:
        asked = questions(held.run)
        if asked.mode is RunMode.BATCH:
            if not go_on(task, held, _InBatches(task, asked).work, batch=submitted, made_from=made_from):
                return None
            calls = sum(job.requests for job in deployment.ledger.stage_jobs(ref))
        else:
            if task.refresh:
                require_endpoint(deployment, held.run, asked.endpoint, accept=task.endpoint_changed)
                start_over(deployment, held, by=task.dagster_run_id, retried=task.retried_run_id)
            calls = ask_missing(task, held, _live(task, asked, held))
        rate = models.rate(asked.frozen, asked.model, mode=asked.mode)
        told = replace(
            _store(asked, held, row=row, read=read).summary(rate=rate),
            mode=str(asked.mode),
            requests=calls,
            batch_notes=batch_notes(task, ref),
            own=own(),
        )
        held.files.finish(told.to_json())
    close_rounds(deployment.objects, deployment.ledger, ref)
    return deployment.stages.open(ref)


def _store(
    asked: Questions,
    held: StageAtWork,
    *,
    row: Callable[[ItemRecord, ItemCost], JsonDict],
    read: Callable[[ItemRecord], ItemRecord],
) -> RecordTally:
    """Write every item in order; one that nothing came back for is ``missing``."""
    tally = RecordTally(threshold=asked.failure_threshold, model=asked.model)
    price = _price(asked, held.run)

    def rows(index: RecordIndex) -> Iterator[JsonDict]:
        for item_id, _ in asked.each():
            record = read(index.find(item_id) or missing_record(item_id))
            cost = price(record)
            tally.add(record, cost)
            yield row(record, cost)

    with held.journal.spool() as spool:
        for some in chunks(rows(RecordIndex(spool)), size=ROWS_AT_ONCE):
            held.files.append(some)
    return tally


def _price(asked: Questions, run: RunRecord) -> Callable[[ItemRecord], ItemCost]:
    return partial(price_item, tariff=asked.tariff, at=run.created_at)


def _live(task: Task, asked: Questions, held: StageAtWork) -> LiveModel[tuple[Question, Json], Json]:
    """Say how the model is asked live."""

    def purse(spent_usd: Decimal) -> ResponsePurse | None:
        budget = models.budget(held.run.max_cost_usd, spent_usd=spent_usd)
        if budget is None:
            return None
        return ResponsePurse(budget, asked.tariff, measure=lambda body: len(orjson.dumps(body)))

    def opened(endpoint: Endpoint, _host: FileHost | None) -> AbstractAsyncContextManager[Answerer]:
        return models.answerer(endpoint, settings=task.deployment.settings, concurrency=asked.concurrency)

    return LiveModel(
        endpoint=asked.endpoint,
        name=asked.model,
        concurrency=asked.concurrency,
        shown_as=asked.stage,
        total=asked.total,
        items=lambda: zip(asked.each(), repeat({}) if asked.about is None else asked.about(), strict=False),
        id_of=lambda item: item[0][0],
        body_of=lambda item: {**request_body(asked.body, item[0][1]), **item[1]},
        open=opened,
        price=_price(asked, held.run),
        purse=purse,
    )


def request_body(body: Json, asked: Input) -> JsonDict:
    """Return the body of one request: the frozen one as given, and what is asked as its input."""
    return {**body, "input": asked}


@dataclass(frozen=True)
class _InBatches:
    """The questions of a stage, as work for batches."""

    task: Task
    asked: Questions

    @cached_property
    def _endpoint(self) -> Endpoint:
        return self.task.endpoints.find(self.asked.endpoint)

    @cached_property
    def _form(self) -> BatchForm:
        return models.answer_form(self._endpoint, body=self.asked.body)

    def work(self) -> BatchWork:
        """Say what is asked and how answers are kept."""
        ref = self.task.ref(self.asked.stage)
        return BatchWork(
            stage=ref,
            provider=self.asked.endpoint,
            parcels=self._parcels,
            handling=Handling(read=self._form.read, writer=self._writer, sent_as=self._form.sent_as),
            purse=self._purse,
            first_round=first_round(self.task.deployment.objects, ref),
            resend_lost=self.task.resend_lost,
        )

    def _order(self, number: int) -> Order:
        return Order(
            stage=self.task.ref(self.asked.stage),
            round=number,
            provider=self.asked.endpoint,
            protocol=self._endpoint.protocol,
            model=self.asked.model,
            endpoint=self._form.endpoint,
            limits=models.shard_limits(self.task.deployment.settings, protocol=self._endpoint.protocol),
        )

    @contextmanager
    def _parcels(self, number: int, anew: bool) -> Iterator[Iterable[Parcel]]:
        with self._journal().spool() as spool:
            yield [Parcel(self._order(number), self._unanswered(RecordIndex(spool), anew=anew))]

    def _journal(self) -> Journal:
        return Journal(self.task.deployment.objects, self.task.ref(self.asked.stage))

    def _unanswered(self, index: RecordIndex, *, anew: bool) -> Iterator[bytes]:
        template = self._form.lines
        asks = asks_again(index, anew=anew, resend_lost=self.task.resend_lost)
        for item_id, question in self.asked.each():
            if asks is None or asks(item_id):
                yield template.line(item_id, question)

    def _writer(self, job: BatchJob) -> AnswerResults:
        return answer_results(self.task.deployment.objects, job)

    def _purse(self) -> RoundPurse | None:
        """Open what pays for a round: input is bounded by bytes, output by ``max_output_tokens`` or by experience."""
        run = find_run(self.task.deployment, flow=self.task.flow, key=self.task.key)
        if run.max_cost_usd is None:
            return None
        body = self.asked.body
        spent_usd, experience = self._spent(run)

        def bound(size_bytes: int) -> Usage:
            worst = worst_usage(body, body_bytes=size_bytes, experience=experience)
            return worst or first_usage(body, body_bytes=size_bytes)

        limit_usd = Decimal(str(run.max_cost_usd))
        return RoundPurse(limit_usd=limit_usd, spent_usd=spent_usd, tariff=self.asked.tariff, bound=bound)

    def _spent(self, run: RunRecord) -> tuple[Decimal, Experience]:
        """Read what the answers so far cost, and what they teach about the next ones."""
        jobs = self.task.deployment.ledger.stage_jobs(self.task.ref(self.asked.stage))
        sent_bytes, price = bytes_a_request(jobs), _price(self.asked, run)
        spent_usd, experience = NOTHING, Experience()
        with self._journal().spool() as spool:
            index = RecordIndex(spool)
            for item_id in index:
                if (record := index.find(item_id)) is None:
                    continue
                spent_usd += price(record).usd or NOTHING
                for call in record.billed_calls:
                    experience = experience.after(call.usage, body_bytes=sent_bytes)
        return spent_usd, experience
