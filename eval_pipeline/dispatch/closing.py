"""Closes jobs, whoever wants it and why: at the provider first, so that nothing that is out is ever forgotten.

A batch that may exist is looked for before its job is given up. What cannot be told yet stays open, with the wish to be
cancelled: whoever polls next stops it when it turns up.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from eval_pipeline.core.batches import (
    OPEN,
    UNWANTED,
    BatchCallError,
    BatchJob,
    BatchPolicy,
    CallFault,
    IntentStep,
    JobState,
    step_of_intent,
)
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.dispatch.search import search

ABSENT = "the provider did not know the batch any more when it was to be cancelled (404)"
_ATTEMPTS = 3
"""Others may change a row between our look and our change."""


class Closing(StrEnum):
    """Why a job is closed; written into rows whose results nobody wants."""

    CANCELLED = "cancelled"
    """A person stops the run: what is done by then is collected."""
    SUPERSEDED = "superseded"
    """A person asks everything anew: nothing of it is wanted."""
    DELETED = "deleted"
    """The run is forgotten."""


class Stays(StrEnum):
    """Why a job is still open afterwards, in words."""

    TO_BE_COLLECTED = "it is cancelled, and what it has done is to be collected"
    UNKNOWN = "nobody knows yet whether it was created"
    FOREIGN = "it was submitted with another key or to another address"
    UNREACHABLE = "its provider could not be asked"
    BUSY = "another process is looking after it just now"


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """A job that is still open, and why."""

    job: BatchJob
    stays: Stays
    error: BatchCallError | None = None

    @property
    def words(self) -> str:
        """Say why, in the provider's words where there are any."""
        return str(self.stays) if self.error is None else self.error.message


@dataclass(frozen=True, slots=True)
class Closer:
    """What closing works with: one account, and our patience with it."""

    ledger: BatchLedger
    provider: BatchProvider
    policy: BatchPolicy
    now: datetime


def close_jobs(closer: Closer, jobs: Sequence[BatchJob], *, closing: Closing) -> list[LeftOpen]:
    """Close jobs; returns those that are open all the same, each with its reason. One keeps no other waiting."""
    left: dict[int, LeftOpen] = {}
    waiting = [job for job in jobs if job.state in OPEN]
    for _ in range(_ATTEMPTS):
        _look_for(closer, waiting, closing=closing)
        for job in _as_they_are_now(closer.ledger, waiting):
            stays = close_job(closer, job, closing=closing)
            if stays is not None:
                left[job.id] = stays
        waiting = [job for job in _as_they_are_now(closer.ledger, waiting) if job.id not in left]
        if not waiting:
            break
    return [*left.values(), *(LeftOpen(job, Stays.BUSY) for job in waiting)]


def raise_first(left: Sequence[LeftOpen]) -> None:
    """Raise what kept a provider from being asked, once everything was tried."""
    for one in left:
        if one.error is not None:
            raise one.error


def close_job(closer: Closer, job: BatchJob, *, closing: Closing) -> LeftOpen | None:
    """Close one job as it is now; None once it is closed, or when somebody else changed it meanwhile."""
    if job.state is JobState.INTENT and _was_not_made(closer, job):
        final = JobState.CANCELLED if closing is Closing.CANCELLED else JobState.SUPERSEDED
        closer.ledger.change_job(job, to=final, **_mark(closing))
        return None
    if job.account != closer.provider.account:
        return LeftOpen(job, Stays.FOREIGN)  # a 404 of this account proves nothing
    match job.state:
        case JobState.INTENT:
            return LeftOpen(job, Stays.UNKNOWN)
        case JobState.SUBMITTED:
            return _stop(closer, job, closing=closing)
        case JobState.ENDED if closing is Closing.CANCELLED:
            return LeftOpen(job, Stays.TO_BE_COLLECTED)
        case JobState.ENDED:
            closer.ledger.change_job(job, to=JobState.CANCELLED, **_mark(closing))
            _take_files_back(closer.provider, job)
        case JobState.COLLECTED | JobState.FAILED | JobState.SUPERSEDED | JobState.LOST | JobState.CANCELLED:
            pass
        case _:
            assert_never(job.state)
    return None


def dismiss(ledger: BatchLedger, provider: BatchProvider, job: BatchJob, *, closing: Closing) -> BatchJob | None:
    """Stop a batch that turned up when nobody wanted it any more, and tell what that may have cost.

    Returns the job as it is closed, None when somebody else changed it meanwhile.
    """
    provider.cancel(job.provider_id or "")
    words = (
        f"batch {job.provider_id} turned up when nobody wanted its results any more: cancelled, its requests may have "
        "been charged"
    )
    anomalies = (*job.anomalies, words)
    closed = ledger.change_job(
        job, to=JobState.CANCELLED, anomalies=anomalies, waits_until=None, error_message=None, **_mark(closing)
    )
    if closed is not None:
        _take_files_back(provider, job)
    return closed


