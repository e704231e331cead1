"""The life of a batch job in our own words, and what to do next: pure decisions over jobs, provider states and time.

    intent → submitted → ended → collected
       └──────────┴────────┴───→ failed | superseded | lost | cancelled
                              ←─── lost, when its batch or its results turn up after all

Sensors, assets and the command line only carry out what is decided here.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import assert_never

from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.outcomes import Attempt
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.secrets import holds_secret, redact_fields
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.values import value


class JobState(StrEnum):
    """Where a job stands; the last five are final."""

    INTENT = "intent"
    SUBMITTED = "submitted"
    ENDED = "ended"
    COLLECTED = "collected"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    LOST = "lost"
    CANCELLED = "cancelled"


OPEN = frozenset({JobState.INTENT, JobState.SUBMITTED, JobState.ENDED})
FINAL = frozenset(JobState) - OPEN
_WAYS: dict[JobState, frozenset[JobState]] = {
    JobState.INTENT: frozenset(
        {JobState.SUBMITTED, JobState.FAILED, JobState.SUPERSEDED, JobState.LOST, JobState.CANCELLED}
    ),
    JobState.SUBMITTED: frozenset({JobState.ENDED, JobState.LOST, JobState.CANCELLED}),
    JobState.ENDED: frozenset({JobState.COLLECTED, JobState.FAILED, JobState.LOST, JobState.CANCELLED}),
    JobState.LOST: frozenset({JobState.SUBMITTED, JobState.ENDED, JobState.CANCELLED}),
}


def may_become(before: JobState, after: JobState) -> bool:
    """Tell whether the life of a job leads from one state to the other in one step."""
    return after in _WAYS.get(before, frozenset())


UNWANTED = "its results are not wanted any more; if its batch turns up, it is cancelled"
"""Noted of a job whose creation nobody could settle when it was to be closed."""


class Phase(StrEnum):
    """What a provider says of a batch, translated; ``unknown`` is a word that this version does not know."""

    WORKING = "working"
    FINALIZING = "finalizing"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"


class CallFault(StrEnum):
    """Why a call about files or batches brought nothing, as far as that matters for what may be done next."""

    ACCOUNT = "account"
    """401, 403, no credit: a person must act; nothing was done."""
    BUSY = "busy"
    """429: no room in the queue; nothing was done, later it may be."""
    REFUSED = "refused"
    """Any other answer of 400 to 499: nothing was done and asking again will not help."""
    GONE = "gone"
    """404."""
    UNSUPPORTED = "unsupported"
    """There are no batches at this address: nothing was done, here or ever."""
    UNREACHABLE = "unreachable"
    """No connection came about: nothing was done."""
    AMBIGUOUS = "ambiguous"
    """The answer was lost or a 5xx: it may have been done."""


class BatchCallError(UnavailableError):
    """A call about files or batches that brought nothing."""

    def __init__(
        self,
        message: str,
        *,
        fault: CallFault,
        hint: str,
        retry_after_s: float | None = None,
        about_file: bool = False,
    ) -> None:
        super().__init__(message, code=f"provider_{fault}", hint=hint)
        self.fault = fault
        self.retry_after_s = retry_after_s
        self.about_file = about_file
        """Whether it speaks of a file, which a provider may not find yet that took it a moment ago."""


RESULT_VARIABLE = "EVAL_BATCH_MAX_RESULT_BYTES"
MOST_RESULT_BYTES = 5_000_000_000


class ResultTooLargeError(BatchCallError):
    """A file of results that was broken off: what it holds was paid for, and lies at the provider."""

    def __init__(self, file_id: str, *, most_bytes: int) -> None:
        super().__init__(
            f"its result file {file_id} has more than {most_bytes:,} bytes ({RESULT_VARIABLE}) and was broken off",
            fault=CallFault.REFUSED,
            hint=f"with a larger {RESULT_VARIABLE}, eval-pipeline run retry collects it for nothing",
        )


@dataclass(frozen=True, slots=True)
class LineError:
    """One reason for which a provider did not take a batch; ``line`` counts from 1."""

    code: str
    message: str
    line: int | None = None

    def __post_init__(self) -> None:
        redact_fields(self, "code", "message")


@dataclass(frozen=True, slots=True)
class ProviderBatch:
    """A batch as its provider describes it."""

    id: str
    phase: Phase
    status: str
    """The provider's own word."""
    key: str | None
    """The submission key that the batch carries; None for batches of others."""
    created_at: datetime | None
    named: bool = False
    """Whether it carries any name or metadata: without a key of ours in them, it is somebody else's."""
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    total: int | None = None
    completed: int | None = None
    failed: int | None = None
    errors: tuple[LineError, ...] = ()
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        redact_fields(self, "status")

    @property
    def repeats_secret(self) -> bool:
        """Whether one of its names holds a key of ours, so that it can neither be kept nor shown."""
        names = (self.id, self.input_file_id, self.output_file_id, self.error_file_id)
        return any(name is not None and holds_secret(name) for name in names)


