"""Deletes a run: nobody works on it, then nobody may take it up, then its batches are settled, then it is forgotten.

In that order, so that whatever breaks off in between is finished by the next deletion, and nobody pays into the void.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum

from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import ConflictError, EvalPipelineError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.closing import Closing
from eval_pipeline.dispatch.leases import hold
from eval_pipeline.runs.at_work import BEAT_EVERY_S
from eval_pipeline.runs.batches import submitting_resource
from eval_pipeline.runs.closing import close_batches, open_batches, stop_lost_batches
from eval_pipeline.runs.control import check_idle
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.runs.life import find_run
from eval_pipeline.wiring.deployment import Deployment


class OpenBatches(StrEnum):
    """What becomes of batches that are out, or whose results were not collected."""

    REFUSE = "refuse"
    """The run is not deleted."""
    CANCEL = "cancel"
    """They are cancelled; what they have done by then is charged, and dropped."""
    FORGET = "forget"
    """They are left alone: they may run on and be charged."""


def delete(deployment: Deployment, *, flow: Flow, key: RunKey, batches: OpenBatches = OpenBatches.REFUSE) -> None:
    """Delete a run with all that is stored of it; its name is free again.

    Raises:
        ConflictError: ``run_in_progress`` or ``stage_in_use`` while somebody works on it; ``batches_open``;
            ``batches_unsettled`` when one cannot be cancelled, or nobody knows yet whether it exists.
    """
    check_idle(deployment, flow=flow, key=key)
    with _alone(deployment, flow=flow, key=key):
        jobs = open_batches(deployment, flow=flow, key=key)
        if jobs and batches is OpenBatches.REFUSE:
            raise _batches_open(key, jobs)
        _begin(deployment, flow=flow, key=key)
        if batches is OpenBatches.CANCEL:
            _settle(deployment, key, jobs)
        if batches is not OpenBatches.FORGET:
            lost = deployment.ledger.run_jobs(flow=flow, key=key)
            stop_lost_batches(deployment, lost, closing=Closing.DELETED)
        for stored in list(deployment.objects.list(f"{flow}/{key.project}/{key.run}")):
            deployment.objects.delete(stored)
        deployment.ledger.delete_run(flow=flow, key=key)


def words_of(jobs: Sequence[BatchJob]) -> str:
    """Say how much is out."""
    requests = sum(job.requests for job in jobs)
    return f"{counted(len(jobs), 'batch')} with {counted(requests, 'request')} out or not collected"


@contextmanager
def _alone(deployment: Deployment, *, flow: Flow, key: RunKey) -> Iterator[None]:
    """Hold every stage of the run, and the right to submit for it."""
    plan = plan_of(flow)
    refs = {stage.name: StageRef(flow=flow, key=key, stage=stage.name) for stage in plan.stages}
    resources = [ref.prefix for ref in refs.values()]
    resources += [submitting_resource(refs[stage]) for stage in plan.paid_stages]
    with ExitStack() as held:
        for resource in resources:
            held.enter_context(
                hold(
                    deployment.ledger,
                    resource,
                    worker=deployment.worker,
                    patience_s=deployment.settings.lease_patience_seconds,
                    beat_every_s=BEAT_EVERY_S,
                )
            )
        yield


def _begin(deployment: Deployment, *, flow: Flow, key: RunKey) -> None:
    """Put the run where nobody takes it up any more; refused when somebody did so before we held its stages."""
    while True:
        check_idle(deployment, flow=flow, key=key)
        run = find_run(deployment, flow=flow, key=key)
        if run.state is RunState.DELETING or deployment.ledger.swap_run(run, run.moved(RunState.DELETING)):
            return


def _settle(deployment: Deployment, key: RunKey, jobs: Sequence[BatchJob]) -> None:
    """Close what is out at every provider; raises when something has to stay open."""
    try:
        left = close_batches(deployment, jobs, closing=Closing.DELETED)
    except EvalPipelineError as error:  # no key, no address: nothing can be asked
        raise _batches_unsettled(key, jobs[0], words=error.message, count=len(jobs)) from error
    if left:
        raise _batches_unsettled(key, left[0].job, words=left[0].words, count=len(left))


def _batches_open(key: RunKey, jobs: Sequence[BatchJob]) -> ConflictError:
    return ConflictError(
        f"run {key.partition} has {words_of(jobs)}",
        code="batches_open",
        hint=f"{command_on('run retry', key)} collects them; run delete --cancel-batches cancels them first: what they "
        "have done by then is charged, and dropped",
    )


def _batches_unsettled(key: RunKey, first: BatchJob, *, words: str, count: int) -> ConflictError:
    return ConflictError(
        f"{counted(count, 'batch')} of run {key.partition} cannot be closed; "
        f"{first.provider_id or first.name}: {words}",
        code="batches_unsettled",
        hint="delete the run again in some minutes; --forget-batches leaves them alone, and they may be charged",
    )
