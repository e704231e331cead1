"""Closes what a run has out, at every account that it went to: for a cancelled run, one asked anew, one deleted."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from eval_pipeline.core.batches import OPEN, BatchJob, JobState
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.dispatch.closing import Closer, Closing, LeftOpen, Stays, close_jobs, disown, raise_first
from eval_pipeline.dispatch.lost import stop_lost
from eval_pipeline.dispatch.submit import utc_now
from eval_pipeline.runs.accounts import open_accounts
from eval_pipeline.runs.batch_polling import by_account, take_over_rotated
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment


def open_batches(deployment: Deployment, *, flow: Flow, key: RunKey) -> Sequence[BatchJob]:
    """Return what a run has out at its providers, and what was not collected."""
    return [job for job in deployment.ledger.run_jobs(flow=flow, key=key) if job.state in OPEN]


def close_batches(deployment: Deployment, jobs: Sequence[BatchJob], *, closing: Closing) -> list[LeftOpen]:
    """Close jobs at their providers; returns those that are open all the same, each with its reason.

    What may have been created without our knowing is searched for first.
    """
    left: list[LeftOpen] = []
    for (name, project), theirs in by_account(jobs).items():
        settings, endpoint = deployment.settings, deployment.endpoints(project).find(name)
        policy = models.batch_policy(settings, protocol=endpoint.protocol)
        with open_accounts(endpoint, settings=settings) as accounts:
            moved = take_over_rotated(deployment, accounts, theirs, endpoint=endpoint)
            former = {provider.account for provider in accounts[1:]}
            for provider in accounts:
                at_hand = [job for job in moved if job.account == provider.account]
                if provider is accounts[0]:  # what no key opens is told, too
                    at_hand += [job for job in moved if job.account not in {provider.account, *former}]
                closer = Closer(deployment.ledger, provider, policy=policy, now=utc_now())
                left += close_jobs(closer, at_hand, closing=closing)
    return left


def stop_lost_batches(deployment: Deployment, jobs: Sequence[BatchJob], *, closing: Closing) -> None:
    """See that what was called lost is never taken back, and stopped at its provider: now, or when it turns up."""
    lost = [disown(deployment.ledger, job) for job in jobs if job.state is JobState.LOST]
    for (name, project), theirs in by_account(lost).items():
        with suppress(EvalPipelineError):  # no key, no address: then it is stopped when it turns up
            endpoint = deployment.endpoints(project).find(name)
            with open_accounts(endpoint, settings=deployment.settings) as accounts:
                for provider in accounts:
                    stop_lost(deployment.ledger, provider, theirs, closing=closing)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a person's wish to stop a run's batches came to."""

    asked: int
    """Batches that were asked to stop."""
    unsettled: int
    """Files of which nobody knows yet whether a batch was made: one that turns up is stopped then."""


def cancel_batches(deployment: Deployment, *, flow: Flow, key: RunKey) -> Cancelled:
    """Cancel what a run has out, to be collected later as far as it is done; raises when a provider cannot be asked."""
    left = close_batches(deployment, open_batches(deployment, flow=flow, key=key), closing=Closing.CANCELLED)
    raise_first(left)
    asked = [one for one in left if one.stays is Stays.TO_BE_COLLECTED and one.job.state is JobState.SUBMITTED]
    return Cancelled(asked=len(asked), unsettled=sum(one.job.state is JobState.INTENT for one in left))