@value
class ResultLine:
    """One line of a result file: whose it is (None: it cannot be read), what it amounts to, and what came with it."""

    custom_id: str | None
    attempt: Attempt
    payload: object = None


@dataclass(frozen=True, slots=True)
class BatchListing:
    """The newest batches of an account."""

    batches: tuple[ProviderBatch, ...]
    whole: bool
    """Whether it reaches back as far as was asked."""
    calls: int
    provider_now: datetime | None
    """The provider's clock, which does not jump when ours does."""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One row of the ledger's ``batch_jobs``: one request file, submitted at most once."""

    id: int
    stage: StageRef
    """The stage that collects: ``responses``, ``embeddings``."""
    round: int
    shard: int
    attempt: int
    """Rises when the same file is submitted again after the provider had no room for it."""
    submission_key: str
    fingerprint: str
    """sha256 of the request file."""
    provider: str
    """Name of the endpoint."""
    protocol: ApiProtocol
    """That it spoke when the job was recorded: whose sensor looks after it."""
    account: str
    """Digest of base URL and key; never the key."""
    base_url: str
    model: str
    endpoint: str
    requests: int
    size_bytes: int
    state: JobState
    created_at: datetime
    updated_at: datetime
    version: int = 0
    """Rises with every change: what a change compares."""
    token: int = 0
    """Fencing token of the lease under which it was written last."""
    create_started_at: datetime | None = None
    """Set before the provider is asked to create it, by its clock where that is known; an intent with it and without
    an id is ambiguous."""
    sought_since: datetime | None = None
    """Set where a ledger that was lost may have submitted it: since when. An intent with it and without an id is looked
    for before it is created."""
    waits_until: datetime | None = None
    empty_lists: int = 0
    listed_at: datetime | None = None
    provider_id: str | None = None
    provider_status: str | None = None
    provider_created_at: datetime | None = None
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    total: int | None = None
    completed: int | None = None
    failed: int | None = None
    looks_without_files: int = 0
    unseen_since: datetime | None = None
    """Since when, by the provider's clock, it does not show what it should: an intent's file, a batch, its results."""
    looked_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancelled_by_us: bool = False
    ended_at: datetime | None = None
    collected_at: datetime | None = None
    outcomes: dict[str, int] | None = None
    """Items by what became of them, once collected; they add up to ``requests``."""
    anomalies: tuple[str, ...] = ()
    error_code: str | None = None
    error_message: str | None = None

    @property
    def name(self) -> str:
        """Names the job's files: sorts in the order of submission."""
        return f"r{self.round:02d}-s{self.shard:04d}-a{self.attempt:02d}"

    @property
    def is_ambiguous(self) -> bool:
        """Whether nobody knows if its batch was created."""
        sought = self.sought_since is not None and self.empty_lists < EMPTY_LISTS
        return self.state is JobState.INTENT and (sought or self.create_started_at is not None)

    @property
    def is_unwanted(self) -> bool:
        """Whether nobody wants its results any more, though its batch may still turn up."""
        return UNWANTED in self.anomalies

    @property
    def is_unsent(self) -> bool:
        """Whether it is known that nobody has begun to create its batch."""
        return self.state is JobState.INTENT and not self.is_ambiguous


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPolicy:
    """The patience of this installation, in seconds where not said otherwise."""

    poll_s: float = 30.0
    window_s: float
    slack_s: float = 300.0
    create_timeout_s: float = 60.0
    settle_s: float = 60.0
    cancel_grace_s: float = 900.0
    most_queue_wait_s: float = 1_800.0
    max_rounds: int = 3
    max_submissions: int = 50
    """Of one request file that the provider has no room for."""
    lost_s: float = 300.0
    """So long a batch that is not shown, or results that were paid for, are looked for before they count as lost."""
    most_file_wait_s: float = 30.0
    """So long the files of a batch that did nothing are waited for, and a result file that is not found."""
    file_new_s: float = 120.0
    """So long a provider may not find a file that it took."""
    refusal_s: float = 10.0
    """So long a creation that is refused for any other reason is tried again."""
    results_kept_s: float
    """How long the provider keeps the files of a batch; like the window, no two keep to the same."""
    expiry_warning_s: float
    """So long before results are deleted a person is told that nobody has collected them."""
    most_result_bytes: int = MOST_RESULT_BYTES
    """Of one file of results, unpacked."""
    most_line_bytes: int = 32_000_000
    """Of one line of it; the rest of a longer one is passed over."""


