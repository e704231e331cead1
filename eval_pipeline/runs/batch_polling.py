"""Looks after open batches, whoever asks: the sensor for all projects, the command line for one run.

Accounts are asked one by one; jobs of an account that this installation's keys do not open are left alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from time import monotonic

from eval_pipeline.core.batches import (
    OPEN,
    BatchCallError,
    BatchJob,
    BatchPolicy,
    JobState,
    can_move,
    deadline_of,
    expiry_words,
    wants_a_run,
)
from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.lost import look_for_lost
from eval_pipeline.dispatch.poll import PollReport, poll_account
from eval_pipeline.dispatch.rests import RESTS
from eval_pipeline.dispatch.search import MOST_LIST_CALLS, began, is_batch_of, tell_apart
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.runs.accounts import open_accounts
from eval_pipeline.runs.rounds import WHOLE, reopen_rounds
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.endpoint import Endpoint

MOST_FOREIGN_LOOKUPS = 5
ACCOUNT_S = 15.0
"""So long one account may take in a look at many."""
_turns = count()
"""Nothing is written to jobs under another key, nor of accounts: this process remembers whose turn it is."""


@dataclass(slots=True)
class Polled:
    """What was seen of all accounts."""

    jobs: int = 0
    calls: int = 0
    ended: int = 0
    ready: list[StageRef] = field(default_factory=list)
    """Stages that a run can take on now."""
    alerts: dict[StageRef, str] = field(default_factory=dict)
    """What a person should do, by stage."""
    notes: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    """Accounts that answer: no run is started for what another one has to say."""
    clocks: dict[str, datetime] = field(default_factory=dict)
    """What the providers' clocks say, by account."""

    def alert(self, stage: StageRef, words: str) -> None:
        """Add what a person should do about a stage."""
        told = self.alerts.get(stage)
        if told is None or words not in told:
            self.alerts[stage] = words if told is None else f"{told}; {words}"

    def sentence(self) -> str:
        """Say in words what was seen."""
        words = (
            f"{counted(self.jobs, 'open batch')}, {counted(self.calls, 'call')}, {self.ended:,} ended, "
            f"{counted(len(self.ready), 'stage')} ready"
        )
        return "; ".join([words, *dict.fromkeys(self.alerts.values()), *self.notes])


def poll_jobs(deployment: Deployment, jobs: Sequence[BatchJob], *, time_left: Callable[[], float]) -> Polled:
    """Ask the providers about open jobs, write down what they say, and tell which stages can go on.

    Another account is the first at every look, and each has a budget of time: one that hangs keeps nobody else waiting
    for long. What goes wrong with one is told of its stages alone.

    Args:
        deployment: where the jobs are.
        jobs: open ones, of any project, and lost ones that are to be looked for again.
        time_left: seconds until the poll must end; accounts that are not reached then have their turn next time.
    """
    polled = Polled(jobs=sum(job.state in OPEN for job in jobs))
    accounts = list(by_account(jobs).items())
    first = next(_turns) % max(len(accounts), 1)
    for (name, project), mine in [*accounts[first:], *accounts[:first]]:
        if time_left() <= 0:
            polled.notes.append(f"project {project} has its turn at the next look")
            continue
        try:
            _poll_endpoint(deployment, name, project, mine, polled=polled, time_left=time_left)
        except EvalPipelineError as error:
            _alert(polled, mine, f"project {project}: {error.message}; {error.hint}")
    now = utc_now()
    policies = {job.stage: models.batch_policy(deployment.settings, protocol=job.protocol) for job in jobs}
    for stage, policy in policies.items():
        _judge_stage(deployment, stage, policy, now=now, polled=polled)
    return polled


def _judge_stage(
    deployment: Deployment, stage: StageRef, policy: BatchPolicy, *, now: datetime, polled: Polled
) -> None:
    """Tell whether a run can take a stage on, and what a person should know of it."""
    fresh = [job for job in deployment.ledger.stage_jobs(stage) if job.state in OPEN and not job.is_unwanted]
    movable = any(can_move(job, now=now, policy=policy) and job.account in polled.reached for job in fresh)
    if movable and wants_a_run(fresh, now=now, policy=policy):
        polled.ready.append(stage)
    overdue = [job for job in fresh if job.state is JobState.SUBMITTED and now > deadline_of(job, policy=policy)]
    if overdue:
        polled.alert(stage, f"{stage}: batch {overdue[0].provider_id} is open for longer than its window")
    waiting = next((job for job in fresh if job.error_message and (job.waits_until or job.unseen_since)), None)
    if waiting is not None:
        polled.notes.append(f"{stage} {waiting.name}: {waiting.error_message}")
    clocks = (polled.clocks[job.account] for job in fresh if job.account in polled.clocks)
    expiring = expiry_words(fresh, now=next(clocks, now), policy=policy)
    if expiring is not None:
        polled.alert(stage, f"{stage}: {expiring}")


