"""Submits request files exactly once: the intent is durable before anything is paid, an ambiguous answer is looked up.

Order of durable steps of one file: its bytes in our store, the intent, the id of the uploaded file, the mark that a
creation was begun, the batch's id. A kill between any two of them is made good by the next call.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, assert_never

from eval_pipeline.core.batches import (
    BatchCallError,
    BatchJob,
    BatchPolicy,
    CallFault,
    IntentStep,
    JobState,
    pause_after_refusal_s,
    step_of_intent,
    submission_key,
)
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.request_files import ShardFile, ShardLimits, write_shards
from eval_pipeline.dispatch.restored import count_submission, store_round
from eval_pipeline.dispatch.rests import RESTS
from eval_pipeline.dispatch.search import adopt, search

PASSING = frozenset({CallFault.AMBIGUOUS, CallFault.BUSY})
"""Faults of a call that costs nothing when it is made again later: an upload, a look."""
NOT_NOW = PASSING | {CallFault.UNREACHABLE}
"""A call that only asks is made again later."""


class Fence(Protocol):
    """A lease in our hands."""

    @property
    def token(self) -> int:
        """Its fencing token."""
        ...

    def check(self) -> None:
        """Raise when it is no longer ours."""
        ...


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def as_it_is(_: BatchJob, path: Path) -> AbstractContextManager[Path]:
    """Upload the stored request file itself."""
    return nullcontext(path)


@dataclass(frozen=True, slots=True)
class Desk:
    """What submitting and collecting work with."""

    ledger: BatchLedger
    ledger_id: str
    objects: ObjectStore
    provider: BatchProvider
    policy: BatchPolicy
    fence: Fence
    now: Callable[[], datetime] = utc_now
    sought_since: datetime | None = None
    """Since when a ledger that was lost, and this one restored from a backup, may have submitted for the run."""
    fill: Callable[[BatchJob, Path], AbstractContextManager[Path]] = as_it_is
    """Gives the file that is uploaded in place of the stored one, which holds no address that expires or is secret."""


@dataclass(frozen=True, slots=True)
class Order:
    """One model's share of a round of a stage: what is to be submitted, as what."""

    stage: StageRef
    round: int
    provider: str
    """Name of the endpoint."""
    protocol: ApiProtocol
    model: str
    endpoint: str
    limits: ShardLimits


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a round asks of one model; a round holds one for every model."""

    order: Order
    lines: Iterable[bytes]


def requests_key(job: BatchJob) -> str:
    """Where the job's request file lies in our store; a file that is submitted again is the same one."""
    return f"{job.stage.prefix}/jobs/r{job.round:02d}-s{job.shard:04d}/requests.jsonl"


def record_round(
    desk: Desk,
    parcels: Iterable[Parcel],
    *,
    folder: Path,
    pay: Callable[[Sequence[BatchJob]], None],
    first_shard: int = 0,
) -> Sequence[BatchJob]:
    """Store the request files of a round, then record all intents in one transaction: a round is whole or not begun.

    Args:
        desk: what it works with.
        parcels: what is asked of each model.
        folder: for the file in progress.
        pay: raises when the whole round costs too much; then nothing of it is recorded.
        first_shard: the number of its first file.
    """
    intents: list[BatchJob] = []
    for parcel in parcels:
        for file in write_shards(parcel.lines, folder=folder, limits=parcel.order.limits):
            intent = _intent(desk, parcel.order, shard=first_shard + len(intents), file=file)
            desk.fence.check()
            desk.objects.put_file(requests_key(intent), file.path)
            intents.append(intent)
    pay(intents)
    desk.fence.check()
    if intents:
        store_round(desk.objects, intents, first_shard=first_shard)
    return desk.ledger.add_jobs(intents)


