"""Finds the batch of a creation whose answer nobody has, whatever its provider tells in lists.

A batch is known by the submission key that it carries, or by the request file that it was made from, which went out for
one submission alone. Where a list tells neither, what may be it is asked for one by one: what was created then, with as
many requests, and is no other job's. Some tell whose they are only once they have results.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eval_pipeline.core.batches import (
    BatchCallError,
    BatchJob,
    BatchListing,
    BatchPolicy,
    CallFault,
    JobState,
    ProviderBatch,
    counts_as_list,
    may_exist_since,
)
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.ports.ledger import BatchLedger

MOST_LIST_CALLS = 12
MOST_CANDIDATES = 50
"""Batches that are asked for one by one in one search."""
UNDECIDED = "provider_undecided"
"""Code of an intent that waits for what batches will tell that may be its own."""
_BEFORE = timedelta(minutes=10)
"""Clocks differ: a batch may have been created so long before we say that we began."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Search:
    """What a search brought."""

    found: Sequence[BatchJob]
    calls: int
    provider_now: datetime | None = None


def search(
    ledger: BatchLedger, provider: BatchProvider, jobs: Sequence[BatchJob], *, now: datetime, policy: BatchPolicy
) -> Search:
    """List the provider's batches, adopt those of these jobs, and count the list against the others.

    A call that fails raises ``BatchCallError``.
    """
    listing = provider.list(since=began(jobs), most_calls=MOST_LIST_CALLS)
    now = listing.provider_now or now
    told = tell_apart(ledger, provider, jobs, listing=listing, policy=policy)
    found = look_for(ledger, jobs, listing=told, now=now, policy=policy)
    return Search(found, calls=told.calls, provider_now=listing.provider_now)


def began(jobs: Iterable[BatchJob]) -> datetime:
    """Return since when batches of these jobs may exist."""
    return min(job.provider_created_at or may_exist_since(job) for job in jobs)


def tell_apart(
    ledger: BatchLedger,
    provider: BatchProvider,
    jobs: Sequence[BatchJob],
    *,
    listing: BatchListing,
    policy: BatchPolicy,
) -> BatchListing:
    """Ask for the batches of a list that may be one of the jobs' and do not say whose they are.

    One that cannot be told apart stays nameless: while it may be a job's, the list does not prove that there is none.
    """
    nameless = [batch for batch in listing.batches if any(may_be(batch, job, policy=policy) for job in jobs)]
    told = _known_to(ledger, nameless)
    calls = listing.calls
    for batch in [batch for batch in nameless if batch.id not in told][:MOST_CANDIDATES]:
        calls += 1
        try:
            told[batch.id] = provider.identify(batch.id)
        except BatchCallError as error:
            if error.fault is not CallFault.GONE:
                raise
    batches = tuple(told.get(batch.id, batch) for batch in listing.batches)
    return replace(listing, batches=batches, calls=calls)


def _known_to(ledger: BatchLedger, nameless: Sequence[ProviderBatch]) -> dict[str, ProviderBatch]:
    """Name the batches that the ledger knows as those of other jobs."""
    jobs = ledger.jobs_of_batches([batch.id for batch in nameless]) if nameless else []
    return {
        batch.id: replace(batch, key=job.submission_key, named=True)
        for batch in nameless
        for job in jobs
        if _is_the_same(batch, job)
    }


def is_nameless(batch: ProviderBatch) -> bool:
    """Tell whether a batch says nothing of who made it, nor from which file."""
    return not batch.named and batch.key is None and batch.input_file_id is None


def may_be(batch: ProviderBatch, job: BatchJob, *, policy: BatchPolicy) -> bool:
    """Tell whether a batch that says nothing of whose it is may be what a job's submission made."""
    if not is_nameless(batch) or not _may_hold(batch, job):
        return False
    begun = may_exist_since(job)
    if batch.created_at is None or batch.created_at < begun - _BEFORE:
        return batch.created_at is None
    if job.create_started_at is None:
        return True
    patience = timedelta(seconds=policy.create_timeout_s + policy.settle_s)
    return batch.created_at <= job.create_started_at + patience + _BEFORE


def _may_hold(batch: ProviderBatch, job: BatchJob) -> bool:
    """Tell whether a batch may hold as many requests; servers that have not counted yet say 0."""
    return not batch.total or batch.total == job.requests


def _is_the_same(batch: ProviderBatch, job: BatchJob) -> bool:
    """Tell whether a batch is the one that the ledger knows under its id: local servers count anew after a restart."""
    known = job.provider_created_at is not None and batch.created_at == job.provider_created_at
    return batch.id == job.provider_id and known and _may_hold(batch, job)


def is_batch_of(batch: ProviderBatch, job: BatchJob) -> bool:
    """Tell whether a job's submission made a batch."""
    if batch.key is not None or batch.named:
        return batch.key == job.submission_key
    if batch.input_file_id is not None:
        return batch.input_file_id == job.input_file_id
    return _is_the_same(batch, job)


def look_for(
    ledger: BatchLedger, jobs: Iterable[BatchJob], *, listing: BatchListing, now: datetime, policy: BatchPolicy
) -> list[BatchJob]:
    """Adopt the batches of ambiguous intents that a list shows; count the list against the others. Returns the found.

    Of two batches of one submission the older is kept.
    """
    found: list[BatchJob] = []
    by_key = {batch.key: batch for batch in listing.batches if batch.key is not None}  # newest first: the oldest stays
    by_file = {batch.input_file_id: batch for batch in listing.batches if not batch.named and batch.input_file_id}
    for job in jobs:
        made = by_key.get(job.submission_key) or by_file.get(job.input_file_id or "")
        if made is not None:
            adopted = adopt(ledger, job, made)
            found += [] if adopted is None else [adopted]
        elif undecided := [batch.id for batch in listing.batches if may_be(batch, job, policy=policy)]:
            _note_undecided(ledger, job, undecided)
        elif listing.whole and counts_as_list(job, now=now, policy=policy):
            settled = {"error_code": None, "error_message": None} if job.error_code == UNDECIDED else {}
            ledger.change_job(job, empty_lists=job.empty_lists + 1, listed_at=now, **settled)
    return found


def _note_undecided(ledger: BatchLedger, job: BatchJob, batch_ids: Sequence[str]) -> None:
    """Say, once, what is waited for: nothing is created beside what may be the job's."""
    named = ", ".join(batch_ids[:_SHOWN]) + (f" and {len(batch_ids) - _SHOWN:,} more" if batch_ids[_SHOWN:] else "")
    words = (
        f"its creation was not answered, and {named} may be its batch: created then, with as many requests; it is sent "
        "again only when their results tell that it is none of them"
    )
    if job.error_message != words:
        ledger.change_job(job, error_code=UNDECIDED, error_message=words)


def adopt(ledger: BatchLedger, job: BatchJob, batch: ProviderBatch) -> BatchJob | None:
    """Record the batch that a job's submission made."""
    return ledger.change_job(
        job,
        to=JobState.SUBMITTED,
        provider_id=batch.id,
        provider_status=batch.status,
        provider_created_at=batch.created_at,
        input_file_id=job.input_file_id or batch.input_file_id,
        waits_until=None,
        unseen_since=None,
        empty_lists=0,
        error_code=None,
        error_message=None,
    )