def by_account(jobs: Iterable[BatchJob]) -> dict[tuple[str, str], list[BatchJob]]:
    """Group jobs by endpoint and project: whose keys open their account."""
    grouped: dict[tuple[str, str], list[BatchJob]] = defaultdict(list)
    for job in jobs:
        grouped[job.provider, job.stage.key.project].append(job)
    return grouped


def _poll_endpoint(
    deployment: Deployment,
    name: str,
    project: str,
    jobs: Sequence[BatchJob],
    *,
    polled: Polled,
    time_left: Callable[[], float],
) -> None:
    settings = deployment.settings
    endpoint = deployment.endpoints(project).find(name)
    left = [job for job in jobs if job.state in OPEN]
    with open_accounts(endpoint, settings=settings, to_look=True) as accounts:
        known = {provider.account for provider in accounts[1:]}
        for provider in accounts:
            if time_left() <= 0:
                return
            if (left_s := RESTS.left_s(provider.account)) > 0:
                _leave_alone(polled, left, project=project, account=provider.account, left_s=left_s)
                left = [job for job in left if provider is not accounts[0] and job.account != provider.account]
                continue
            mine = [job for job in left if job.account == provider.account]
            present = provider is accounts[0]
            foreign = [job for job in left if job not in mine and (present or job.account not in known)]
            mine += _claim_foreign(deployment, provider, foreign, endpoint=endpoint, polled=polled, present=present)
            left = [job for job in left if job.id not in {one.id for one in mine}]
            _poll(deployment, provider, endpoint, [*mine, *_lost(jobs)], polled=polled, time_left=time_left)
        if left:
            _alert_foreign(left, endpoint=endpoint, polled=polled)


def _lost(jobs: Iterable[BatchJob]) -> list[BatchJob]:
    return [job for job in jobs if job.state is JobState.LOST]


def _poll(
    deployment: Deployment,
    provider: BatchProvider,
    endpoint: Endpoint,
    jobs: Sequence[BatchJob],
    *,
    polled: Polled,
    time_left: Callable[[], float],
) -> None:
    """Look after the jobs of one account: those that are open, and the lost ones among them that are its own."""
    account, began_s = provider.account, monotonic()
    policy = models.batch_policy(deployment.settings, protocol=endpoint.protocol)
    end_s = began_s + min(ACCOUNT_S, time_left())
    mine = [job for job in jobs if job.state in OPEN]
    report = poll_account(
        deployment.ledger, provider, mine, policy=policy, now=utc_now(), time_left=lambda: end_s - monotonic()
    )
    _tell(polled, mine, report)
    if report.provider_now is not None:
        polled.clocks[account] = report.provider_now
    if not report.failed and end_s > monotonic():
        _look_for_lost(deployment, provider, jobs, policy=policy, polled=polled)
    if not report.failed:
        polled.reached.add(account)
        RESTS.note_success(account)
        return
    took_s = monotonic() - began_s
    RESTS.note_failure(account, took_s=took_s, poll_s=policy.poll_s, words=report.paused)
    RESTS.ask(account, report.retry_after_s)


def _look_for_lost(
    deployment: Deployment, provider: BatchProvider, jobs: Iterable[BatchJob], *, policy: BatchPolicy, polled: Polled
) -> None:
    """Take back what was called lost and is there again; the rounds that it belongs to count again."""
    lost = [job for job in jobs if job.state is JobState.LOST and job.account == provider.account]
    try:
        found = look_for_lost(deployment.ledger, provider, lost, policy=policy, now=utc_now())
    except BatchCallError as error:  # asked again at the next look
        polled.notes.append(error.message)
        return
    for job in found:
        for share in (WHOLE, job.provider):
            reopen_rounds(deployment.objects, job.stage, first=job.round, share=share)
        polled.notes.append(f"{job.stage} {job.name} was called lost and turned up ({job.provider_id})")


def _leave_alone(polled: Polled, jobs: Sequence[BatchJob], *, project: str, account: str, left_s: float) -> None:
    """Ask an account nothing for a while; what a person was told about it stands."""
    cut, words = RESTS.cut_words(account), RESTS.words(account)
    polled.notes.append(f"project {project} is left alone for another {left_s:,.0f} s" + (f": {cut}" if cut else ""))
    if words is not None:
        _alert(polled, jobs, f"paused: {words}")