def _intent(desk: Desk, order: Order, *, shard: int, file: ShardFile) -> BatchJob:
    now = desk.now()
    key = submission_key(
        ledger_id=desk.ledger_id,
        stage=order.stage,
        shard=shard,
        round_=order.round,
        attempt=0,
        fingerprint=file.sha256,
    )
    return BatchJob(
        id=0,
        stage=order.stage,
        round=order.round,
        shard=shard,
        attempt=0,
        submission_key=key,
        fingerprint=file.sha256,
        provider=order.provider,
        protocol=order.protocol,
        account=desk.provider.account,
        base_url=desk.provider.base_url,
        model=order.model,
        endpoint=order.endpoint,
        requests=file.requests,
        size_bytes=file.size_bytes,
        state=JobState.INTENT,
        created_at=now,
        updated_at=now,
        token=desk.fence.token,
        sought_since=desk.sought_since,
    )


def again(job: BatchJob, *, ledger_id: str, now: datetime, waits_until: datetime) -> BatchJob:
    """Return the intent to submit the job's file once more, under a key of its own."""
    attempt = job.attempt + 1
    key = submission_key(
        ledger_id=ledger_id,
        stage=job.stage,
        shard=job.shard,
        round_=job.round,
        attempt=attempt,
        fingerprint=job.fingerprint,
    )
    return BatchJob(
        id=0,
        stage=job.stage,
        round=job.round,
        shard=job.shard,
        attempt=attempt,
        submission_key=key,
        fingerprint=job.fingerprint,
        provider=job.provider,
        protocol=job.protocol,
        account=job.account,
        base_url=job.base_url,
        model=job.model,
        endpoint=job.endpoint,
        requests=job.requests,
        size_bytes=job.size_bytes,
        state=JobState.INTENT,
        created_at=now,
        updated_at=now,
        token=job.token,
        waits_until=waits_until,
        sought_since=job.sought_since,
        anomalies=job.anomalies,
    )


def look_for_intents(desk: Desk, jobs: Iterable[BatchJob]) -> None:
    """Search a former key's account for creations that nobody settled; nothing is created there any more."""
    intents = [job for job in jobs if job.state is JobState.INTENT and job.account == desk.provider.account]
    looked = [job for job in intents if _step(desk, job) is IntentStep.LOOK]
    if looked and RESTS.left_s(desk.provider.account) <= 0:
        _look(desk, looked)


def settle_intents(desk: Desk, jobs: Iterable[BatchJob]) -> None:
    """Take every intent as far as it can go now: create it, find it again, drop it, or leave it waiting.

    Raises ``BatchCallError`` when the account is at fault; nothing was sent then that is not recorded.
    """
    intents = [job for job in jobs if job.state is JobState.INTENT and job.account == desk.provider.account]
    if (rest_s := RESTS.left_s(desk.provider.account)) > 0:
        _leave_alone(desk, intents, wait_s=rest_s)
        return
    looked = [job for job in intents if _step(desk, job) is IntentStep.LOOK]
    if looked:
        _look(desk, looked)
    for job in intents:
        match IntentStep.LOOK if job in looked else _step(desk, job):
            case IntentStep.CREATE:
                if (wait_s := _submit(desk, job)) is not None:
                    RESTS.ask(job.account, wait_s)
                    _leave_alone(desk, intents[intents.index(job) + 1 :], wait_s=wait_s)
                    return
            case IntentStep.DROP:
                desk.ledger.change_job(job, to=JobState.CANCELLED)
            case IntentStep.WAIT | IntentStep.LOOK:
                pass


def _step(desk: Desk, job: BatchJob) -> IntentStep:
    return step_of_intent(job, now=desk.now(), policy=desk.policy)


def _leave_alone(desk: Desk, intents: Sequence[BatchJob], *, wait_s: float) -> None:
    """Let intents wait as long as the provider asked for: it meant the account."""
    until = desk.now() + timedelta(seconds=min(wait_s, desk.policy.most_queue_wait_s))
    for job in intents:
        if job.is_unsent and (job.waits_until is None or job.waits_until < until):
            desk.ledger.change_job(job, waits_until=until)


