"""The life of a batch job in our own words, and what to do next: pure decisions over jobs, provider states and time.

    intent → submitted → ended → collected
       └──────────┴────────┴───→ failed | superseded | lost | cancelled

Sensors, assets and the command line only carry out what is decided here.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple, assert_never

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.outcomes import Attempt
from eval_pipeline.core.secrets import holds_secret, redact_fields
from eval_pipeline.core.stages import StageRef


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
    JobState.INTENT: frozenset({JobState.SUBMITTED, JobState.FAILED, JobState.SUPERSEDED, JobState.CANCELLED}),
    JobState.SUBMITTED: frozenset({JobState.ENDED, JobState.LOST, JobState.CANCELLED}),
    JobState.ENDED: frozenset({JobState.COLLECTED, JobState.FAILED, JobState.LOST, JobState.CANCELLED}),
}


def may_become(before: JobState, after: JobState) -> bool:
    """Tell whether the life of a job leads from one state to the other in one step."""
    return after in _WAYS.get(before, frozenset())


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
    UNREACHABLE = "unreachable"
    """No connection came about: nothing was done."""
    AMBIGUOUS = "ambiguous"
    """The answer was lost or a 5xx: it may have been done."""


class BatchCallError(UnavailableError):
    """A call about files or batches that brought nothing."""

    def __init__(self, message: str, *, fault: CallFault, hint: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, code=f"provider_{fault}", hint=hint)
        self.fault = fault
        self.retry_after_s = retry_after_s


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


class ResultLine(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """The patience of this installation, in seconds where not said otherwise."""

    poll_s: float = 30.0
    window_s: float = 86_400.0
    slack_s: float = 300.0
    create_timeout_s: float = 60.0
    settle_s: float = 60.0
    cancel_grace_s: float = 900.0
    most_queue_wait_s: float = 1_800.0
    max_rounds: int = 3
    max_submissions: int = 50
    """Of one request file that the provider has no room for."""
    file_polls: int = 5
    """Looks at a completed batch without files before they count as missing."""
    results_kept_s: float = 30 * 86_400.0
    """How long OpenAI keeps the files of a batch that was made without ``output_expires_after``, as ours are."""
    expiry_warning_s: float = 7 * 86_400.0
    """So long before results are deleted a person is told that nobody has collected them."""


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
    """List the provider's batches for its key."""
    CREATE = "create"


def step_of_intent(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> IntentStep:
    """Decide whether a batch may be created: never while one with the same key may exist.

    A creation that was begun and whose answer nobody has is settled by listing; only one that is older than the create
    timeout and a settling time, and that two lists a poll apart did not show, was not made. Its age is what the
    provider's clock tells, from the creation to the last list: ours may jump. What a ledger that was lost may have
    created is looked for in the same way; its process has ended, so that there is nothing to be patient about.
    """
    if job.create_started_at is None:
        if job.sought_since is not None and job.empty_lists < EMPTY_LISTS:
            return IntentStep.LOOK
        return IntentStep.WAIT if _waits(job, now=now, policy=policy) else IntentStep.CREATE
    patience = timedelta(seconds=policy.create_timeout_s + policy.settle_s)
    old = job.listed_at is not None and job.listed_at - job.create_started_at >= patience
    return IntentStep.CREATE if old and job.empty_lists >= EMPTY_LISTS else IntentStep.LOOK


def may_exist_since(job: BatchJob) -> datetime:
    """Return since when a batch with the job's key may exist: lists reach back to it."""
    return job.sought_since or job.create_started_at or job.created_at


def _waits(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether it is too early; a wait longer than any that was ever ordered comes of a clock that was set back."""
    if job.waits_until is None:
        return False
    return timedelta() < job.waits_until - now <= timedelta(seconds=policy.most_queue_wait_s)


def counts_as_list(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether a list without the job's key says something new: those of an intent count a poll apart."""
    return job.listed_at is None or now - job.listed_at >= timedelta(seconds=policy.poll_s)


class Verdict(StrEnum):
    """What to do with a submitted job after a look at its provider."""

    WAIT = "wait"
    WAIT_FOR_FILES = "wait_for_files"
    CANCEL = "cancel"
    END = "end"
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
        case Phase.EXPIRED | Phase.CANCELLED | Phase.FAILED:
            return Verdict.END
        case Phase.COMPLETED:
            late = not (seen.output_file_id or seen.error_file_id) and job.looks_without_files < policy.file_polls
            return Verdict.WAIT_FOR_FILES if late else Verdict.END
        case Phase.WORKING | Phase.FINALIZING | Phase.CANCELLING | Phase.UNKNOWN:
            return _while_open(job, seen, now=now, policy=policy)
        case _:
            assert_never(seen.phase)


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
    when = f"expire in {days:,} days, on" if days >= 0 else "may be deleted at the provider since"
    return f"the results of batch {job.provider_id} are not collected and {when} {moment:%Y-%m-%d %H:%M} UTC"


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
    unfinished: int | None,
    rounds_left: int,
    now: datetime,
    policy: BatchPolicy,
) -> StageStep:
    """Decide what a stage does next.

    Args:
        jobs: all of the stage.
        unfinished: items that may go out again; None when that was not counted (no job is final yet).
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


def can_move(job: BatchJob, *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether a run can take the job a step on now."""
    if job.state is JobState.ENDED:
        return True
    return job.state is JobState.INTENT and step_of_intent(job, now=now, policy=policy) is IntentStep.CREATE


def wants_a_run(jobs: Collection[BatchJob], *, now: datetime, policy: BatchPolicy) -> bool:
    """Tell whether a run is worth starting: an intent may be created, or nothing is out any more and all is to be read.

    Results of one shard wait for those of the others: a run for each would cost more than it brings.
    """
    intents = [job for job in jobs if job.state is JobState.INTENT]
    if any(step_of_intent(job, now=now, policy=policy) is IntentStep.CREATE for job in intents):
        return True
    at_provider = any(job.state is JobState.SUBMITTED for job in jobs)
    return not at_provider and not intents and any(job.state is JobState.ENDED for job in jobs)
