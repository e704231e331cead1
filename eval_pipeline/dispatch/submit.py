"""Submits request files exactly once: the intent is durable before anything is paid, an ambiguous answer is looked up.

Order of durable steps of one file: its bytes in our store, the intent, the id of the uploaded file, the mark that a
creation was begun, the batch's id. A kill between any two of them is made good by the next call.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from eval_pipeline.core.batches import (
    BatchCallError,
    BatchJob,
    BatchListing,
    BatchPolicy,
    CallFault,
    IntentStep,
    JobState,
    ProviderBatch,
    counts_as_list,
    may_exist_since,
    step_of_intent,
    submission_key,
)
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.providers import Provider
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.request_files import ShardFile, ShardLimits, write_shards
from eval_pipeline.dispatch.restored import count_submission, store_round

MOST_LIST_CALLS = 12
PASSING = frozenset({CallFault.AMBIGUOUS, CallFault.BUSY})
NOT_NOW = PASSING | {CallFault.UNREACHABLE}
"""A call that only asks is made again later."""
"""Faults of a call that costs nothing when it is made again later: an upload, a look."""


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
    provider: Provider
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
    desk: Desk, parcels: Iterable[Parcel], *, folder: Path, pay: Callable[[Sequence[BatchJob]], None]
) -> Sequence[BatchJob]:
    """Store the request files of a round, then record all intents in one transaction: a round is whole or not begun.

    Args:
        desk: what it works with.
        parcels: what is asked of each model.
        folder: for the file in progress.
        pay: raises when the whole round costs too much; then nothing of it is recorded.
    """
    intents: list[BatchJob] = []
    for parcel in parcels:

        def deliver(_: int, file: ShardFile, order: Order = parcel.order) -> None:
            intent = _intent(desk, order, shard=len(intents), file=file)
            desk.fence.check()
            desk.objects.put_file(requests_key(intent), file.path)
            intents.append(intent)

        write_shards(parcel.lines, folder=folder, limits=parcel.order.limits, deliver=deliver)
    pay(intents)
    desk.fence.check()
    if intents:
        store_round(desk.objects, intents)
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
        provider=str(order.provider),
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


def settle_intents(desk: Desk, jobs: Iterable[BatchJob]) -> None:
    """Take every intent as far as it can go now: create it, find it again, or leave it waiting."""
    intents = [job for job in jobs if job.state is JobState.INTENT and job.account == desk.provider.account]
    looked = [job for job in intents if step_of_intent(job, now=desk.now(), policy=desk.policy) is IntentStep.LOOK]
    if looked:
        _look(desk, looked)
    for job in intents:
        if job not in looked and step_of_intent(job, now=desk.now(), policy=desk.policy) is IntentStep.CREATE:
            _submit(desk, job)


def _look(desk: Desk, jobs: Sequence[BatchJob]) -> None:
    """List the provider's batches for the jobs' keys; when that fails in passing, the next poll lists again."""
    since = min(map(may_exist_since, jobs))
    try:
        listing = desk.provider.list(since=since, most_calls=MOST_LIST_CALLS)
    except BatchCallError as error:
        if error.fault in NOT_NOW:
            return
        raise
    look_for(desk.ledger, jobs, listing=listing, now=listing.provider_now or desk.now(), policy=desk.policy)


def _submit(desk: Desk, job: BatchJob) -> None:
    """Upload the file, mark that a creation begins, create."""
    try:
        uploaded = _upload(desk, job)
    except BatchCallError as error:
        if error.fault not in PASSING:
            raise
        _wait_for_room(desk, job, error)
        return
    desk.fence.check()
    moment = desk.provider.now() or desk.now()
    begun = uploaded and desk.ledger.change_job(
        uploaded, create_started_at=moment, empty_lists=0, listed_at=None, token=desk.fence.token
    )
    if not begun or begun.input_file_id is None:
        return  # somebody else changed the job meanwhile
    _count(desk, begun)
    desk.fence.check()
    try:
        batch = desk.provider.create(
            file_id=begun.input_file_id, endpoint=job.endpoint, key=job.submission_key, labels=_labels(job)
        )
    except BatchCallError as error:
        _not_created(desk, begun, error, stale=job.input_file_id is not None)
    else:
        adopt(desk.ledger, begun, batch)


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
    with desk.objects.local_copy(requests_key(job)) as stored, desk.fill(job, stored) as path:
        file_id = desk.provider.upload(path, name=name)
    return desk.ledger.change_job(job, input_file_id=file_id, token=desk.fence.token)


def _not_created(desk: Desk, job: BatchJob, error: BatchCallError, *, stale: bool) -> None:
    """Record why there is no batch, or that nobody knows whether there is one.

    Args:
        desk: what it works with.
        job: whose batch it would be.
        error: what the creation came to.
        stale: whether its file was uploaded by an earlier call: a provider that keeps files for two days may have
            deleted it since, and it is uploaded once more.
    """
    match error.fault:
        case CallFault.AMBIGUOUS:
            _look(desk, [job])
        case CallFault.BUSY:
            _wait_for_room(desk, job, error)
        case CallFault.GONE if stale:
            fresh = desk.ledger.change_job(job, create_started_at=None, input_file_id=None)
            if fresh is not None:
                _submit(desk, fresh)
        case CallFault.REFUSED | CallFault.GONE:
            desk.ledger.change_job(job, to=JobState.FAILED, error_code=error.code, error_message=error.message)
        case CallFault.ACCOUNT | CallFault.UNREACHABLE:
            told: dict[str, Any] = {"error_code": error.code, "error_message": error.message}
            desk.ledger.change_job(job, create_started_at=None, **told, **_unsent(desk, job))
            raise error


def _wait_for_room(desk: Desk, job: BatchJob, error: BatchCallError) -> None:
    """Wait as long again as the job has waited already; one that found no room for a whole window fails."""
    now = desk.now()
    waited_s = (now - job.created_at).total_seconds()
    told: dict[str, Any] = {"error_code": error.code, "error_message": error.message}
    if waited_s >= desk.policy.window_s + desk.policy.slack_s:
        desk.ledger.change_job(job, to=JobState.FAILED, **told)
        return
    wait_s = min(max(desk.policy.poll_s, waited_s, error.retry_after_s or 0.0), desk.policy.most_queue_wait_s)
    told |= _unsent(desk, job)
    desk.ledger.change_job(job, create_started_at=None, waits_until=now + timedelta(seconds=wait_s), **told)


def _unsent(desk: Desk, job: BatchJob) -> dict[str, Any]:
    """Take an uploaded file back that names addresses: they may expire while its batch waits to be created."""
    if desk.fill is as_it_is or job.input_file_id is None:
        return {}
    with suppress(BatchCallError):
        desk.provider.delete_file(job.input_file_id)
    return {"input_file_id": None}


def adopt(ledger: BatchLedger, job: BatchJob, batch: ProviderBatch) -> BatchJob | None:
    """Record the batch that a job's submission made."""
    return ledger.change_job(
        job,
        to=JobState.SUBMITTED,
        provider_id=batch.id,
        provider_status=batch.status,
        provider_created_at=batch.created_at,
        waits_until=None,
        error_code=None,
        error_message=None,
    )


def look_for(
    ledger: BatchLedger, jobs: Iterable[BatchJob], *, listing: BatchListing, now: datetime, policy: BatchPolicy
) -> list[BatchJob]:
    """Adopt the batches of ambiguous intents that a list shows; count the list against the others. Returns the found.

    Of two batches with one key the older is kept.
    """
    found: list[BatchJob] = []
    by_key: dict[str, ProviderBatch] = {}
    for batch in listing.batches:  # newest first: the oldest stays
        if batch.key is not None:
            by_key[batch.key] = batch
    for job in jobs:
        made = by_key.get(job.submission_key)
        if made is not None:
            adopted = adopt(ledger, job, made)
            found += [] if adopted is None else [adopted]
        elif listing.whole and counts_as_list(job, now=now, policy=policy):
            ledger.change_job(job, empty_lists=job.empty_lists + 1, listed_at=now)
    return found


def note_anomaly(ledger: BatchLedger, job: BatchJob, words: str) -> BatchJob:
    """Keep, once, what should not have happened."""
    if words in job.anomalies:
        return job
    return ledger.change_job(job, anomalies=(*job.anomalies, words)) or replace(job, anomalies=(*job.anomalies, words))
