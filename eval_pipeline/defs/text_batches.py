"""The paid stages of a batch run: what goes out, how far it is, and what is said while it is out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.ports import ObjectStore, StageReader
from eval_pipeline.core.runs import RunMode, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.defs.tasks import Task
from eval_pipeline.defs.text_budget import purse_of_answers, purse_of_texts
from eval_pipeline.dispatch.batch_results import AnswerResults, VectorResults, never_asked
from eval_pipeline.dispatch.batch_stage import Advance, BatchStage, BatchWork, supersede
from eval_pipeline.dispatch.collect import Handling
from eval_pipeline.dispatch.embed import text_digest
from eval_pipeline.dispatch.leases import STAGE_IN_USE, HeldLease, hold
from eval_pipeline.dispatch.records import RESULT_LOST, RecordIndex
from eval_pipeline.dispatch.request_files import LineTemplate, ShardLimits
from eval_pipeline.dispatch.submit import Desk, Order, Parcel
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.text_eval.embeddings import texts_to_embed
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring import models
from eval_pipeline.wiring.bench import BEAT_EVERY_S, StageAtWork, has_started_over, run_cancelled, start_over
from eval_pipeline.wiring.run_life import find_run

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
            parcels=self._parcels,
            handling=Handling(read=models.read_answer, writer=self._writer),
            purse=partial(purse_of_answers, self.task, self.spec),
            first_round=first_round(self.task.deployment.objects, self.task.ref("responses")),
        )

    def _order(self, number: int) -> Order:
        settings = self.task.deployment.settings
        limits = ShardLimits(requests=settings.batch_max_requests, size_bytes=settings.batch_max_bytes)
        return _order(self.task, "responses", number, model=self.spec.model, endpoint=ANSWERS_ENDPOINT, limits=limits)

    @contextmanager
    def _parcels(self, number: int, anew: bool) -> Iterator[Iterable[Parcel]]:
        journal = Journal(self.task.deployment.objects, self.task.ref("responses"))
        with journal.spool() as spool:
            yield [Parcel(self._order(number), self._unanswered(RecordIndex(spool), anew=anew))]

    def _unanswered(self, index: RecordIndex, *, anew: bool) -> Iterator[bytes]:
        template = LineTemplate(endpoint=ANSWERS_ENDPOINT, body=self.spec.model_body)
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
        model = self.spec.embedding_model
        return _order(self.task, "embeddings", number, model=model, endpoint=EMBEDDINGS_ENDPOINT, limits=limits)

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
        template = LineTemplate(endpoint=EMBEDDINGS_ENDPOINT, body=body)
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


def _order(task: Task, stage: str, number: int, *, model: str, endpoint: str, limits: ShardLimits) -> Order:
    return Order(stage=task.ref(stage), round=number, provider="openai", model=model, endpoint=endpoint, limits=limits)


@contextmanager
def batch_stage(task: Task, work: BatchWork) -> Iterator[BatchStage]:
    """Hold the right to submit for a stage, and open its provider's account."""
    deployment = task.deployment
    submitting = f"{work.stage.prefix}/jobs"
    with (
        hold(
            deployment.ledger,
            submitting,
            worker=deployment.worker,
            patience_s=deployment.settings.lease_patience_seconds,
            beat_every_s=BEAT_EVERY_S,
        ) as lease,
        _desk(task, lease) as desk,
        temporary_folder() as folder,
    ):
        yield BatchStage(desk, work, folder=Path(folder))


@contextmanager
def _desk(task: Task, lease: HeldLease) -> Iterator[Desk]:
    deployment = task.deployment
    # a run that was deleted and made again under its name has keys of its own
    created_at = find_run(deployment, flow=task.flow, key=task.key).created_at.isoformat()
    provider = models.open_batches(task.credentials, settings=deployment.settings)
    try:
        yield Desk(
            ledger=deployment.ledger,
            ledger_id=f"{deployment.ledger.id} {created_at}",
            objects=deployment.objects,
            provider=provider,
            policy=models.batch_policy(deployment.settings),
            fence=lease,
        )
    finally:
        provider.close()


def first_round(objects: ObjectStore, stage: StageRef) -> int:
    """Return the first round that counts: those before it belong to a materialization that is closed."""
    try:
        return int(objects.read(_rounds_key(stage)))
    except NotFoundError:
        return 0


def close_rounds(task: Task, stage: StageRef) -> None:
    """Let the next materialization of a stage have all of its rounds again."""
    jobs = task.deployment.ledger.stage_jobs(stage)
    following = 1 + max((job.round for job in jobs), default=-1)
    task.deployment.objects.put(_rounds_key(stage), str(following).encode())


def _rounds_key(stage: StageRef) -> str:
    return f"{stage.prefix}/rounds_from"


