"""Learns how the open jobs of one account stand, with few calls, and writes it down; needs no lease.

One list call brings a hundred jobs. What a list does not show is looked up one by one, a bounded number at a time.
Every change is a compare-and-set: two pollers at once do no harm.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from eval_pipeline.core.batches import (
    BatchCallError,
    BatchJob,
    BatchListing,
    BatchPolicy,
    CallFault,
    IntentStep,
    JobState,
    Phase,
    ProviderBatch,
    Verdict,
    is_gone,
    step_of_intent,
    verdict_of,
)
from eval_pipeline.core.counting import counted
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.dispatch.closing import end_job, lose_job
from eval_pipeline.dispatch.collect import NEVER_ENDED
from eval_pipeline.dispatch.records import RESULT_LOST
from eval_pipeline.dispatch.search import MOST_LIST_CALLS, began, is_batch_of, look_for, tell_apart
from eval_pipeline.dispatch.submit import note_anomaly

JOBS_A_PAGE = 100
MOST_LOOKUPS = 50
"""Jobs that are looked up one by one in one poll; the others have their turn next time."""


@dataclass(slots=True)
class PollReport:
    """What a poll of one account saw, in words and numbers."""

    seen: int = 0
    ended: int = 0
    calls: int = 0
    paused: str | None = None
    """What a person must do before this account can be asked again."""
    trouble: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    provider_now: datetime | None = None
    """The provider's clock, where it was asked."""
    failed: bool = False
    """Whether a call brought nothing, so that the account is better left alone for a while."""
    retry_after_s: float | None = None
    """For how long the provider asks to be left alone."""


def poll_account(
    ledger: BatchLedger,
    provider: BatchProvider,
    jobs: Sequence[BatchJob],
    *,
    policy: BatchPolicy,
    now: datetime,
    time_left: Callable[[], float] = lambda: float("inf"),
) -> PollReport:
    """Ask how the jobs stand and write it down; a call that fails is told in the report and tried at the next poll.

    Args:
        ledger: where jobs are kept.
        provider: of the account that the jobs were submitted under.
        jobs: open ones.
        policy: our patience.
        now: the present by our clock.
        time_left: seconds that this account may take; jobs that are not reached have their turn at the next poll.
    """
    poll = _Poll(ledger, provider, policy=policy, now=now, report=PollReport(), time_left=time_left)
    try:
        poll.run(jobs)
    except BatchCallError as error:
        poll.note_trouble(error)
    return poll.report


