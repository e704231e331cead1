"""The ``embeddings`` stage, live: every text embedded once, recorded call by call, stored in dataset order."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.cost import NOTHING, StageCost, Tariff
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import command_on
from eval_pipeline.core.paid_summary import Calls, PaidSummary
from eval_pipeline.core.ports.models import Vectors
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode
from eval_pipeline.dispatch.budget import EmbeddingPurse
from eval_pipeline.dispatch.embed import EmbeddedPack, EmbedOutcome, embed_texts, text_digest
from eval_pipeline.dispatch.gate import StopReason
from eval_pipeline.dispatch.vectors import VectorIndex, VectorRecorder
from eval_pipeline.runs.at_work import StageAtWork, at_work, out_of_budget, run_cancelled, start_over
from eval_pipeline.runs.batches import batch_notes, go_on
from eval_pipeline.runs.endpoints import require_endpoint
from eval_pipeline.runs.interruption import Interruption
from eval_pipeline.runs.rounds import close_rounds
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.batches import Texts
from eval_pipeline.text_eval.pairs import EmbeddingTally, embedding_row, pairs, texts_to_embed
from eval_pipeline.text_eval.rates import embedding_mode, embedding_tariff
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.standing import cost_of_vectors
from eval_pipeline.wiring import models

ROWS_AT_ONCE = 256
PACKS_AT_ONCE = 4
"""Calls under way at most: each may bring 2,048 vectors of 3,072 floats, 25 MB, into memory."""

_NO_EMBEDDINGS = frozenset({"provider_not_an_api", "model_not_found"})


def make(
    task: Task, *, dataset: StageReader, responses: StageReader, embedding_batch: StageReader
) -> StageReader | None:
    """Embed what has no vector yet, then store both vectors of every item; None while batches are out."""
    deployment, ref = task.deployment, task.ref("embeddings")
    inputs = {"dataset": dataset, "responses": responses}
    with at_work(deployment, ref, schema=tables.EMBEDDINGS, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage:
        spec = TextSpec.from_json(stage.run.spec)
        if not spec.needs_embeddings:
            stage.files.finish(_not_needed(responses).to_json())
            return deployment.stages.open(ref)
        mode = embedding_mode(spec)
        answers = PaidSummary.of(responses.manifest)
        work = _Embedding(
            task=task,
            stage=stage,
            dataset=dataset,
            responses=responses,
            spec=spec,
            tariff=embedding_tariff(spec),
            answers=answers,
        )
        if mode is RunMode.BATCH:
            texts = Texts(task, spec, dataset, responses).work
            # vectors are found by the digest of their text: those of other answers do no harm
            if not go_on(task, stage, texts, batch=embedding_batch, made_from=None):
                return None
            calls = sum(job.requests for job in deployment.ledger.stage_jobs(ref))
        else:
            if task.refresh:
                require_endpoint(deployment, stage.run, spec.embedding_endpoint, accept=task.endpoint_changed)
                start_over(deployment, stage, by=task.dagster_run_id, retried=task.retried_run_id)
            calls = work.embed_missing()
        told = replace(work.store(), mode=str(mode), requests=calls, batch_notes=batch_notes(task, ref))
        stage.files.finish(told.to_json())
    close_rounds(task.deployment.objects, task.deployment.ledger, ref)
    return deployment.stages.open(ref)


def _not_needed(responses: StageReader) -> PaidSummary:
    """Say that no scorer compares embeddings; the verdict is the responses' own."""
    verdict = PaidSummary.of(responses.manifest).threshold
    return PaidSummary(note="no scorer compares embeddings", requests=0, threshold=verdict)


