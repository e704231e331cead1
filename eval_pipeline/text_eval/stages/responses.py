"""The ``responses`` stage: every item asked once, live or by batches, recorded as it is answered, in dataset order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tallies import ItemCost, RecordTally, missing_record, price_item
from eval_pipeline.dispatch.breaker import Endpoint
from eval_pipeline.dispatch.budget import ResponsePurse
from eval_pipeline.dispatch.gate import StopReason
from eval_pipeline.dispatch.live import LiveOutcome, LiveRequest, run_live
from eval_pipeline.dispatch.records import RecordIndex, encode
from eval_pipeline.dispatch.refusals import refuses_everything
from eval_pipeline.runs.at_work import StageAtWork, at_work, run_cancelled, start_over
from eval_pipeline.runs.batches import close_rounds, go_on
from eval_pipeline.runs.endpoints import require_endpoint
from eval_pipeline.runs.interruption import Interruption
from eval_pipeline.runs.live_progress import LiveProgress
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.batches import Questions
from eval_pipeline.text_eval.budget import out_of_budget
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.thinking import without_thinking
from eval_pipeline.wiring import models

ROWS_AT_ONCE = 500


def make(task: Task, *, dataset: StageReader, response_batch: StageReader) -> StageReader | None:
    """Ask the model under test what is not answered yet, then store every item; None while batches are out."""
    deployment, ref = task.deployment, task.ref("responses")
    with at_work(
        deployment, ref, schema=tables.RESPONSES, inputs={"dataset": dataset}, dagster_run_id=task.dagster_run_id
    ) as stage:
        work = _Answering.of(task, stage=stage, dataset=dataset)
        if work.spec.mode is RunMode.BATCH:
            questions = Questions(task, work.spec, dataset).work
            if not go_on(task, stage, questions, batch=response_batch, made_from=dataset):
                return None
            calls = sum(job.requests for job in deployment.ledger.stage_jobs(ref))
        else:
            if task.refresh:
                start_over(deployment, stage, by=task.dagster_run_id, retried=task.retried_run_id)
            calls = work.ask_missing()
        tally = work.store()
        rate = "standard" if work.spec.mode is RunMode.FAST else "batch"
        stage.files.finish({"mode": str(work.spec.mode), "calls": calls, **tally.summary(rate=rate)})
    close_rounds(task, ref)
    return deployment.stages.open(ref)


@dataclass(frozen=True, slots=True)
class _Answering:
    """One materialization of ``responses``."""

    task: Task
    stage: StageAtWork
    dataset: StageReader
    spec: TextSpec
    tariff: Tariff
    interruption: Interruption = field(default_factory=Interruption)

    @classmethod
    def of(cls, task: Task, *, stage: StageAtWork, dataset: StageReader) -> "_Answering":
        spec = TextSpec.from_json(stage.run.spec)
        return cls(task, stage, dataset, spec, models.tariff(spec.provider, spec.model, mode=spec.mode))

    def ask_missing(self) -> int:
        """Call the model for every item without a finished record; returns the calls made."""
        with self.stage.journal.spool() as spool:
            index = RecordIndex(spool)
            counted = self._progress(index)
            if counted.left == 0:
                return 0
            outcome = self.interruption.run(self._ask(index, counted))
        self._raise_if_stopped(outcome, counted)
        return outcome.calls

    def _progress(self, index: RecordIndex) -> LiveProgress:
        progress = LiveProgress(
            self.task.progress, stage="responses", total=self.dataset.manifest.rows, price=self._cost
        )
        progress.resume((item["item_id"] for item in self.dataset.rows(["item_id"])), index)
        return progress

    def _cost(self, record: ItemRecord) -> ItemCost:
        return price_item(record, self.tariff, at=self.stage.run.created_at)

    async def _ask(self, index: RecordIndex, counted: LiveProgress) -> LiveOutcome:
        settings, credentials = self.task.deployment.settings, self.task.credentials
        accept = self.task.endpoint_changed
        require_endpoint(self.task.deployment, self.stage.run, self.spec.provider, accept=accept)
        budget = models.budget(self.stage.run.max_cost_usd, spent_usd=counted.usd)
        connection = models.open_connection(
            self.spec.provider, credentials, settings=settings, concurrency=self.spec.concurrency
        )
        with self.stage.journal.writer(self.stage.lease.token) as journal:

            async def record(item: ItemRecord) -> None:
                await journal.record(encode(item))

            async with connection:
                return await run_live(
                    self._requests(index),
                    answerer=models.answerer(connection),
                    record=record,
                    policy=models.retry_policy(settings),
                    concurrency=self.spec.concurrency,
                    endpoint=self._endpoint(),
                    purse=ResponsePurse(budget, self.tariff, measure=lambda body: len(orjson.dumps(body)))
                    if budget
                    else None,
                    should_stop=self._why_stop,
                    on_progress=counted.add,
                    proven=counted.done > 0,
                )

    def _endpoint(self) -> Endpoint:
        return models.endpoint(self.task.credentials, provider=self.spec.provider, model=self.spec.model)

    def _requests(self, index: RecordIndex) -> Iterator[LiveRequest[dict[str, Any]]]:
        for row in self.dataset.rows(["item_id", "question"]):
            item_id = row["item_id"]
            if not index.finished(item_id):
                body = request_body(self.spec, row["question"])
                yield LiveRequest.after(index.find(item_id), item_id=item_id, body=body)

    def _why_stop(self) -> StopReason | None:
        return StopReason.CANCELLED if self.stage.should_stop() else self.interruption.reason

    def _raise_if_stopped(self, outcome: LiveOutcome, counted: LiveProgress) -> None:
        self.stage.lease.check()
        if outcome.stopped is StopReason.BUDGET:
            raise out_of_budget(self.stage, spent_usd=counted.usd, done=counted.done, total=counted.total)
        if outcome.refusal is not None:
            raise refuses_everything(self.stage.run.key, outcome.refusal, endpoint=self._endpoint())
        if outcome.stopped is not None:
            raise run_cancelled(self.stage.run.key)

    def store(self) -> RecordTally:
        """Write every item in the order of the dataset; one that nothing came back for is ``missing``."""
        tally = RecordTally(threshold=self.spec.failure_threshold, model=self.spec.model)
        with self.stage.journal.spool() as spool:
            for rows in chunks(self._rows(RecordIndex(spool), tally), size=ROWS_AT_ONCE):
                self.stage.files.append(rows)
        return tally

    def _rows(self, index: RecordIndex, tally: RecordTally) -> Iterator[dict[str, Any]]:
        for item in self.dataset.rows(["item_id"]):
            record = without_thinking(index.find(item["item_id"]) or missing_record(item["item_id"]))
            cost = self._cost(record)
            tally.add(record, cost)
            yield response_row(record, cost)


def request_body(spec: TextSpec, question: str) -> dict[str, Any]:
    """Return the body of one Responses API request: the frozen model body as given, and the question as input."""
    return {**spec.model_body, "input": question}


def response_row(record: ItemRecord, cost: ItemCost) -> dict[str, Any]:
    """Return the row of ``tables.RESPONSES``."""
    error, usage, retried = record.error, record.usage, record.retried_usage
    return {
        "item_id": record.item_id,
        "status": str(record.status),
        "answer": record.answer,
        "partial_answer": record.partial_answer,
        "error_code": error.code if error else None,
        "error_type": error.type if error else None,
        "error_message": error.message if error else None,
        "error_transient": error.transient if error else None,
        "response_id": record.response_id,
        "model": record.model,
        "input_tokens": usage.input if usage else None,
        "cached_input_tokens": usage.cached_input if usage else None,
        "output_tokens": usage.output if usage else None,
        "reasoning_tokens": usage.reasoning if usage else None,
        "total_tokens": usage.total if usage else None,
        "retried_input_tokens": retried.input,
        "retried_cached_input_tokens": retried.cached_input,
        "retried_output_tokens": retried.output,
        "latency_s": record.latency_s,
        "attempts": record.attempts,
        "cost_usd": cost.usd,
        "endpoint": record.endpoint,
        "thinking": record.thinking,
        "service_tier": record.served.tier,
    }
