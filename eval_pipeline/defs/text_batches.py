"""What the text flow asks by batches, and how it keeps what comes back."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.ports import StageReader
from eval_pipeline.core.providers import Provider
from eval_pipeline.defs.batch_runs import first_round
from eval_pipeline.defs.tasks import Task
from eval_pipeline.defs.text_budget import purse_of_answers, purse_of_texts
from eval_pipeline.dispatch.batch_results import AnswerResults, VectorResults, never_asked
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.dispatch.collect import Handling
from eval_pipeline.dispatch.embed import text_digest
from eval_pipeline.dispatch.records import RESULT_LOST, RecordIndex
from eval_pipeline.dispatch.request_files import ShardLimits
from eval_pipeline.dispatch.submit import Order, Parcel
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.storage.journal import Journal
from eval_pipeline.text_eval.embeddings import texts_to_embed
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring import models

ANSWERS_ENDPOINT = "/v1/responses"
EMBEDDINGS_ENDPOINT = "/v1/embeddings"
ROWS_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class Questions:
    """The answers stage of a run, as work for batches."""

    task: Task
    spec: TextSpec
    dataset: StageReader

    def work(self) -> BatchWork:
        """Say what is asked and how answers are kept."""
        return BatchWork(
            stage=self.task.ref("responses"),
            provider=Provider(self.spec.provider),
            parcels=self._parcels,
            handling=Handling(read=models.read_answer, writer=self._writer),
            purse=partial(purse_of_answers, self.task, self.spec),
            first_round=first_round(self.task.deployment.objects, self.task.ref("responses")),
        )

    def _order(self, number: int) -> Order:
        settings = self.task.deployment.settings
        limits = ShardLimits(requests=settings.batch_max_requests, size_bytes=settings.batch_max_bytes)
        return Order(
            stage=self.task.ref("responses"),
            round=number,
            provider=Provider(self.spec.provider),
            model=self.spec.model,
            endpoint=ANSWERS_ENDPOINT,
            limits=limits,
        )

    @contextmanager
    def _parcels(self, number: int, anew: bool) -> Iterator[Iterable[Parcel]]:
        journal = Journal(self.task.deployment.objects, self.task.ref("responses"))
        with journal.spool() as spool:
            yield [Parcel(self._order(number), self._unanswered(RecordIndex(spool), anew=anew))]

    def _unanswered(self, index: RecordIndex, *, anew: bool) -> Iterator[bytes]:
        template = models.request_lines(endpoint=ANSWERS_ENDPOINT, body=self.spec.model_body)
        asks = self._asks_again(index, anew=anew) if len(index) else None
        for table in self.dataset.batches(["item_id", "question"], rows=ROWS_AT_ONCE):
            ids, questions = table.column("item_id").to_pylist(), table.column("question").to_pylist()
            for item_id, question in zip(ids, questions, strict=True):
                if asks is None or asks(item_id):
                    yield template.line(item_id, question)

    def _asks_again(self, index: RecordIndex, *, anew: bool) -> Callable[[str], bool]:
        resend_lost = self.task.resend_lost

        def asks(item_id: str) -> bool:
            if index.finished(item_id):
                return False
            record = index.find(item_id)
            return record is None or _may_be_asked(record, anew=anew, resend_lost=resend_lost)

        return asks

    def _writer(self, job: BatchJob) -> AnswerResults:
        return AnswerResults(self._earlier(job) if job.round > 0 else never_asked)

    def _earlier(self, job: BatchJob) -> Callable[[str], ItemRecord | None]:
        """Remember the records that earlier rounds left of the items that are not finished."""
        journal = Journal(self.task.deployment.objects, job.stage)
        with journal.spool(below=f"batch-r{job.round:02d}") as spool:
            index = RecordIndex(spool)
            earlier = {item_id: index.find(item_id) for item_id in index.unfinished()}
        return earlier.get


def _may_be_asked(record: ItemRecord, *, anew: bool, resend_lost: bool) -> bool:
    """Tell whether an item goes out again: what failed in passing does, the account's faults once a person came."""
    if record.error is not None and record.error.transient:
        return True
    if resend_lost and record.error is not None and record.error.code == RESULT_LOST:
        return True
    return anew and not record.finished


@dataclass(frozen=True, slots=True)
class Texts:
    """The embeddings stage of a run, as work for batches; a text's digest is its id."""

    task: Task
    spec: TextSpec
    dataset: StageReader
    responses: StageReader

    def work(self) -> BatchWork:
        """Say what is embedded and how vectors are kept."""
        return BatchWork(
            stage=self.task.ref("embeddings"),
            provider=Provider.OPENAI,
            parcels=self._parcels,
            handling=Handling(read=models.read_vector, writer=self._writer),
            purse=partial(purse_of_texts, self.task, self.spec, self.responses),
            first_round=first_round(self.task.deployment.objects, self.task.ref("embeddings")),
        )

    def _order(self, number: int) -> Order:
        settings = self.task.deployment.settings
        limits = ShardLimits(
            requests=min(settings.batch_max_requests, settings.batch_max_embedding_inputs),
            size_bytes=settings.batch_max_bytes,
        )
        return Order(
            stage=self.task.ref("embeddings"),
            round=number,
            provider=Provider.OPENAI,
            model=self.spec.embedding_model,
            endpoint=EMBEDDINGS_ENDPOINT,
            limits=limits,
        )

    @contextmanager
    def _parcels(self, number: int, anew: bool) -> Iterator[Iterable[Parcel]]:
        del anew
        journal = Journal(self.task.deployment.objects, self.task.ref("embeddings"))
        with journal.spool() as spool:
            yield [Parcel(self._order(number), self._without_vector(VectorIndex.read(spool)))]

    def _without_vector(self, index: VectorIndex) -> Iterator[bytes]:
        body: dict[str, str | int] = {"model": self.spec.embedding_model, "encoding_format": "base64"}
        if self.spec.embedding_dimensions is not None:
            body |= {"dimensions": self.spec.embedding_dimensions}
        template = models.request_lines(endpoint=EMBEDDINGS_ENDPOINT, body=body)
        seen: set[bytes] = set()
        for text in texts_to_embed(self.dataset, self.responses):
            digest = text_digest(text)
            if digest in seen or digest in index or not text.strip():
                continue
            seen.add(digest)
            yield template.line(digest.hex(), text)

    def _writer(self, job: BatchJob) -> VectorResults:
        journal = Journal(self.task.deployment.objects, job.stage)
        with journal.spool(below=f"batch-{job.name}") as spool:
            dimensions = self.spec.embedding_dimensions or VectorIndex.read(spool).dimensions
        return VectorResults(dimensions=dimensions)