@dataclass(frozen=True, slots=True)
class _Embedding:
    """One materialization of ``embeddings``."""

    task: Task
    stage: StageAtWork
    dataset: StageReader
    responses: StageReader
    spec: TextSpec
    tariff: Tariff
    answers: PaidSummary
    """What ``responses`` came to."""
    interruption: Interruption = field(default_factory=Interruption)

    def embed_missing(self) -> int:
        """Embed every text without a vector; returns the calls made."""
        with self.stage.journal.spool() as spool:
            index = VectorIndex.read(spool)
            if all(text_digest(text) in index for text in texts_to_embed(self.dataset, self.responses)):
                return 0
            try:
                outcome = self.interruption.run(self._embed(index))
            except UsageError as error:
                raise self._explained(error) from None
        self.stage.lease.check()
        if outcome.stopped is StopReason.BUDGET:
            raise self._out_of_budget()
        if outcome.stopped is not None:
            raise run_cancelled(self.stage.run.key)
        return outcome.calls

    def _explained(self, error: UsageError) -> UsageError:
        """Name what can be done with answers of a server that has no embeddings; any other error is as it was."""
        if error.code not in _NO_EMBEDDINGS:
            return error
        return UsageError(
            f"model '{self.spec.embedding_model}' gives no embeddings: {error.message}",
            code=error.code,
            hint=f"the answers are kept: {command_on('text rescore', self.stage.run.key)} --scorer token_f1 scores "
            "them without embeddings; in a new run --embedding-model ENDPOINT/MODEL asks another server for them; "
            f"if this one should have them: {error.hint}",
        )

    async def _embed(self, index: VectorIndex) -> EmbedOutcome:
        settings, spec, accept = self.task.deployment.settings, self.spec, self.task.endpoint_changed
        require_endpoint(self.task.deployment, self.stage.run, spec.embedding_endpoint, accept=accept)
        endpoint = self.task.endpoints.find(spec.embedding_endpoint)
        budget = models.budget(self.stage.run.max_cost_usd, spent_usd=self._spent(index))
        vectors = Vectors(spec.embedding_model, spec.embedding_dimensions)
        opened = models.embedder(endpoint, vectors, settings=settings, concurrency=PACKS_AT_ONCE)
        progress = _Progress(self.task, total=self._most_texts(), done=len(index))
        with self.stage.journal.writer(self.stage.lease.token) as journal:
            recorder = VectorRecorder(journal.record)

            async def sink(pack: EmbeddedPack) -> None:
                await recorder(pack)
                progress.add(pack)

            async with opened as embedder:
                return await embed_texts(
                    texts_to_embed(self.dataset, self.responses),
                    embedder=embedder,
                    sink=sink,
                    known=index,
                    max_texts=endpoint.plan.texts_a_call,
                    policy=models.retry_policy(settings),
                    concurrency=endpoint.most_at_once(min(PACKS_AT_ONCE, spec.concurrency)),
                    endpoint=models.asked_model(endpoint, spec.embedding_model),
                    dimensions=index.dimensions,
                    purse=EmbeddingPurse(budget, self.tariff) if budget else None,
                    should_stop=self._why_stop,
                    proven=len(index) > 0,
                )

    def _why_stop(self) -> StopReason | None:
        return StopReason.CANCELLED if self.stage.should_stop() else self.interruption.reason

    def _most_texts(self) -> int:
        return 2 * self.responses.manifest.rows if self.answers.counts is None else 2 * self.answers.counts.ok

    def _spent(self, index: VectorIndex) -> Decimal:
        return self.answers.known_usd + (self._cost(index).cost_usd or NOTHING)

    def _out_of_budget(self) -> Exception:
        with self.stage.journal.spool() as spool:
            index = VectorIndex.read(spool)
        return out_of_budget(self.stage, spent_usd=self._spent(index), done=len(index), total=self._most_texts())

    def _cost(self, index: VectorIndex) -> StageCost:
        return cost_of_vectors(index, tariff=self.tariff, run=self.stage.run)

    def store(self) -> PaidSummary:
        """Write both vectors of every item in the order of the dataset; returns what the stage came to."""
        tally = EmbeddingTally(threshold=self.spec.failure_threshold)
        with self.stage.journal.spool() as spool:
            index = VectorIndex.read(spool)
            for rows in chunks(self._rows(index, tally), size=ROWS_AT_ONCE):
                self.stage.files.append(rows)
            return PaidSummary(
                threshold=tally.verdict,
                counts=tally.counts,
                cost=self._cost(index),
                calls=Calls(unreported=index.unreported_calls, calls_without_usage=index.calls_without_usage),
                own={"texts": len(index), "dimensions": index.dimensions},
            )

    def _rows(self, index: VectorIndex, tally: EmbeddingTally) -> Iterator[JsonDict]:
        for pair in pairs(self.dataset, self.responses):
            row = embedding_row(pair, vector=index.vector, problem=index.problem)
            tally.add(pair, row)
            yield row


@dataclass(slots=True)
class _Progress:
    """Texts that have a vector so far, told to whoever watches."""

    task: Task
    total: int
    done: int
    failed: int = 0

    def add(self, pack: EmbeddedPack) -> None:
        """Count one call's texts and tell."""
        self.done += len(pack.texts)
        self.failed += sum(text.vector is None for text in pack.texts)
        self.task.progress.update(
            stage="embeddings", done=self.done, failed=self.failed, total=max(self.total, self.done), cost_usd=None
        )