def disown(ledger: BatchLedger, job: BatchJob) -> BatchJob:
    """Note that nobody wants a lost job's results any more, before anything is asked in its place."""
    if job.is_unwanted:
        return job
    return ledger.change_job(job, anomalies=(*job.anomalies, UNWANTED)) or job


def lose_job(ledger: BatchLedger, job: BatchJob, *, code: str, words: str, at: datetime) -> BatchJob | None:
    """End a job whose batch will bring nothing; a run tells its items, unless nobody wants them."""
    return end_job(ledger, job, ended_at=at, error_code=code, error_message=words)


def end_job(ledger: BatchLedger, job: BatchJob, **facts: Any) -> BatchJob | None:  # noqa: ANN401 - columns of the job
    """Note that a batch has ended; a job whose results nobody wants is closed with it."""
    ended = ledger.change_job(job, to=JobState.ENDED, **facts)
    if ended is None or not ended.is_unwanted:
        return ended
    return ledger.change_job(ended, to=JobState.CANCELLED, **_mark(Closing.SUPERSEDED))


def _stop(closer: Closer, job: BatchJob, *, closing: Closing) -> LeftOpen | None:
    """Cancel a batch; the wish is durable first where its results are wanted."""
    if closing is not Closing.CANCELLED:
        return _stop_for_good(closer, job, closing=closing)
    asked_before = job.cancel_requested_at is not None
    wished = closer.ledger.change_job(
        job, cancel_requested_at=job.cancel_requested_at or closer.now, cancelled_by_us=True
    )
    try:
        closer.provider.cancel(job.provider_id or "")
    except BatchCallError as error:  # one that is gone is confirmed by looks, and lost then
        return LeftOpen(job, Stays.UNREACHABLE, None if error.fault is CallFault.GONE else error)
    if wished is not None and not asked_before:  # the grace is measured by the provider's clock
        closer.ledger.change_job(wished, cancel_requested_at=closer.provider.now() or closer.now)
    return LeftOpen(job, Stays.TO_BE_COLLECTED)


def _stop_for_good(closer: Closer, job: BatchJob, *, closing: Closing) -> LeftOpen | None:
    anomalies = job.anomalies
    try:
        closer.provider.cancel(job.provider_id or "")
    except BatchCallError as error:
        if error.fault is not CallFault.GONE:
            return LeftOpen(job, Stays.UNREACHABLE, error)
        anomalies = (*anomalies, ABSENT)
    closer.ledger.change_job(job, to=JobState.CANCELLED, anomalies=anomalies, **_mark(closing))
    _take_files_back(closer.provider, job)
    return None


def _mark(closing: Closing) -> dict[str, Any]:
    return {"cancelled_by_us": True, **({} if closing is Closing.CANCELLED else {"error_code": str(closing)})}


def _was_not_made(closer: Closer, job: BatchJob) -> bool:
    """Tell whether there is no batch of an intent: none was asked for, or lists prove that there is none."""
    return job.is_unsent or step_of_intent(job, now=closer.now, policy=closer.policy) is not IntentStep.LOOK


def _as_they_are_now(ledger: BatchLedger, jobs: Sequence[BatchJob]) -> list[BatchJob]:
    """Read the rows of jobs again; those that are closed by now are left out."""
    ids = {job.id for job in jobs}
    stages = dict.fromkeys(job.stage for job in jobs)
    return [job for stage in stages for job in ledger.stage_jobs(stage) if job.id in ids and job.state in OPEN]


def _look_for(closer: Closer, jobs: Sequence[BatchJob], *, closing: Closing) -> None:
    """Adopt the batches of creations whose answer nobody has, as far as lists show them; the wish is durable first."""
    mine = [job for job in jobs if job.account == closer.provider.account and job.is_ambiguous]
    wished = [job for job in (_wish(closer, job, closing=closing) for job in mine) if job is not None]
    if wished:
        with suppress(BatchCallError):  # then they stay open, and that is told
            search(closer.ledger, closer.provider, wished, now=closer.now, policy=closer.policy)


def _wish(closer: Closer, job: BatchJob, *, closing: Closing) -> BatchJob | None:
    wanted = closing is Closing.CANCELLED or job.is_unwanted
    return closer.ledger.change_job(
        job,
        cancel_requested_at=job.cancel_requested_at or closer.now,
        cancelled_by_us=True,
        anomalies=job.anomalies if wanted else (*job.anomalies, UNWANTED),
    )


def _take_files_back(provider: BatchProvider, job: BatchJob) -> None:
    """Delete what the provider keeps of a closed job; a file that stays is deleted by its own expiry."""
    for file_id in (job.input_file_id, job.output_file_id, job.error_file_id):
        if file_id is not None:
            with suppress(BatchCallError):
                provider.delete_file(file_id)