def _look(desk: Desk, jobs: Sequence[BatchJob]) -> None:
    """Search the provider's batches for the jobs'; when that fails in passing, the next poll searches again."""
    try:
        search(desk.ledger, desk.provider, jobs, now=desk.now(), policy=desk.policy)
    except BatchCallError as error:
        if error.fault not in NOT_NOW:
            raise


def _submit(desk: Desk, job: BatchJob) -> float | None:
    """Upload the file, mark that a creation begins, create; returns how long the provider asks to be left alone."""
    stale = job.input_file_id is not None
    try:
        ready = _upload(desk, job) if desk.provider.uploads else job
        _learn_time(desk)
    except BatchCallError as error:
        return _not_uploaded(desk, job, error)
    if ready is None:
        return None  # somebody else changed the job meanwhile
    if ready.input_file_id is not None:
        return _create(desk, ready, ready.input_file_id, stale=stale)
    with _request_file(desk, ready) as path:
        return _create(desk, ready, path, stale=False)


def _learn_time(desk: Desk) -> None:
    """Ask something, where nothing was asked yet: batches are told apart by when they were made, and ours may jump."""
    if desk.provider.now() is not None:
        return
    try:
        desk.provider.list(since=None, most_calls=1)
    except BatchCallError as error:
        if error.fault not in {CallFault.GONE, CallFault.REFUSED, CallFault.UNSUPPORTED}:  # a server without lists
            raise


def _create(desk: Desk, job: BatchJob, requests: str | Path, *, stale: bool) -> float | None:
    """Mark that a creation begins, and create.

    Args:
        desk: what it works with.
        job: the intent.
        requests: as ``BatchProvider.create`` takes them.
        stale: as ``_not_created`` takes it.
    """
    desk.fence.check()
    moment = desk.provider.now() or desk.now()
    begun = desk.ledger.change_job(job, create_started_at=moment, empty_lists=0, listed_at=None, token=desk.fence.token)
    if begun is None:
        return None  # somebody else changed the job meanwhile
    _count(desk, begun)
    desk.fence.check()
    try:
        batch = desk.provider.create(requests, endpoint=job.endpoint, key=job.submission_key, labels=_labels(job))
    except BatchCallError as error:
        return _not_created(desk, begun, error, stale=stale)
    adopt(desk.ledger, begun, batch)
    return None


def _count(desk: Desk, begun: BatchJob) -> None:
    """Count the submission, behind the mark that it begins: a backup that holds the count holds the mark as well."""
    try:
        count_submission(desk.ledger, desk.objects)
    except EvalPipelineError:
        desk.ledger.change_job(begun, create_started_at=None)  # nothing was asked of the provider
        raise


def _labels(job: BatchJob) -> dict[str, str]:
    """Say to whoever looks at the provider's page what the batch belongs to."""
    return {"run": job.stage.key.partition, "stage": job.stage.stage, "part": job.name}


def _upload(desk: Desk, job: BatchJob) -> BatchJob | None:
    if job.input_file_id is not None:
        return job
    name = f"{job.stage.key.run}-{job.stage.stage}-{job.name}.jsonl"
    with _request_file(desk, job) as path:
        file_id = desk.provider.upload(path, name=name)
    return desk.ledger.change_job(job, input_file_id=file_id, token=desk.fence.token)


@contextmanager
def _request_file(desk: Desk, job: BatchJob) -> Iterator[Path]:
    """Give the file that goes out."""
    with desk.objects.local_copy(requests_key(job)) as stored, desk.fill(job, stored) as path:
        yield path


def _not_uploaded(desk: Desk, job: BatchJob, error: BatchCallError) -> float | None:
    match error.fault:
        case CallFault.AMBIGUOUS | CallFault.BUSY:
            _wait_for_room(desk, job, error)
            return error.retry_after_s
        case CallFault.REFUSED | CallFault.GONE:
            _refuse(desk, job, error)
            return None
        case CallFault.UNSUPPORTED:
            _give_up(desk, job, error)
            raise error
        case CallFault.ACCOUNT | CallFault.UNREACHABLE:
            desk.ledger.change_job(job, **_told(error))
            raise error
        case _:
            assert_never(error.fault)