@dataclass(slots=True)
class _Poll:
    ledger: BatchLedger
    provider: BatchProvider
    policy: BatchPolicy
    now: datetime
    report: PollReport
    time_left: Callable[[], float]
    stops: list[str] = field(default_factory=list)
    """Batches to cancel once all jobs were looked at: a call that fails keeps nobody else waiting."""

    def run(self, jobs: Sequence[BatchJob]) -> None:
        self._drop_unwanted(jobs)
        submitted = [job for job in jobs if job.state is JobState.SUBMITTED]
        intents = [job for job in jobs if self._is_ambiguous(job)]
        if not submitted and not intents:
            return
        listing = self._list([*submitted, *intents])
        self.report.provider_now = listing.provider_now
        self.now = listing.provider_now or self.now
        self._find_intents(intents, listing)
        listed = {batch.id: batch for batch in listing.batches}
        self._refuse_doubles(submitted, listing)
        for job in submitted:
            if (batch := listed.get(job.provider_id or "")) is not None:
                self._note(job, batch)
        unlisted = [job for job in submitted if job.provider_id not in listed]
        try:
            self._look_up(unlisted, whole=listing.whole)
        finally:
            self._stop()

    def _drop_unwanted(self, jobs: Iterable[BatchJob]) -> None:
        """Close what nobody wants once lists have proved that it was never made; no run is worth starting for that."""
        for job in jobs:
            step = step_of_intent(job, now=self.now, policy=self.policy)
            if job.is_unwanted and job.state is JobState.INTENT and step is IntentStep.DROP:
                self.ledger.change_job(job, to=JobState.SUPERSEDED)

    def _is_ambiguous(self, job: BatchJob) -> bool:
        step = step_of_intent(job, now=self.now, policy=self.policy)
        return job.state is JobState.INTENT and step is IntentStep.LOOK

    def _find_intents(self, intents: Sequence[BatchJob], listing: BatchListing) -> None:
        """Adopt what was created without our knowing; what a person has cancelled meanwhile is stopped."""
        told = tell_apart(self.ledger, self.provider, intents, listing=listing, policy=self.policy)
        self.report.calls += told.calls - listing.calls
        found = look_for(self.ledger, intents, listing=told, now=self.now, policy=self.policy)
        self.stops += [job.provider_id for job in found if job.cancel_requested_at is not None and job.provider_id]

    def _list(self, jobs: Sequence[BatchJob]) -> BatchListing:
        since = began(jobs)
        most_calls = min(ceil(len(jobs) / JOBS_A_PAGE) + 1, MOST_LIST_CALLS)
        try:
            listing = self.provider.list(since=since, most_calls=most_calls)
        except BatchCallError as error:
            if error.fault not in {CallFault.GONE, CallFault.REFUSED}:
                raise
            listing = BatchListing(batches=(), whole=False, calls=1, provider_now=None)  # a server without lists
        self.report.calls += listing.calls
        return listing

    def _look_up(self, jobs: Iterable[BatchJob], *, whole: bool) -> None:
        """Ask for jobs one by one, the one that was looked at longest ago first."""
        waiting = sorted(jobs, key=lambda job: job.looked_at or job.created_at)
        for job in waiting[:MOST_LOOKUPS]:
            if self.time_left() <= 0:
                return
            self.report.calls += 1
            try:
                self._note(job, self.provider.find(job.provider_id or ""))
            except BatchCallError as error:
                if error.fault is not CallFault.GONE:
                    raise
                self._note_gone(job, whole=whole)

    def _note_gone(self, job: BatchJob, *, whole: bool) -> None:
        """Believe that a batch is gone only when lists do not show it either, for minutes."""
        looks = job.empty_lists + whole
        if not is_gone(job, looks=looks, now=self.now, policy=self.policy):
            since = job.unseen_since or self.now
            self.ledger.change_job(job, empty_lists=looks, unseen_since=since, looked_at=self.now)
            self.report.warnings.append(f"{_named(job)} is not found at the provider; looking again")
            return
        self._close(job, code=RESULT_LOST, words="the provider does not know the batch any more (404, and not listed)")

    def _note(self, job: BatchJob, batch: ProviderBatch) -> None:
        self.report.seen += 1
        verdict = verdict_of(job, batch, now=self.now, policy=self.policy)
        facts = facts_of(batch) | {"looked_at": self.now, "empty_lists": 0, "unseen_since": None}
        match verdict:
            case Verdict.WAIT:
                if batch.phase is Phase.UNKNOWN:
                    self.report.warnings.append(f"{_named(job)} has the unknown status {batch.status!r}; waiting")
                self._write_when_new(job, facts)
                if _has_not_heard(job, batch):
                    self.stops.append(batch.id)
            case Verdict.WAIT_FOR_FILES:
                facts["unseen_since"] = (job.unseen_since if job.looks_without_files else None) or self.now
                self.ledger.change_job(job, looks_without_files=job.looks_without_files + 1, **facts)
                self.report.warnings.append(f"{_named(job)} is {batch.status} and names no results yet; looking again")
            case Verdict.END:  # long after its end, perhaps: its results are kept from then on
                ended_at = batch.ended_at or self.now
                ended = end_job(self.ledger, job, ended_at=ended_at, **facts)
                self.report.ended += ended is not None
            case Verdict.LOSE:
                done = f"{counted(batch.completed, 'request')} done" if batch.completed else "no word on what was done"
                words = f"the batch is {batch.status} with {done}, and names no results"
                self._close(job, code=RESULT_LOST, words=words)
            case Verdict.CANCEL:
                self._cancel(job, facts)
            case Verdict.GIVE_UP:
                self._close(job, code=NEVER_ENDED, words=f"still {batch.status!r} long after it was cancelled")

    def _write_when_new(self, job: BatchJob, facts: dict[str, Any]) -> None:
        """Write what changed; a look that saw nothing new is not worth a transaction for each of a thousand jobs."""
        known = {name: getattr(job, name) for name in facts}
        told = {name: value for name, value in facts.items() if name != "looked_at"}
        if any(known[name] != value for name, value in told.items()):
            self.ledger.change_job(job, **facts)

    def _cancel(self, job: BatchJob, facts: dict[str, Any]) -> None:
        """Cancel an overdue batch; the wish is durable first."""
        asked = self.ledger.change_job(job, cancel_requested_at=self.now, cancelled_by_us=True, **facts)
        if asked is not None and asked.provider_id is not None:
            self.report.warnings.append(f"{_named(job)} is overdue; cancelling it to save what is done")
            self.stops.append(asked.provider_id)

    def _stop(self) -> None:
        """Cancel what is to be cancelled; what cannot be now is cancelled by a later poll."""
        for batch_id in self.stops[:MOST_LOOKUPS]:
            self.report.calls += 1
            self.provider.cancel(batch_id)

    def _close(self, job: BatchJob, *, code: str, words: str) -> None:
        """End a job that will bring nothing; a run tells its items."""
        self.report.warnings.append(f"{_named(job)}: {words}")
        lose_job(self.ledger, job, code=code, words=words, at=self.now)

    def _refuse_doubles(self, jobs: Sequence[BatchJob], listing: BatchListing) -> None:
        """Cancel a second batch of a submission of ours and keep the first; its possible charge is recorded."""
        ours = {job.submission_key: job for job in jobs}
        files = {job.input_file_id: job for job in jobs if job.input_file_id is not None}
        for batch in listing.batches:
            job = ours.get(batch.key or "") or files.get(batch.input_file_id or "")
            if job is None or batch.id == job.provider_id or not is_batch_of(batch, job):
                continue
            words = f"second batch {batch.id} with the same key: cancelled, its requests may have been charged"
            if words not in job.anomalies:
                self.report.calls += 1
                self.provider.cancel(batch.id)
                note_anomaly(self.ledger, job, words)
                self.report.warnings.append(f"{_named(job)}: {words}")

    def note_trouble(self, error: BatchCallError) -> None:
        """Tell a person what to do, or that the next poll tries again."""
        self.report.failed = True
        self.report.retry_after_s = error.retry_after_s
        if error.fault is CallFault.ACCOUNT:
            self.report.paused = f"{error.message}; {error.hint}"
        else:
            self.report.trouble.append(error.message)


def _has_not_heard(job: BatchJob, batch: ProviderBatch) -> bool:
    """Tell whether a batch works on although it was to be cancelled: the call, or who made it, did not get through."""
    return job.cancel_requested_at is not None and batch.phase in {Phase.WORKING, Phase.UNKNOWN}


def _named(job: BatchJob) -> str:
    return f"{job.stage.key.partition} {job.stage.stage} {job.name} ({job.provider_id})"


def facts_of(batch: ProviderBatch) -> dict[str, Any]:
    """Return what the ledger keeps of how a provider describes a batch."""
    return {
        "provider_status": batch.status,
        "provider_created_at": batch.created_at,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "total": batch.total,
        "completed": batch.completed,
        "failed": batch.failed,
        "error_code": batch.errors[0].code if batch.errors else None,
        "error_message": batch.errors[0].message if batch.errors else None,
    }