def go_on(
    task: Task, stage: StageAtWork, work: Callable[[], BatchWork], *, batch: StageReader, made_from: str | None
) -> bool:
    """Take a stage on as far as it can go now; False while it waits for its provider, which is then told and recorded.

    Args:
        task: the stage's own.
        stage: held.
        work: what is asked for; read after a start over.
        batch: the stage that submitted the first round.
        made_from: digest of what the requests are made from; None where results fit any input.
    """
    if task.refresh:
        _start_over(task, stage)
    elif made_from is not None:
        _refuse_changed_input(batch, made_from=made_from)
    cancelled = stage.run.cancel_requested
    with leaving_to_holder(task):
        with batch_stage(task, work()) as batches:
            advance = batches.wind_up() if cancelled else batches.advance()
        stage.lease.check()
        return _told(task, stage, advance, cancelled=cancelled)
    if stage.run.state is not RunState.RUNNING or stage.run.worker in {None, task.deployment.worker}:
        wait_for_provider(task, cancelled=cancelled)
    return False


def _told(task: Task, stage: StageAtWork, advance: Advance, *, cancelled: bool) -> bool:
    """Record how far the stage came, and tell whether it is finished."""
    _report(task, stage, advance)
    if advance.finished and cancelled:
        raise run_cancelled(stage.run.key)
    if not advance.finished:
        task.say(waiting_words(advance))
        wait_for_provider(task, cancelled=cancelled)
    return advance.finished


@contextmanager
def leaving_to_holder(task: Task) -> Iterator[None]:
    """Leave what another process holds to that process, and go on behind the ``with``.

    Nothing is lost by it: the holder takes the stage on, or its lease ends and the sensor asks for another run. It
    stays an error where a person would not get what was asked for: of a fast run, and of one that is to start over.
    """
    try:
        yield
    except ConflictError as error:
        run = find_run(task.deployment, flow=task.flow, key=task.key)
        wished = task.refresh or task.resend_lost
        if error.code != STAGE_IN_USE or run.mode is not RunMode.BATCH or wished:
            raise
        task.say(f"{error.message}; it is left to that process, and nothing is yielded here")


def _report(task: Task, stage: StageAtWork, advance: Advance) -> None:
    done = sum(job.completed or 0 for job in advance.jobs)
    failed = sum(job.failed or 0 for job in advance.jobs)
    total = sum(job.requests for job in advance.jobs)
    task.progress.update(stage=stage.ref.stage, done=done + failed, failed=failed, total=total, cost_usd=None)


def wait_for_provider(task: Task, *, cancelled: bool) -> None:
    """Record that the run waits for its provider and that nobody works on it meanwhile."""
    ledger, flow, key = task.deployment.ledger, task.flow, task.key
    to = RunState.CANCELLED if cancelled else RunState.WAITING
    if ledger.set_run_state(flow=flow, key=key, to=to, expected=frozenset({RunState.RUNNING})):
        ledger.set_run_worker(flow=flow, key=key, worker=None, dagster_run_id=task.dagster_run_id)


def _start_over(task: Task, stage: StageAtWork) -> None:
    """Forget what was answered, and supersede what is out: a person wants to pay again."""
    if has_started_over(task.deployment, stage, by=task.dagster_run_id, retried=task.retried_run_id):
        return
    jobs = task.deployment.ledger.stage_jobs(stage.ref)
    provider = models.open_batches(task.credentials, settings=task.deployment.settings)
    try:
        for job in jobs:
            supersede(task.deployment.ledger, provider, job)
    finally:
        provider.close()
    start_over(task.deployment, stage, by=task.dagster_run_id, retried=task.retried_run_id)
    close_rounds(task, stage.ref)


def _refuse_changed_input(batch: StageReader, *, made_from: str) -> None:
    """Raise when the input is not what the batches were made from: results of both must not be mixed."""
    if batch.manifest.summary.get("made_from", made_from) != made_from:
        ref = batch.manifest.stage
        raise ConflictError(
            f"the input of {ref} changed while its batches were out",
            code="input_changed",
            hint="materialize the stage with refresh: open batches are cancelled and the new input is sent",
        )


def jobs_summary(jobs: Sequence[BatchJob]) -> list[dict[str, object]]:
    """Return what a manifest keeps of the jobs."""
    return [
        {
            "job": job.name,
            "state": str(job.state),
            "requests": job.requests,
            "batch": job.provider_id,
            "sha256": job.fingerprint,
        }
        for job in jobs
    ]


def waiting_words(advance: Advance) -> str:
    """Say in one sentence what a stage waits for."""
    states = ", ".join(f"{job.name} {job.state}/{job.provider_status or 'not sent'}" for job in advance.jobs[-5:])
    troubles = [*([advance.report.paused] if advance.report.paused else []), *advance.report.trouble]
    return f"waiting for {len(advance.jobs):,} batches ({states})" + "".join(f"; {words}" for words in troubles)
