"""One stage that works by batches, taken as far as it can go now: settle, look, collect, submit the next round.

Whoever holds the lease may call ``advance`` at any time and as often as wanted; it never waits for a provider's batch.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from eval_pipeline.core.batches import OPEN, BatchCallError, BatchJob, JobState, StageStep, step_of_stage
from eval_pipeline.core.outcomes import AttemptOutcome
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.ports.ledger import BatchLedger
from eval_pipeline.core.providers import Provider
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.budget import RoundPurse
from eval_pipeline.dispatch.collect import (
    Handling,
    collect_job,
    is_written_off,
    refused_file,
    write_off,
)
from eval_pipeline.dispatch.poll import PollReport, cancel_jobs, poll_account
from eval_pipeline.dispatch.restored import lost_intents
from eval_pipeline.dispatch.submit import NOT_NOW, Desk, Parcel, as_it_is, record_round, settle_intents

_MAY_GO_OUT_AGAIN = frozenset(
    {
        str(AttemptOutcome.RETRYABLE),
        str(AttemptOutcome.EXPIRED),
        str(AttemptOutcome.CANCELLED),
        str(AttemptOutcome.MISSING),
        str(AttemptOutcome.MALFORMED),
    }
)


@dataclass(frozen=True, slots=True)
class BatchWork:
    """What a flow asks for by batches, and how it keeps the results."""

    stage: StageRef
    provider: Provider
    parcels: Callable[[int, bool], AbstractContextManager[Iterable[Parcel]]]
    """What a round asks of every model: what is not finished; True: also what failed for a reason that a person may
    have mended."""
    handling: Handling
    purse: Callable[[], RoundPurse | None] = lambda: None
    """Opens what pays for a round; None where the run has no budget."""
    fill: Callable[[BatchJob, Path], AbstractContextManager[Path]] = as_it_is
    """As ``Desk.fill``."""
    first_round: int = 0
    """Of the rounds that count now; those before it belong to an account that a person closed."""


def _always() -> None:
    """Let everything be sent."""


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a stage came."""

    finished: bool
    jobs: Sequence[BatchJob]
    report: PollReport


