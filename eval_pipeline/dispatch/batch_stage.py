"""One stage that works by batches, taken as far as it can go now: settle, look, collect, submit the next round.

Whoever holds the lease may call ``advance`` at any time and as often as wanted; it never waits for a provider's batch.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from eval_pipeline.core.batches import (
    OPEN,
    BatchCallError,
    BatchJob,
    CallFault,
    IntentStep,
    JobState,
    StageStep,
    can_move,
    deadline_of,
    is_over,
    is_replaced,
    step_of_intent,
    step_of_stage,
)
from eval_pipeline.core.outcomes import AttemptOutcome
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.budget import PaysRounds
from eval_pipeline.dispatch.closing import Closer, Closing, close_jobs, raise_first
from eval_pipeline.dispatch.collect import (
    Handling,
    collect_job,
    is_written_off,
    leave_alone,
    lost_result,
    refused_file,
    write_off,
)
from eval_pipeline.dispatch.poll import PollReport, poll_account
from eval_pipeline.dispatch.records import RESULT_LOST
from eval_pipeline.dispatch.restored import lost_intents
from eval_pipeline.dispatch.rests import RESTS
from eval_pipeline.dispatch.submit import (
    NOT_NOW,
    Desk,
    Parcel,
    again,
    as_it_is,
    look_for_intents,
    record_round,
    settle_intents,
)

_PAUSES = NOT_NOW | {CallFault.ACCOUNT}
"""Faults of an account that pass, or that a person mends: what is out waits meanwhile."""
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
    provider: str
    """Name of the endpoint."""
    parcels: Callable[[int, bool], AbstractContextManager[Iterable[Parcel]]]
    """What a round asks of every model: what is not finished; True: also what failed for a reason that a person may
    have mended."""
    handling: Handling
    purse: Callable[[], PaysRounds | None] = lambda: None
    """Opens what pays for a round; None where the run has no budget."""
    fill: Callable[[BatchJob, Path], AbstractContextManager[Path]] = as_it_is
    """As ``Desk.fill``."""
    first_round: int = 0
    """Of the rounds that count now; those before it belong to an account that a person closed."""
    resend_lost: bool = False
    """Whether a person accepts that what may have been charged already is sent, and charged, once more."""
    own: Callable[[BatchJob], bool] = lambda _: True
    """Which jobs of the stage are this work's, where several endpoints are asked for one stage."""
    first_shard: int = 0
    """Of its rounds: the files of one stage are told apart by round and shard, whomever they go to."""


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
        former: desks at the accounts of former keys, where something may still lie.
    """

    def __init__(
        self,
        desk: Desk,
        work: BatchWork,
        *,
        folder: Path,
        may_submit: Callable[[], None] = _always,
        former: Sequence[Desk] = (),
    ) -> None:
        self._may_submit = may_submit
        self._desk = desk
        self._former = former
        self._desks = {one.provider.account: one for one in (*former, desk)}
        self._work = work
        self._folder = folder
        self._report = PollReport()
        self._halted = False
        """Whether results cannot be fetched at present."""

    def submit_first(self) -> Sequence[BatchJob]:
        """Record and submit the first round, unless that was done; what was never sent is sent now.

        Returns the stage's jobs. Raises what is wrong with the account: whoever submits is told at once.
        """
        self._record_lost_rounds()
        self._find_again()
        self._revive()
        self._begin()
        settle_intents(self._desk, self._jobs())
        return self._jobs()

    def advance(self) -> Advance:
        """Go on until the stage is finished or waits for its provider."""
        self._record_lost_rounds()
        self._find_again()
        self._begin()
        self._settle()
        self._look()
        while True:
            self._collect()
            jobs = self._jobs()
            match self._step(jobs):
                case StageStep.SUBMIT_ROUND:
                    if not self._submit_round(self._last_round(jobs) + 1, anew=False):
                        return Advance(finished=True, jobs=jobs, report=self._report)
                    self._settle()
                case StageStep.SUBMIT_FIRST if self._begin():
                    self._settle()
                case StageStep.FINISH | StageStep.SUBMIT_FIRST:
                    return Advance(finished=True, jobs=jobs, report=self._report)
                case StageStep.WAIT | StageStep.ACT:  # an intent that lost a race, or waits for room
                    return Advance(finished=False, jobs=jobs, report=self._report)

    def wind_up(self) -> Advance:
        """Cancel what is out, collect what is done, submit nothing more."""
        desk = self._desk
        for one in self._desks.values():
            mine = [job for job in self._jobs() if job.account == one.provider.account]
            waiting = [job for job in mine if job.cancel_requested_at is None]
            closer = Closer(one.ledger, one.provider, policy=one.policy, now=one.now())
            left = close_jobs(closer, waiting, closing=Closing.CANCELLED)
            if one is desk:
                raise_first(left)
        self._look()
        settle_intents(desk, [job for job in self._jobs() if job.cancel_requested_at is not None])
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
                first_shard=work.first_shard,
                since=desk.sought_since,
                now=desk.now(),
            )
            desk.ledger.add_jobs(list(lost))

    def _jobs(self) -> Sequence[BatchJob]:
        return [job for job in self._desk.ledger.stage_jobs(self._work.stage) if self._work.own(job)]

    def _current(self, jobs: Sequence[BatchJob]) -> list[BatchJob]:
        wanted = [job for job in jobs if not job.is_unwanted]
        return [job for job in wanted if job.round >= self._work.first_round or job.state in OPEN]

    def _last_round(self, jobs: Sequence[BatchJob]) -> int:
        return max(job.round for job in jobs)

    def _step(self, jobs: Sequence[BatchJob]) -> StageStep:
        current = self._current(jobs)
        used = max(0, 1 + self._last_round(current) - self._work.first_round) if current else 0
        return step_of_stage(
            current,
            unfinished=sum(_may_go_out_again(job) for job in current),
            rounds_left=self._desk.policy.max_rounds - used,
            now=self._desk.now(),
            policy=self._desk.policy,
        )

    def _begin(self) -> bool:
        """Record the first round that counts, unless there is one, or something earlier is out again."""
        if self._current(self._jobs()):
            return False
        return self._submit_round(self._work.first_round, anew=self._work.first_round > 0)

    def _settle(self) -> None:
        """Take intents on; an account that is at fault, or away, keeps them waiting where others are out already."""
        self._settle_former()
        try:
            settle_intents(self._desk, self._jobs())
        except BatchCallError as error:
            if error.fault not in _PAUSES or not any(job.provider_id for job in self._current(self._jobs())):
                raise
            self._report_fault(error)
            for job in self._jobs():
                if job.is_unsent:
                    self._leave_alone(job, error)

    def _settle_former(self) -> None:
        """Search former accounts for creations that nobody settled; what is not there goes out under our key."""
        here = self._desk
        for desk in self._former:
            with suppress(BatchCallError):  # such as of a key that is revoked
                look_for_intents(desk, self._jobs())
        for job in self._jobs():
            if job.state is not JobState.INTENT or self._desks.get(job.account, here) is here:
                continue
            match step_of_intent(job, now=here.now(), policy=here.policy):
                case IntentStep.CREATE:
                    self._bring_over(job)
                case IntentStep.DROP:
                    here.ledger.change_job(job, to=JobState.CANCELLED)
                case IntentStep.WAIT | IntentStep.LOOK:
                    pass

    def _bring_over(self, job: BatchJob) -> None:
        """Let a file that is known not to be out under a former key go out under the present one."""
        provider = self._desk.provider
        self._desk.ledger.change_job(
            job,
            account=provider.account,
            base_url=provider.base_url,
            input_file_id=None,
            create_started_at=None,
            empty_lists=0,
            listed_at=None,
        )

    def _find_again(self) -> None:
        """Ask for what was lost once more, as long as nothing was sent in its place: it may have turned up."""
        jobs = self._jobs()
        for job in jobs:
            known = job.state is JobState.LOST and job.error_code == RESULT_LOST and job.provider_id is not None
            if known and not is_replaced(job, jobs) and job.account in self._desks:
                ended = self._desk.ledger.change_job(job, to=JobState.ENDED, ended_at=job.ended_at, waits_until=None)
                if ended is not None:
                    self._collect_job(ended)

    def _revive(self) -> None:
        """Let what was refused without having been sent go out again, now that a person has come back to it."""
        desk = self._desk
        jobs = self._current(self._jobs())
        sent = {job.base_url for job in jobs if job.provider_id is not None or job.is_ambiguous}
        for job in jobs:
            if job.state is JobState.FAILED and job.provider_id is None and not is_written_off(job):
                now = desk.now()
                follower = again(job, ledger_id=desk.ledger_id, now=now, waits_until=now)
                here = replace(follower, account=desk.provider.account, base_url=desk.provider.base_url)
                desk.ledger.add_jobs([here])
                desk.ledger.change_job(job, collected_at=now)
            elif job.is_unsent:
                self._bring_here(job, sent)

    def _bring_here(self, job: BatchJob, sent: Container[str]) -> None:
        """Let a file that was never sent go out now, and under the key and to the address that there are now.

        Args:
            job: the intent.
            sent: addresses that have batches of the stage: answers of two servers are not mixed.
        """
        desk = self._desk
        if job.account == desk.provider.account:
            desk.ledger.change_job(job, waits_until=None)
        elif job.base_url == desk.provider.base_url or not sent:
            desk.ledger.change_job(
                job,
                account=desk.provider.account,
                base_url=desk.provider.base_url,
                input_file_id=None,
                waits_until=None,
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
            recorded = record_round(
                self._desk, parcels, folder=self._folder, pay=pay, first_shard=self._work.first_shard
            )
            return bool(recorded)

    def _look(self) -> None:
        self._look_at_former()
        desk = self._desk
        mine = [job for job in self._jobs() if job.account == desk.provider.account and job.state in OPEN]
        left_s = RESTS.left_s(desk.provider.account)
        if left_s > 0:
            self._report.retry_after_s = left_s
        if self._report.failed or left_s > 0:
            return  # it was asked a moment ago, or wishes to be left alone
        self._report = poll_account(desk.ledger, desk.provider, mine, policy=desk.policy, now=desk.now())
        RESTS.ask(desk.provider.account, self._report.retry_after_s)

    def _look_at_former(self) -> None:
        """Poll what lies under former keys; what goes wrong with one keeps nothing else waiting."""
        for desk in self._former:
            theirs = [job for job in self._jobs() if job.account == desk.provider.account and job.state in OPEN]
            if theirs and RESTS.left_s(desk.provider.account) <= 0:
                report = poll_account(desk.ledger, desk.provider, theirs, policy=desk.policy, now=desk.now())
                RESTS.ask(desk.provider.account, report.retry_after_s)

    def _collect(self) -> None:
        for job in self._current(self._jobs()):  # what was asked before a start over would mix with what is asked now
            match job.state:
                case JobState.ENDED if job.account in self._desks and self._may_move(job):
                    self._collect_job(job)
                case JobState.FAILED if not is_written_off(job):
                    refused = refused_file(job.error_code, job.error_message)
                    write_off(self._desk, job, self._work.handling, refused, folder=self._folder)
                case JobState.INTENT if job.is_ambiguous and self._is_given_up(job):
                    unknown = lost_result("nobody knows whether its batch was created")
                    write_off(self._desk, job, self._work.handling, unknown, folder=self._folder, to=JobState.LOST)
                case _:
                    pass

    def _may_move(self, job: BatchJob) -> bool:
        return can_move(job, now=self._desk.now(), policy=self._desk.policy)

    def _is_given_up(self, job: BatchJob) -> bool:
        """Tell whether a creation that nobody can settle is to be called lost: a person says so, or its window is over.

        It is one that was made under a key that is not here any more, or that lists can neither show nor exclude.
        """
        desk = self._desk
        now = desk.provider.now() or desk.now()
        looked_for = step_of_intent(job, now=desk.now(), policy=desk.policy) is IntentStep.LOOK
        if not looked_for or job.create_started_at is None:
            return False
        if now >= deadline_of(job, policy=desk.policy):
            return job.empty_lists == 0  # else lists have begun to prove that there is none
        begun = job.create_started_at
        settled = desk.policy.create_timeout_s + desk.policy.settle_s
        return self._work.resend_lost and is_over(begun, settled, now=now) and job.account not in self._desks

    def _collect_job(self, job: BatchJob) -> None:
        """Collect a job; one whose provider cannot be asked just now waits, as one that is under way would."""
        desk = self._desks[job.account]
        present, resting = desk is self._desk, RESTS.left_s(job.account) > 0
        if resting or (present and (self._halted or self._report.paused)):
            return  # the account is better left alone
        try:
            collect_job(desk, job, self._work.handling, folder=self._folder)
        except BatchCallError as error:
            if error.fault not in _PAUSES:
                raise
            if not present:  # what goes wrong with a former key keeps nothing else waiting
                self._leave_alone(job, error)
                return
            self._halted = True
            self._report_fault(error)
            for other in self._jobs():
                if other.state is JobState.ENDED and other.account == job.account:
                    self._leave_alone(other, error)

    def _report_fault(self, error: BatchCallError) -> None:
        self._report.failed = True
        self._report.retry_after_s = error.retry_after_s
        RESTS.ask(self._desk.provider.account, error.retry_after_s)
        if error.fault is CallFault.ACCOUNT:
            self._report.paused = f"{error.message}; {error.hint}"
        else:
            self._report.trouble.append(error.message)

    def _leave_alone(self, job: BatchJob, error: BatchCallError) -> None:
        leave_alone(self._desk, job, words=error.message, code=error.code, retry_after_s=error.retry_after_s)


def _may_go_out_again(job: BatchJob) -> int:
    """Count items that may be unfinished; a job that was cancelled before it went out left all of its items."""
    if job.state is JobState.CANCELLED and job.outcomes is None:
        return job.requests
    return sum(count for outcome, count in (job.outcomes or {}).items() if outcome in _MAY_GO_OUT_AGAIN)