def _tell(polled: Polled, jobs: Sequence[BatchJob], report: PollReport) -> None:
    polled.calls += report.calls
    polled.ended += report.ended
    polled.notes += [*report.trouble, *report.warnings]
    if report.paused is not None:
        _alert(polled, jobs, f"paused: {report.paused}")


def _alert(polled: Polled, jobs: Iterable[BatchJob], words: str) -> None:
    for stage in dict.fromkeys(job.stage for job in jobs):
        polled.alert(stage, words)


def _claim_foreign(
    deployment: Deployment,
    provider: BatchProvider,
    jobs: Sequence[BatchJob],
    *,
    endpoint: Endpoint,
    polled: Polled,
    present: bool,
) -> list[BatchJob]:
    """Take over jobs of the same account under a rotated key: the provider shows what they left there.

    That it shows nothing proves nothing: then they are left alone, and a person is told.

    Args:
        deployment: where the jobs are.
        provider: an account of the endpoint.
        jobs: that were submitted under other keys.
        endpoint: whose key it is.
        polled: what is told.
        present: whether it is the key that is used now; what was never sent goes out under no other.
    """
    claimed: list[BatchJob] = []
    first = next(_turns) * MOST_FOREIGN_LOOKUPS % max(len(jobs), 1)
    for job in [*jobs[first:], *jobs[:first]][:MOST_FOREIGN_LOOKUPS]:
        if job.is_unsent:
            if job.base_url != provider.base_url or not present:
                continue
            moved = deployment.ledger.change_job(job, account=provider.account, input_file_id=None)
        else:
            polled.calls += 1
            if not _is_ours(deployment, provider, job, endpoint=endpoint):
                continue
            moved = deployment.ledger.change_job(job, account=provider.account, base_url=provider.base_url)
        claimed += [] if moved is None else [moved]
    return claimed


def _alert_foreign(jobs: Sequence[BatchJob], *, endpoint: Endpoint, polled: Polled) -> None:
    words = (
        f"{counted(len(jobs), 'batch', verb=('was', 'were'))} submitted with another key or to another address "
        f"({jobs[0].base_url}), and left alone: give "
        f"{endpoint.key.words} and {endpoint.url_words} of that account back, or name that key "
        "among the former ones"
    )
    if any(job.is_ambiguous for job in jobs):
        words += "; if that key is gone for good: run retry --resend-lost sends again what may have been created"
    _alert(polled, jobs, words)


def take_over_rotated(
    deployment: Deployment, accounts: Sequence[BatchProvider], jobs: Sequence[BatchJob], *, endpoint: Endpoint
) -> list[BatchJob]:
    """Return all of these jobs, those among them that an account shows under another key as that account's."""
    moved: dict[int, BatchJob] = {}
    for provider in accounts:
        known = {provider.account} if provider is accounts[0] else {account.account for account in accounts}
        others = [job for job in jobs if job.account not in known and job.id not in moved]
        claimed = _claim_foreign(
            deployment, provider, others, endpoint=endpoint, polled=Polled(), present=provider is accounts[0]
        )
        moved |= {job.id: job for job in claimed}
    return [moved.get(job.id, job) for job in jobs]


def _is_ours(deployment: Deployment, provider: BatchProvider, job: BatchJob, *, endpoint: Endpoint) -> bool:
    """Tell whether a job's account is the one that this key opens: it has the job's batch, or its request file."""
    try:
        if job.provider_id is not None:
            return is_batch_of(provider.find(job.provider_id), job)
        if job.input_file_id is not None and provider.knows_file(job.input_file_id):
            return True
        listing = provider.list(since=began([job]), most_calls=MOST_LIST_CALLS)
        policy = models.batch_policy(deployment.settings, protocol=endpoint.protocol)
        told = tell_apart(deployment.ledger, provider, [job], listing=listing, policy=policy)
        return any(is_batch_of(batch, job) for batch in told.batches)
    except BatchCallError:
        return False


def poll_run(deployment: Deployment, *, flow: Flow, key: RunKey, time_s: float = 45.0) -> Polled:
    """Look after the batches of one run."""
    jobs = [job for job in deployment.ledger.run_jobs(flow=flow, key=key) if job.state in OPEN]
    return poll_jobs(deployment, jobs, time_left=_until(time_s))


def _until(time_s: float) -> Callable[[], float]:
    end_s = monotonic() + time_s
    return lambda: end_s - monotonic()