class BatchStage:
    """Takes one stage on.

    Args:
        desk: what it works with.
        work: what is asked for.
        folder: for files on their way.
        may_submit: raises when nothing new may be sent from here; what is out is looked after all the same.
    """

    def __init__(self, desk: Desk, work: BatchWork, *, folder: Path, may_submit: Callable[[], None] = _always) -> None:
        self._may_submit = may_submit
        self._desk = desk
        self._work = work
        self._folder = folder
        self._report = PollReport()

    def submit_first(self) -> Sequence[BatchJob]:
        """Record and submit the first round, unless that was done; returns the stage's jobs."""
        self._record_lost_rounds()
        if not self._current(self._jobs()):
            self._submit_round(self._work.first_round, anew=self._work.first_round > 0)
        settle_intents(self._desk, self._jobs())
        return self._jobs()

    def advance(self) -> Advance:
        """Go on until the stage is finished or waits for its provider."""
        self.submit_first()
        self._look()
        while True:
            self._collect()
            jobs = self._jobs()
            match self._step(jobs):
                case StageStep.SUBMIT_ROUND:
                    if not self._submit_round(self._last_round(jobs) + 1, anew=False):
                        return Advance(finished=True, jobs=jobs, report=self._report)
                    settle_intents(self._desk, self._jobs())
                case StageStep.FINISH | StageStep.SUBMIT_FIRST:
                    return Advance(finished=True, jobs=jobs, report=self._report)
                case StageStep.WAIT | StageStep.ACT:  # an intent that lost a race, or waits for room
                    return Advance(finished=False, jobs=jobs, report=self._report)

    def wind_up(self) -> Advance:
        """Cancel what is out, collect what is done, submit nothing more."""
        desk = self._desk
        mine = [job for job in self._jobs() if job.account == desk.provider.account]
        waiting = [job for job in mine if job.cancel_requested_at is None]
        cancel_jobs(desk.ledger, desk.provider, waiting, now=desk.now())
        self._look()
        self._collect()
        jobs = self._jobs()
        return Advance(finished=not any(job.state in OPEN for job in jobs), jobs=jobs, report=self._report)

    def _record_lost_rounds(self) -> None:
        """Record what a ledger that was lost had submitted, so that it is looked for instead of asked anew."""
        desk, work = self._desk, self._work
        if desk.sought_since is not None:
            lost = lost_intents(
                desk.objects,
                work.stage,
                self._jobs(),
                first_round=work.first_round,
                since=desk.sought_since,
                now=desk.now(),
            )
            desk.ledger.add_jobs(list(lost))

    def _jobs(self) -> Sequence[BatchJob]:
        return self._desk.ledger.stage_jobs(self._work.stage)

    def _current(self, jobs: Sequence[BatchJob]) -> list[BatchJob]:
        return [job for job in jobs if job.round >= self._work.first_round]

    def _last_round(self, jobs: Sequence[BatchJob]) -> int:
        return max(job.round for job in jobs)

    def _step(self, jobs: Sequence[BatchJob]) -> StageStep:
        current = self._current(jobs)
        used = 1 + self._last_round(current) - self._work.first_round if current else 0
        return step_of_stage(
            current,
            unfinished=sum(_may_go_out_again(job) for job in current),
            rounds_left=self._desk.policy.max_rounds - used,
            now=self._desk.now(),
            policy=self._desk.policy,
        )

    def _submit_round(self, number: int, *, anew: bool) -> bool:
        """Record a round and tell whether there was anything to ask; raises when the budget has no room for it."""
        purse = self._work.purse()
        earlier = self._jobs()

        def pay(intents: Sequence[BatchJob]) -> None:
            if intents:
                self._may_submit()
            if purse is not None:
                purse.pay(intents, earlier=earlier)

        with self._work.parcels(number, anew) as parcels:
            return bool(record_round(self._desk, parcels, folder=self._folder, pay=pay))

    def _look(self) -> None:
        desk = self._desk
        mine = [job for job in self._jobs() if job.account == desk.provider.account and job.state in OPEN]
        self._report = poll_account(desk.ledger, desk.provider, mine, policy=desk.policy, now=desk.now())

    def _collect(self) -> None:
        for job in self._jobs():
            match job.state:
                case JobState.ENDED if job.account == self._desk.provider.account:
                    self._collect_job(job)
                case JobState.FAILED if not is_written_off(job):
                    refused = refused_file(job.error_code, job.error_message)
                    write_off(self._desk, job, self._work.handling, refused, folder=self._folder)
                case _:
                    pass

    def _collect_job(self, job: BatchJob) -> None:
        """Collect a job; one whose provider is away just now waits, as one that is under way would."""
        try:
            collect_job(self._desk, job, self._work.handling, folder=self._folder)
        except BatchCallError as error:
            if error.fault not in NOT_NOW:
                raise
            self._report.trouble.append(error.message)


def _may_go_out_again(job: BatchJob) -> int:
    """Count items that may be unfinished; a job that was cancelled before it went out left all of its items."""
    if job.state is JobState.CANCELLED and job.outcomes is None:
        return job.requests
    return sum(count for outcome, count in (job.outcomes or {}).items() if outcome in _MAY_GO_OUT_AGAIN)


def supersede(ledger: BatchLedger, provider: BatchProvider, job: BatchJob) -> None:
    """Close a job whose results are not wanted any more; what is out is cancelled."""
    if job.state is JobState.SUBMITTED and job.provider_id is not None:
        provider.cancel(job.provider_id)
        ledger.change_job(job, to=JobState.CANCELLED, cancelled_by_us=True, error_code="superseded")
    elif job.state is JobState.INTENT:
        ledger.change_job(job, to=JobState.SUPERSEDED)
    elif job.state is JobState.ENDED:
        ledger.change_job(job, to=JobState.CANCELLED, error_code="superseded")
