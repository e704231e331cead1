"""What the text flow embeds by batches, how it keeps what comes back, and what pays for it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.cost import NOTHING
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.batch_provider import BatchForm
from eval_pipeline.core.ports.models import Vectors
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.dispatch.batch_results import VectorResults
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.dispatch.budget import RoundPurse
from eval_pipeline.dispatch.collect import Handling
from eval_pipeline.dispatch.embed import text_digest
from eval_pipeline.dispatch.submit import Order, Parcel
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.rounds import first_round
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import Journal
from eval_pipeline.text_eval.pairs import texts_to_embed
from eval_pipeline.text_eval.rates import embedding_tariff
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.text_eval.standing import cost_of_vectors
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint


@dataclass(frozen=True)
class Texts:
    """The embeddings stage of a run, as work for batches; a text's digest is its id."""

    task: Task
    spec: TextSpec
    dataset: StageReader
    responses: StageReader

    @cached_property
    def _endpoint(self) -> Endpoint:
        return self.task.endpoints.find(self.spec.embedding_endpoint)

    @cached_property
    def _form(self) -> BatchForm:
        return models.vector_form(self._endpoint, Vectors(self.spec.embedding_model, self.spec.embedding_dimensions))

    def work(self) -> BatchWork:
        """Say what is embedded and how vectors are kept."""
        return BatchWork(
            stage=self.task.ref("embeddings"),
            provider=self.spec.embedding_endpoint,
            parcels=self._parcels,
            handling=Handling(read=self._form.read, writer=self._writer, sent_as=self._form.sent_as),
            purse=self._purse,
            first_round=first_round(self.task.deployment.objects, self.task.ref("embeddings")),
            resend_lost=self.task.resend_lost,
        )

    def _order(self, number: int) -> Order:
        protocol = self._endpoint.protocol
        return Order(
            stage=self.task.ref("embeddings"),
            round=number,
            provider=self.spec.embedding_endpoint,
            protocol=protocol,
            model=self.spec.embedding_model,
            endpoint=self._form.endpoint,
            limits=models.shard_limits(self.task.deployment.settings, protocol=protocol, embeds=True),
        )

    @contextmanager
    def _parcels(self, number: int, anew: bool) -> Iterator[Iterable[Parcel]]:
        journal = Journal(self.task.deployment.objects, self.task.ref("embeddings"))
        with journal.spool() as spool:
            yield [Parcel(self._order(number), self._without_vector(VectorIndex.read(spool), anew=anew))]

    def _without_vector(self, index: VectorIndex, *, anew: bool) -> Iterator[bytes]:
        template = self._form.lines
        seen: set[bytes] = set()
        for text in texts_to_embed(self.dataset, self.responses):
            digest = text_digest(text)
            wanted = index.wants(digest, anew=anew, resend_lost=self.task.resend_lost)
            if digest in seen or not wanted or not text.strip():
                continue
            seen.add(digest)
            yield template.line(digest.hex(), text)

    def _writer(self, job: BatchJob) -> VectorResults:
        journal = Journal(self.task.deployment.objects, job.stage)
        with journal.spool(below=f"batch-{job.name}") as spool:
            dimensions = self.spec.embedding_dimensions or VectorIndex.read(spool).dimensions
        usual = models.vector_width(self.spec.embedding_model)
        return VectorResults(dimensions=dimensions, usual=usual)

    def _purse(self) -> RoundPurse | None:
        """Open what pays for a round: a token is at least one byte, so the bound is exact."""
        run = find_run(self.task.deployment, flow=self.task.flow, key=self.task.key)
        if run.max_cost_usd is None:
            return None
        tariff = embedding_tariff(self.spec)
        with Journal(self.task.deployment.objects, self.task.ref("embeddings")).spool() as spool:
            vectors_usd = cost_of_vectors(VectorIndex.read(spool), tariff=tariff, run=run).cost_usd
        spent_usd = PaidSummary.of(self.responses.manifest).known_usd + (vectors_usd or NOTHING)
        limit_usd = Decimal(str(run.max_cost_usd))
        return RoundPurse(limit_usd=limit_usd, spent_usd=spent_usd, tariff=tariff, bound=_bound)


def _bound(size_bytes: int) -> Usage:
    return Usage(input=size_bytes, total=size_bytes)
