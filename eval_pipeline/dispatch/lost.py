"""Looks again, at growing intervals, for what was called lost: a batch, its results, a creation that nobody settled.

What turns up is taken back for nothing. Where its items went out again since, or nobody wants them any more, it is
stopped instead, and what it may have cost is told.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from eval_pipeline.core.batches import (
    BatchCallError,
    BatchJob,
    BatchPolicy,
    CallFault,
    JobState,
    Phase,
    ProviderBatch,
    is_replaced,
    lacks_files,
    look_again_at,
)
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.dispatch.closing import Closing, dismiss
from eval_pipeline.dispatch.poll import facts_of
from eval_pipeline.dispatch.search import search

_OPEN = frozenset({Phase.WORKING, Phase.FINALIZING, Phase.CANCELLING, Phase.UNKNOWN})


def look_for_lost(
    ledger: BatchLedger, provider: BatchProvider, jobs: Sequence[BatchJob], *, policy: BatchPolicy, now: datetime
) -> list[BatchJob]:
    """Ask for lost jobs of one account; returns those that turned up and are wanted, open again.

    A call that fails raises ``BatchCallError``; jobs that were not reached are looked for next time.

    Args:
        ledger: where jobs are kept.
        provider: of the account that the jobs were submitted under.
        jobs: lost ones.
        policy: our patience.
        now: the present by our clock.
    """
    found: list[BatchJob] = []
    for job in jobs:
        replaced = is_replaced(job, ledger.stage_jobs(job.stage))
        made = job if job.provider_id else _settle(ledger, provider, job, policy=policy, now=now)
        back = None if made is None else _take_back(ledger, provider, made, replaced=replaced)
        if back is None:
            _look_later(ledger, job, policy=policy, now=now)
        elif back.state is not JobState.CANCELLED:
            found.append(back)
    return found


def _settle(
    ledger: BatchLedger, provider: BatchProvider, job: BatchJob, *, policy: BatchPolicy, now: datetime
) -> BatchJob | None:
    """Search for the batch of a creation that was given up before anybody knew whether there was one."""
    found = search(ledger, provider, [job], now=now, policy=policy).found
    return found[0] if found else None


def _take_back(ledger: BatchLedger, provider: BatchProvider, job: BatchJob, *, replaced: bool) -> BatchJob | None:
    """Open a job again whose batch is there with all that it should have, or stop it; None when it is not."""
    try:
        batch = provider.find(job.provider_id or "")
    except BatchCallError as error:
        if error.fault is not CallFault.GONE:
            raise
        return None
    if replaced:
        return dismiss(ledger, provider, job, closing=Closing.SUPERSEDED)
    # what an earlier look saw is not forgotten: a later answer may be older
    output, errors = batch.output_file_id or job.output_file_id, batch.error_file_id or job.error_file_id
    batch = replace(batch, output_file_id=output, error_file_id=errors)
    facts = facts_of(batch) | {"waits_until": None, "unseen_since": None, "empty_lists": 0, "looks_without_files": 0}
    facts |= {"outcomes": None, "collected_at": None}
    if batch.phase in _OPEN:
        to = None if job.state is JobState.SUBMITTED else JobState.SUBMITTED
        return ledger.change_job(job, to=to, **facts)
    if not _has_results(provider, batch):
        return None
    facts |= {"error_code": job.error_code, "error_message": job.error_message}
    return ledger.change_job(job, to=JobState.ENDED, ended_at=batch.ended_at or job.ended_at, **facts)


def _has_results(provider: BatchProvider, batch: ProviderBatch) -> bool:
    """Tell whether a batch that has ended names what it should, and its provider has that."""
    if batch.phase is not Phase.FAILED and lacks_files(batch):
        return False
    return all(provider.knows_file(file_id) for file_id in (batch.output_file_id, batch.error_file_id) if file_id)


def _look_later(ledger: BatchLedger, job: BatchJob, *, policy: BatchPolicy, now: datetime) -> None:
    """Say when the next look is due, in the row as it is now: a search counts lists in it."""
    for fresh in ledger.stage_jobs(job.stage):
        if fresh.id == job.id and fresh.state is JobState.LOST:
            ledger.change_job(fresh, looked_at=now, waits_until=look_again_at(job, now=now, policy=policy))


def stop_lost(ledger: BatchLedger, provider: BatchProvider, jobs: Iterable[BatchJob], *, closing: Closing) -> None:
    """Stop lost batches that nobody wants any more, as far as they are there by now; later ones are stopped later."""
    for job in jobs:
        with suppress(BatchCallError):
            if job.provider_id is not None and job.account == provider.account:
                provider.find(job.provider_id)
                dismiss(ledger, provider, job, closing=closing)
