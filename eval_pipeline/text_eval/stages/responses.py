"""The ``responses`` stage: every item asked once, live or by batches, recorded as it is answered, in dataset order."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.passages import passages_json, searches_files
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tallies import ItemCost, RecordTally, missing_record, price_item
from eval_pipeline.dispatch.budget import ResponsePurse
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.runs.at_work import StageAtWork, at_work, start_over
from eval_pipeline.runs.batches import batch_notes, close_rounds, go_on
from eval_pipeline.runs.live_stage import LiveModel, ask_missing
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.asking import asked_columns, input_in, request_body
from eval_pipeline.text_eval.batches import Questions
from eval_pipeline.text_eval.retrieval import RetrievalTally
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
        tally, retrieval = work.store()
        rate = "standard" if work.spec.mode is RunMode.FAST else "batch"
        notes = batch_notes(task, ref)
        told = {**tally.summary(rate=rate), **retrieval.summary(), **notes}
        stage.files.finish({"mode": str(work.spec.mode), "calls": calls, **told})
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

    @classmethod
    def of(cls, task: Task, *, stage: StageAtWork, dataset: StageReader) -> "_Answering":
        spec = TextSpec.from_json(stage.run.spec)
        return cls(task, stage, dataset, spec, models.tariff(spec.provider, spec.model, mode=spec.mode))

    def ask_missing(self) -> int:
        """Call the model for every item without a finished record; returns the calls made."""
        return ask_missing(self.task, self.stage, self._model())

    def _model(self) -> LiveModel[Json, Json]:
        spec, dataset = self.spec, self.dataset
        return LiveModel(
            provider=spec.provider,
            name=spec.model,
            concurrency=spec.concurrency,
            shown_as="responses",
            total=dataset.manifest.rows,
            items=lambda: dataset.rows(asked_columns(dataset)),
            id_of=lambda row: str(row["item_id"]),
            body_of=lambda row: request_body(spec, input_in(row)),
            build=lambda connection, _: models.answerer(connection),
            price=self._cost,
            purse=self._purse,
        )

    def _cost(self, record: ItemRecord) -> ItemCost:
        return price_item(record, self.tariff, at=self.stage.run.created_at)

    def _purse(self, spent_usd: Decimal) -> ResponsePurse | None:
        budget = models.budget(self.stage.run.max_cost_usd, spent_usd=spent_usd)
        if budget is None:
            return None
        return ResponsePurse(budget, self.tariff, measure=lambda body: len(orjson.dumps(body)))

    def store(self) -> tuple[RecordTally, RetrievalTally]:
        """Write every item in the order of the dataset; one that nothing came back for is ``missing``."""
        tally = RecordTally(threshold=self.spec.failure_threshold, model=self.spec.model)
        retrieval = RetrievalTally(searches=searches_files(self.spec.model_body))
        with self.stage.journal.spool() as spool:
            for rows in chunks(self._rows(RecordIndex(spool), tally, retrieval), size=ROWS_AT_ONCE):
                self.stage.files.append(rows)
        return tally, retrieval

    def _rows(self, index: RecordIndex, tally: RecordTally, retrieval: RetrievalTally) -> Iterator[JsonDict]:
        for item in self.dataset.rows(["item_id"]):
            found = index.find(item["item_id"]) or missing_record(item["item_id"])
            record = retrieval.add(without_thinking(found))
            cost = self._cost(record)
            tally.add(record, cost)
            yield response_row(record, cost)


def response_row(record: ItemRecord, cost: ItemCost) -> JsonDict:
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
        "passages": None if record.passages is None else orjson.dumps(passages_json(record.passages)).decode(),
    }