def submission_key(*, ledger_id: str, stage: StageRef, shard: int, round_: int, attempt: int, fingerprint: str) -> str:
    """Return the key that names one submission in the provider's metadata, here and nowhere else in the world."""
    parts = (ledger_id, stage.flow, stage.key.project, stage.key.run, stage.stage, shard, round_, attempt, fingerprint)
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()


EMPTY_LISTS = 2
"""Lists, a poll apart, without a job's key, before its batch counts as never made."""


class IntentStep(StrEnum):
    """What to do with a job that has no provider id."""

    WAIT = "wait"
    LOOK = "look"
    """Search the provider's batches for it."""
    CREATE = "create"
    DROP = "drop"
    """It was cancelled, and is known not to exist."""


def step_of_intent(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> IntentStep:
    """Decide whether a batch may be created: never while one with the same key may exist.

    A creation that was begun and whose answer nobody has is settled by listing; only one that is older than the create
    timeout and a settling time, and that two lists a poll apart did not show, was not made. Its age is what the
    provider's clock tells, from the creation to the last list: ours may jump. What a ledger that was lost may have
    created is looked for in the same way; its process has ended, so that there is nothing to be patient about.
    """
    cancelled = job.cancel_requested_at is not None
    if job.create_started_at is None:
        if job.sought_since is not None and job.empty_lists < EMPTY_LISTS:
            return IntentStep.LOOK
        if cancelled:
            return IntentStep.DROP
        return IntentStep.WAIT if _waits(job, now=now, policy=policy) else IntentStep.CREATE
    patience = timedelta(seconds=policy.create_timeout_s + policy.settle_s)
    old = job.listed_at is not None and job.listed_at - job.create_started_at >= patience
    if not old or job.empty_lists < EMPTY_LISTS:
        return IntentStep.LOOK
    return IntentStep.DROP if cancelled else IntentStep.CREATE


def may_exist_since(job: BatchJob) -> datetime:
    """Return since when a batch with the job's key may exist: lists reach back to it."""
    return job.sought_since or job.create_started_at or job.created_at


def _waits(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether it is too early; a wait longer than any that was ever ordered comes of a clock that was set back."""
    if job.waits_until is None:
        return False
    return timedelta() < job.waits_until - now <= timedelta(seconds=policy.most_queue_wait_s)


def pause_after_refusal_s(job: BatchJob, *, about_file: bool, now: datetime, policy: BatchPolicy) -> float | None:
    """Return how long to wait before a refused creation is tried once more; None: the refusal is final.

    Nothing was done by it. A file that was taken a moment ago may not be found everywhere yet.

    Args:
        job: an intent; ``unseen_since`` says when it was refused first.
        about_file: whether the provider says that its file is at fault.
        now: by the provider's clock where it is known.
        policy: our patience.
    """
    waited_s = 0.0 if job.unseen_since is None else (now - job.unseen_since).total_seconds()
    if waited_s >= (policy.file_new_s if about_file else policy.refusal_s):
        return None
    return min(max(1.0, waited_s), 30.0, max(policy.most_queue_wait_s, 0.0))


def counts_as_list(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether a list without the job's key says something new: those of an intent count a poll apart."""
    return job.listed_at is None or now - job.listed_at >= timedelta(seconds=policy.poll_s)


class Verdict(StrEnum):
    """What to do with a submitted job after a look at its provider."""

    WAIT = "wait"
    WAIT_FOR_FILES = "wait_for_files"
    CANCEL = "cancel"
    END = "end"
    LOSE = "lose"
    """It did what it was asked to, and does not say where the results are: only a person may send it again."""
    GIVE_UP = "give_up"


def verdict_of(job: BatchJob, seen: ProviderBatch, *, now: datetime, policy: BatchPolicy) -> Verdict:
    """Decide what a look at a submitted job means.

    Args:
        job: as the ledger has it.
        seen: as its provider describes it.
        now: by the provider's clock where it is known: ours may jump.
        policy: our patience.
    """
    match seen.phase:
        case Phase.FAILED:
            return Verdict.END
        case Phase.COMPLETED | Phase.EXPIRED | Phase.CANCELLED:
            return _without_files(job, seen, now=now, policy=policy) if lacks_files(seen) else Verdict.END
        case Phase.WORKING | Phase.FINALIZING | Phase.CANCELLING | Phase.UNKNOWN:
            return _while_open(job, seen, now=now, policy=policy)
        case _:
            assert_never(seen.phase)


_LONGEST_UNTIL_ANOTHER_LOOK = timedelta(hours=6)


def look_again_at(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> datetime | None:
    """Return when to look once more for what is called lost: each time as long again as it has been so already.

    None once its provider keeps no results any more.

    Args:
        job: that is, or is about to be, called lost; ``collected_at`` says since when.
        now: by our clock, which the next look is measured by, too.
        policy: our patience.
    """
    made = job.provider_created_at or job.create_started_at or job.created_at
    if now - made >= timedelta(seconds=policy.window_s + policy.results_kept_s):
        return None
    lost_for = now - (job.collected_at or now)
    return now + min(max(lost_for, timedelta(seconds=max(policy.lost_s, policy.poll_s))), _LONGEST_UNTIL_ANOTHER_LOOK)


def is_replaced(job: BatchJob, of_stage: Iterable[BatchJob]) -> bool:
    """Tell whether a job's items went out again since: what turns up of it then would be paid, and counted, twice."""
    return job.is_unwanted or any(other.round > job.round for other in of_stage)


def lacks_files(seen: ProviderBatch) -> bool:
    """Tell whether a batch that has ended should name results that it does not name yet."""
    if seen.output_file_id:
        return False
    return bool(seen.completed) or (seen.phase is Phase.COMPLETED and not seen.error_file_id)


def was_paid_for(seen: ProviderBatch) -> bool:
    """Tell whether a batch may have done any request; without counts, one that completed did."""
    return bool(seen.completed) or (seen.completed is None and seen.phase is Phase.COMPLETED)


def _without_files(job: BatchJob, seen: ProviderBatch, *, now: datetime, policy: BatchPolicy) -> Verdict:
    paid = was_paid_for(seen)
    patience_s = policy.lost_s if paid else file_patience_s(policy)
    if job.looks_without_files == 0 or not is_over(job.unseen_since, patience_s, now=now):
        return Verdict.WAIT_FOR_FILES
    return Verdict.LOSE if paid else Verdict.END


def file_patience_s(policy: BatchPolicy) -> float:
    """Return how long a file is waited for that is worth nothing, or that was named and is not found."""
    return min(policy.lost_s, policy.most_file_wait_s)


def is_over(since: datetime | None, patience_s: float, *, now: datetime) -> bool:
    """Tell whether something has lasted for so long; what has only begun has not."""
    return since is not None and now - since >= timedelta(seconds=patience_s)


def is_gone(job: BatchJob, *, looks: int, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether a batch that its provider does not find is to be believed gone.

    Several whole lists did not show it either, for minutes; where there are no lists, only its deadline tells.

    Args:
        job: as the ledger has it.
        looks: whole lists that did not show it, this one included.
        now: by the provider's clock where it is known: ours may jump.
        policy: our patience.
    """
    if looks >= EMPTY_LISTS:
        return is_over(job.unseen_since, policy.lost_s, now=now)
    return now >= deadline_of(job, policy=policy) and is_over(job.unseen_since, policy.lost_s, now=now)


def _while_open(job: BatchJob, seen: ProviderBatch, *, now: datetime, policy: BatchPolicy) -> Verdict:
    if job.cancel_requested_at is not None:
        grace = timedelta(seconds=policy.cancel_grace_s)
        return Verdict.GIVE_UP if now - job.cancel_requested_at >= grace else Verdict.WAIT
    if seen.phase is Phase.CANCELLING:
        return Verdict.WAIT
    return Verdict.CANCEL if now >= deadline_of(job, seen=seen, policy=policy) else Verdict.WAIT


def deadline_of(job: BatchJob, *, policy: BatchPolicy, seen: ProviderBatch | None = None) -> datetime:
    """Return when a job is overdue: the window after its creation by the provider's clock, and some slack."""
    created = (seen.created_at if seen else None) or job.provider_created_at or job.create_started_at or job.created_at
    return created + timedelta(seconds=policy.window_s + policy.slack_s)


def results_deleted_at(job: BatchJob, *, policy: BatchPolicy) -> datetime | None:
    """Return when the provider deletes what a job brought, or may have brought; None when there is nothing to lose.

    A batch that nobody could ask about any more may have ended as soon as it was created.
    """
    kept = timedelta(seconds=policy.results_kept_s)
    if job.state is JobState.ENDED and job.ended_at is not None and (job.output_file_id or job.error_file_id):
        return job.ended_at + kept
    if job.state is JobState.SUBMITTED:
        return (job.provider_created_at or job.create_started_at or job.created_at) + kept
    return None


def expiry_words(jobs: Iterable[BatchJob], *, now: datetime, policy: BatchPolicy) -> str | None:
    """Say when the first results that nobody has collected are deleted; None while that is far off.

    Args:
        jobs: of one stage.
        now: by the provider's clock where it is known: ours may jump.
        policy: how long results are kept, and when to warn.
    """
    dated = [(moment, job) for job in jobs if (moment := results_deleted_at(job, policy=policy)) is not None]
    moment, job = min(dated, key=lambda pair: pair[0], default=(None, None))
    if moment is None or job is None or moment - now >= timedelta(seconds=policy.expiry_warning_s):
        return None
    days = (moment - now) // timedelta(days=1)
    when = f"expire in {counted(days, 'day')}, on" if days >= 0 else "may be deleted at the provider since"
    return f"the results of batch {job.provider_id} are not collected and {when} {moment:%Y-%m-%d %H:%M} UTC"


def trouble_words(job: BatchJob) -> Iterator[str]:
    """Say what a person should know of a job: what should not have happened, why it waits, what it failed with."""
    told = f" ({job.error_message})" if job.error_message else ""
    if job.error_message and job.state in OPEN | {JobState.LOST}:
        yield f"{job.name}: {job.error_message}"
        told = ""
    elif job.state is JobState.FAILED and job.provider_id is None:
        yield f"{job.name}: nothing of it was sent{told}"
    yield from (f"{job.name}: {words}" for words in job.anomalies)


NOT_SENT = "not sent yet"


def submitted_words(jobs: Collection[BatchJob]) -> str:
    """Say what was submitted of a stage, as the ledger has it: what was wished and never sent is told apart."""
    sent = [job for job in jobs if job.provider_id is not None]
    unsent = [job for job in jobs if job.state is JobState.INTENT]
    refused = [job for job in jobs if job.provider_id is None and job.state is JobState.FAILED]
    words = [f"{counted(_requests(sent), 'request')} in {counted(len(sent), 'batch')}"] if sent else []
    if unsent:
        words.append(f"{counted(_requests(unsent), 'request', verb=('is', 'are'))} {NOT_SENT}{_why(unsent)}")
    if refused and not (unsent or sent):
        words.append(f"nothing was sent{_why(refused)}")
    return "; ".join(words) or "nothing is left to ask"


def _requests(jobs: Iterable[BatchJob]) -> int:
    return sum(job.requests for job in jobs)


def _why(jobs: Iterable[BatchJob]) -> str:
    reason = next((job.error_message for job in jobs if job.error_message), None)
    return "" if reason is None else f": {reason}"


def queue_wait_s(job: BatchJob, *, policy: BatchPolicy) -> float:
    """Return how long to wait for room in the provider's queue before the file is submitted once more."""
    return min(policy.poll_s * 2.0 ** min(job.attempt, 16), policy.most_queue_wait_s)


QUEUE_FULL = frozenset({"token_limit_exceeded", "rate_limit_exceeded", "resource_exhausted", "too_many_batches"})
"""Codes of a batch that failed for want of room; nothing of it was done."""


class Refusal(StrEnum):
    """What a batch that failed as a whole means for its items, none of which was done."""

    NO_ROOM = "no_room"
    """The same file goes out again once there is room."""
    LINES = "lines"
    """The lines that are named fail; the others go out again."""
    ALL = "all"
    """Every item fails."""
    UNEXPLAINED = "unexplained"
    """Every item goes out again, in a bounded number of rounds."""


def refusal_of(errors: Collection[LineError]) -> Refusal:
    """Classify why a provider failed a whole batch."""
    if any(error.code.lower() in QUEUE_FULL for error in errors):
        return Refusal.NO_ROOM
    if not errors or all(error.code == "server_error" for error in errors):
        return Refusal.UNEXPLAINED
    return Refusal.LINES if any(error.line is not None for error in errors) else Refusal.ALL


class StageStep(StrEnum):
    """What a stage that works by batches should do next."""

    SUBMIT_FIRST = "submit_first"
    WAIT = "wait"
    ACT = "act"
    """Some job can be taken a step on: an intent is to be settled, or results are to be collected."""
    SUBMIT_ROUND = "submit_round"
    FINISH = "finish"


def step_of_stage(
    jobs: Iterable[BatchJob],
    *,
    unfinished: int,
    rounds_left: int,
    now: datetime,
    policy: BatchPolicy,
) -> StageStep:
    """Decide what a stage does next.

    Args:
        jobs: all of the stage.
        unfinished: items that may go out again.
        rounds_left: follow-up rounds that may still be submitted.
        now: the present.
        policy: our patience.
    """
    known = list(jobs)
    if not known:
        return StageStep.SUBMIT_FIRST
    if any(can_move(job, now=now, policy=policy) for job in known):
        return StageStep.ACT
    if any(job.state in OPEN for job in known):
        return StageStep.WAIT
    return StageStep.SUBMIT_ROUND if unfinished and rounds_left > 0 else StageStep.FINISH


_STEPS_OF_RUNS = frozenset({IntentStep.CREATE, IntentStep.DROP})


def can_move(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether a run can take the job a step on now."""
    if job.state is JobState.ENDED:
        return not _waits(job, now=now, policy=policy)
    return job.state is JobState.INTENT and step_of_intent(job, now=now, policy=policy) in _STEPS_OF_RUNS


def wants_a_run(jobs: Collection[BatchJob], *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether a run is worth starting: an intent may be created, or nothing is out any more and all is to be read.

    Results of one shard wait for those of the others: a run for each would cost more than it brings.
    """
    intents = [job for job in jobs if job.state is JobState.INTENT]
    if any(can_move(job, now=now, policy=policy) for job in intents):
        return True
    at_provider = any(job.state is JobState.SUBMITTED for job in jobs)
    ended = [job for job in jobs if job.state is JobState.ENDED]
    return not at_provider and not intents and any(can_move(job, now=now, policy=policy) for job in ended)


def pause_s(job: BatchJob, *, now: datetime, retry_after_s: float | None, policy: BatchPolicy) -> float:
    """Return how long to leave a job alone whose provider cannot be asked: as long again as it has been so already.

    Args:
        job: as the ledger has it; ``unseen_since`` says since when.
        now: by the provider's clock where it is known.
        retry_after_s: what the provider asked for.
        policy: our patience.
    """
    waited_s = 0.0 if job.unseen_since is None else (now - job.unseen_since).total_seconds()
    return min(max(policy.poll_s, waited_s, retry_after_s or 0.0), policy.most_queue_wait_s)