def _not_created(desk: Desk, job: BatchJob, error: BatchCallError, *, stale: bool) -> float | None:
    """Record why there is no batch, or that nobody knows whether there is one.

    Args:
        desk: what it works with.
        job: the intent.
        error: what the creation came to.
        stale: whether its file was uploaded by an earlier call: a provider that keeps files for two days may have
            deleted it since, and it is uploaded once more.
    """
    match error.fault:
        case CallFault.AMBIGUOUS:
            if error.retry_after_s is None:
                _look(desk, [job])
            return error.retry_after_s
        case CallFault.BUSY:
            _wait_for_room(desk, job, error)
            return error.retry_after_s
        case CallFault.GONE if stale and job.unseen_since is None:
            fresh = desk.ledger.change_job(job, create_started_at=None, input_file_id=None)
            return None if fresh is None else _submit(desk, fresh)
        case CallFault.REFUSED | CallFault.GONE:
            _refuse(desk, job, error)
            return None
        case CallFault.UNSUPPORTED:
            _give_up(desk, job, error)
            raise error
        case CallFault.ACCOUNT | CallFault.UNREACHABLE:
            desk.ledger.change_job(job, create_started_at=None, **_told(error), **_unsent(desk, job))
            raise error
        case _:
            assert_never(error.fault)


def _told(error: BatchCallError) -> JsonDict:
    return {"error_code": error.code, "error_message": error.message}


def _refuse(desk: Desk, job: BatchJob, error: BatchCallError) -> None:
    """Let a refused file be tried again a little later, or fail; nothing of it was sent."""
    now = desk.provider.now() or desk.now()
    wait_s = pause_after_refusal_s(job, about_file=error.about_file, now=now, policy=desk.policy)
    if wait_s is None:
        desk.ledger.change_job(job, to=JobState.FAILED, **_told(error))
        return
    until = desk.now() + timedelta(seconds=wait_s)
    since = job.unseen_since or now
    desk.ledger.change_job(job, create_started_at=None, unseen_since=since, waits_until=until, **_told(error))


def _give_up(desk: Desk, job: BatchJob, error: BatchCallError) -> None:
    """Close all that was to be sent to an address that has no batches: nothing will change that by itself."""
    for other in desk.ledger.stage_jobs(job.stage):
        if other.id == job.id or (other.is_unsent and other.account == job.account):
            desk.ledger.change_job(other, to=JobState.FAILED, create_started_at=None, **_told(error))


def _wait_for_room(desk: Desk, job: BatchJob, error: BatchCallError) -> None:
    """Wait as long again as the job has waited already; one that found no room for a whole window fails."""
    now = desk.now()
    waited_s = (now - job.created_at).total_seconds()
    if waited_s >= desk.policy.window_s + desk.policy.slack_s:
        desk.ledger.change_job(job, to=JobState.FAILED, **_told(error))
        return
    wait_s = min(max(desk.policy.poll_s, waited_s, error.retry_after_s or 0.0), desk.policy.most_queue_wait_s)
    until = now + timedelta(seconds=wait_s)
    desk.ledger.change_job(job, create_started_at=None, waits_until=until, **_told(error), **_unsent(desk, job))


def _unsent(desk: Desk, job: BatchJob) -> JsonDict:
    """Take an uploaded file back that names addresses: they may expire while its batch waits to be created."""
    if desk.fill is as_it_is or job.input_file_id is None:
        return {}
    with suppress(BatchCallError):
        desk.provider.delete_file(job.input_file_id)
    return {"input_file_id": None}


def note_anomaly(ledger: BatchLedger, job: BatchJob, words: str) -> BatchJob:
    """Keep, once, what should not have happened."""
    if words in job.anomalies:
        return job
    return ledger.change_job(job, anomalies=(*job.anomalies, words)) or replace(job, anomalies=(*job.anomalies, words))
