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
    JobState,
    deadline_of,
    expiry_words,
    wants_a_run,
)
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.core.providers import KEY_VARIABLES, URL_VARIABLES, Provider
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.poll import PollReport, cancel_jobs, poll_account
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment

MOST_FOREIGN_LOOKUPS = 5
_turns = count()
"""Of the looks at jobs under another key: nothing is written to those, so this process remembers whose turn it is."""


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
    clocks: dict[str, datetime] = field(default_factory=dict)
    """What the providers' clocks say, by project."""

    def alert(self, stage: StageRef, words: str) -> None:
        """Add what a person should do about a stage."""
        self.alerts[stage] = "; ".join([*([self.alerts[stage]] if stage in self.alerts else []), words])

    def sentence(self) -> str:
        """Say in words what was seen."""
        words = (
            f"{self.jobs:,} open batches, {self.calls:,} calls, {self.ended:,} ended, {len(self.ready):,} stages ready"
        )
        return "; ".join([words, *dict.fromkeys(self.alerts.values()), *self.notes])


def poll_jobs(deployment: Deployment, jobs: Sequence[BatchJob], *, time_left: Callable[[], float]) -> Polled:
    """Ask the providers about open jobs, write down what they say, and tell which stages can go on.

    Args:
        deployment: where the jobs are.
        jobs: open ones, of any project.
        time_left: seconds until the poll must end; accounts that are not reached then have their turn next time.
    """
    polled = Polled(jobs=len(jobs))
    for (provider, project), mine in _by_account(jobs).items():
        if time_left() <= 0:
            polled.notes.append(f"project {project} has its turn at the next look")
            continue
        _poll_project(deployment, provider, project, mine, polled=polled)
    now = utc_now()
    policies = {job.stage: models.batch_policy(deployment.settings, provider=Provider(job.provider)) for job in jobs}
    for stage, policy in policies.items():
        fresh = [job for job in deployment.ledger.stage_jobs(stage) if job.state in OPEN]
        if wants_a_run(fresh, now=now, policy=policy):
            polled.ready.append(stage)
        overdue = [job for job in fresh if job.state is JobState.SUBMITTED and now > deadline_of(job, policy=policy)]
        if overdue and stage not in polled.alerts:
            polled.alerts[stage] = f"{stage}: batch {overdue[0].provider_id} is open for longer than its window"
        expiring = expiry_words(fresh, now=polled.clocks.get(stage.key.project, now), policy=policy)
        if expiring is not None:
            polled.alert(stage, f"{stage}: {expiring}")
    return polled


def _by_account(jobs: Iterable[BatchJob]) -> dict[tuple[Provider, str], list[BatchJob]]:
    """Group jobs by provider and project: whose keys open their account."""
    grouped: dict[tuple[Provider, str], list[BatchJob]] = defaultdict(list)
    for job in jobs:
        grouped[Provider(job.provider), job.stage.key.project].append(job)
    return grouped


def _poll_project(
    deployment: Deployment, name: Provider, project: str, jobs: Sequence[BatchJob], *, polled: Polled
) -> None:
    try:
        provider = models.open_batches(name, deployment.credentials(project), settings=deployment.settings)
    except EvalPipelineError as error:
        _alert(polled, jobs, f"project {project}: {error.message}; {error.hint}")
        return
    try:
        mine = [job for job in jobs if job.account == provider.account]
        others = [job for job in jobs if job not in mine]
        mine += _claim_foreign(deployment, provider, others, name=name, polled=polled)
        policy = models.batch_policy(deployment.settings, provider=name)
        report = poll_account(deployment.ledger, provider, mine, policy=policy, now=utc_now())
        _tell(polled, mine, report)
        if report.provider_now is not None:
            polled.clocks[project] = report.provider_now
    finally:
        provider.close()


def _tell(polled: Polled, jobs: Sequence[BatchJob], report: PollReport) -> None:
    polled.calls += report.calls
    polled.ended += report.ended
    polled.notes += [*report.trouble, *report.warnings]
    if report.paused is not None:
        _alert(polled, jobs, f"paused: {report.paused}")


def _alert(polled: Polled, jobs: Iterable[BatchJob], words: str) -> None:
    for stage in dict.fromkeys(job.stage for job in jobs):
        polled.alerts[stage] = words


def _claim_foreign(
    deployment: Deployment, provider: BatchProvider, jobs: Sequence[BatchJob], *, name: Provider, polled: Polled
) -> list[BatchJob]:
    """Take over jobs of the same account under a rotated key: the provider shows them with our submission key.

    That it shows none proves nothing: then they are left alone, and a person is told.
    """
    claimed: list[BatchJob] = []
    first = next(_turns) * MOST_FOREIGN_LOOKUPS % max(len(jobs), 1)
    for job in [*jobs[first:], *jobs[:first]][:MOST_FOREIGN_LOOKUPS]:
        if _was_never_sent(job, provider):
            moved = deployment.ledger.change_job(job, account=provider.account, input_file_id=None)
        elif job.provider_id is not None:
            polled.calls += 1
            if not _is_ours(provider, job):
                continue
            moved = deployment.ledger.change_job(job, account=provider.account, base_url=provider.base_url)
        else:
            continue
        claimed += [] if moved is None else [moved]
    left = [job for job in jobs if job.id not in {moved.id for moved in claimed}]
    if left:
        words = (
            f"{len(left):,} batches were submitted with another key or to another address ({left[0].base_url}); they "
            f"are left alone: give {KEY_VARIABLES[name]} and {URL_VARIABLES[name]} of that account back"
        )
        _alert(polled, left, words)
    return claimed


def _was_never_sent(job: BatchJob, provider: BatchProvider) -> bool:
    """Tell whether a job may go out under another key of the same address: nobody has begun to create its batch."""
    unsent = job.state is JobState.INTENT and job.create_started_at is None
    return unsent and job.base_url == provider.base_url


def _is_ours(provider: BatchProvider, job: BatchJob) -> bool:
    try:
        return provider.find(job.provider_id or "").key == job.submission_key
    except BatchCallError:
        return False


def poll_run(deployment: Deployment, *, flow: Flow, key: RunKey, time_s: float = 45.0) -> Polled:
    """Look after the batches of one run."""
    jobs = [job for job in deployment.ledger.run_jobs(flow=flow, key=key) if job.state in OPEN]
    return poll_jobs(deployment, jobs, time_left=_until(time_s))


def _until(time_s: float) -> Callable[[], float]:
    end_s = monotonic() + time_s
    return lambda: end_s - monotonic()


def cancel_batches(deployment: Deployment, *, flow: Flow, key: RunKey) -> int:
    """Cancel what a run has out, to be collected later as far as it is done; returns how many batches that were."""
    jobs = [job for job in deployment.ledger.run_jobs(flow=flow, key=key) if job.state in OPEN]
    if not jobs:
        return 0
    asked = 0
    for (name, project), theirs in _by_account(jobs).items():
        provider = models.open_batches(name, deployment.credentials(project), settings=deployment.settings)
        try:
            mine = [job for job in theirs if job.account == provider.account]
            policy = models.batch_policy(deployment.settings, provider=name)
            asked += cancel_jobs(deployment.ledger, provider, mine, policy=policy, now=utc_now())
        finally:
            provider.close()
    return asked
