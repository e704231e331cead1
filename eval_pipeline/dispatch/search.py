"""Finds the batch of a creation whose answer nobody has, whatever its provider tells in lists.

A batch is known by the submission key that it carries, or by the request file that it was made from, which went out for
one submission alone. Where a list tells neither, what may be it is asked for one by one.
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
_BEFORE = timedelta(minutes=10)
"""Clocks differ: a batch may have been created so long before we say that we began."""


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
    told = tell_apart(provider, jobs, listing=listing)
    found = look_for(ledger, jobs, listing=told, now=now, policy=policy)
    return Search(found, calls=told.calls, provider_now=listing.provider_now)


def began(jobs: Iterable[BatchJob]) -> datetime:
    """Return since when batches of these jobs may exist."""
    return min(job.provider_created_at or may_exist_since(job) for job in jobs)


def tell_apart(provider: BatchProvider, jobs: Sequence[BatchJob], *, listing: BatchListing) -> BatchListing:
    """Ask for the batches of a list that may be one of the jobs' and do not say whose they are.

    While one of them cannot be told apart, the list is not whole: it proves no absence.
    """
    if not jobs:
        return listing
    since = began(jobs) - _BEFORE
    unknown = [batch for batch in listing.batches if is_nameless(batch) and _is_since(batch, since)]
    asked: dict[str, ProviderBatch] = {}
    calls, whole = listing.calls, listing.whole and len(unknown) <= MOST_CANDIDATES
    for batch in unknown[:MOST_CANDIDATES]:
        calls += 1
        try:
            asked[batch.id] = provider.find(batch.id)
        except BatchCallError as error:
            if error.fault is not CallFault.GONE:
                raise
        whole = whole and not is_nameless(asked.get(batch.id, batch))
    batches = tuple(asked.get(batch.id, batch) for batch in listing.batches)
    return replace(listing, batches=batches, whole=whole, calls=calls)


def is_nameless(batch: ProviderBatch) -> bool:
    """Tell whether a batch says nothing of who made it, nor from which file."""
    return not batch.named and batch.key is None and batch.input_file_id is None


def _is_since(batch: ProviderBatch, since: datetime) -> bool:
    return batch.created_at is None or batch.created_at >= since


def is_batch_of(batch: ProviderBatch, job: BatchJob) -> bool:
    """Tell whether a job's submission made a batch."""
    if batch.key is not None or batch.named:
        return batch.key == job.submission_key
    return batch.input_file_id is not None and batch.input_file_id == job.input_file_id


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
        elif listing.whole and counts_as_list(job, now=now, policy=policy):
            ledger.change_job(job, empty_lists=job.empty_lists + 1, listed_at=now)
    return found


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
