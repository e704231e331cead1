"""A stage that works by batches as Dagster drives it, whatever its flow: submitted, waited for, taken on, told."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from eval_pipeline.core.batches import OPEN, BatchJob, submitted_words, trouble_words
from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.batch_stage import Advance, BatchStage, BatchWork
from eval_pipeline.dispatch.closing import Closing, LeftOpen, Stays, raise_first
from eval_pipeline.dispatch.leases import STAGE_IN_USE, HeldLease, hold
from eval_pipeline.dispatch.restored import restored_words
from eval_pipeline.dispatch.submit import Desk
from eval_pipeline.runs.accounts import open_accounts
from eval_pipeline.runs.at_work import BEAT_EVERY_S, StageAtWork, at_work, has_started_over, run_cancelled, start_over
from eval_pipeline.runs.closing import close_batches, stop_lost_batches
from eval_pipeline.runs.endpoints import require_endpoint, require_endpoints
from eval_pipeline.runs.life import change_run, find_run
from eval_pipeline.runs.rounds import WHOLE, close_rounds
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.wiring import models

MOST_NOTES = 20
LIVE = "live: no job needed"


def submit_first_round(
    task: Task,
    stage_name: str,
    *,
    inputs: Mapping[str, StageReader],
    work: Callable[[RunRecord], BatchWork | str],
) -> StageReader:
    """Submit the first round of the stage that follows, and tell what is out; or note why there is nothing to submit.

    Args:
        task: the submitting stage's own.
        stage_name: its name.
        inputs: what it is made from.
        work: says what is asked of a run, or why there is nothing to ask.
    """
    ref = task.ref(stage_name)
    with at_work(task.deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage:
        mode = str(stage.run.mode)
        wanted = LIVE if stage.run.mode is RunMode.FAST else work(stage.run)
        if isinstance(wanted, str):
            stage.files.finish({"mode": mode, "note": wanted})
        else:
            stage.files.finish({"mode": mode, **_submitted(task, wanted)})
    return task.deployment.stages.open(ref)


def _submitted(task: Task, work: BatchWork) -> dict[str, Any]:
    """Submit the first round unless that was done, and say what is out."""
    with batch_stage(task, work) as batches:
        jobs = batches.submit_first()
    return told_of(jobs, [job for job in jobs if job.round >= work.first_round])


def told_of(jobs: Sequence[BatchJob], of_round: Sequence[BatchJob]) -> dict[str, Any]:
    """Say what is out.

    Args:
        jobs: all of the stage.
        of_round: those that count now.
    """
    sent = [job for job in of_round if job.provider_id is not None]
    requests = sum(job.requests for job in sent)
    return {
        "note": submitted_words(of_round),
        "batches": len(sent),
        "requests": requests,
        "jobs": jobs_summary(jobs),
    }


def submitting_resource(stage: StageRef) -> str:
    """Name the right to submit for a stage, as leases do."""
    return f"{stage.prefix}/jobs"


@contextmanager
def batch_stage(task: Task, work: BatchWork) -> Iterator[BatchStage]:
    """Hold the right to submit for a stage, and open its provider's account."""
    deployment = task.deployment
    with (
        hold(
            deployment.ledger,
            submitting_resource(work.stage),
            worker=deployment.worker,
            patience_s=deployment.settings.lease_patience_seconds,
            beat_every_s=BEAT_EVERY_S,
        ) as lease,
        _desks(task, work, lease) as (desk, *former),
        temporary_folder() as folder,
    ):
        may_submit = partial(_check_endpoint, task, work)
        yield BatchStage(desk, work, folder=Path(folder), may_submit=may_submit, former=former)


def _check_endpoint(task: Task, work: BatchWork) -> None:
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    require_endpoint(task.deployment, run, work.provider, accept=task.endpoint_changed)


@contextmanager
def _desks(task: Task, work: BatchWork, lease: HeldLease) -> Iterator[Sequence[Desk]]:
    """Open the desk that submits, and behind it those of former keys, where something may still lie."""
    deployment = task.deployment
    created_at = find_run(deployment, flow=task.flow, key=task.key).created_at
    restored_at = deployment.check_store().restored_at
    is_older = restored_at is not None and created_at <= restored_at
    if restored_at is not None and is_older:
        task.say(restored_words(restored_at))
    endpoint = task.endpoints.find(work.provider)
    with open_accounts(endpoint, settings=deployment.settings) as (present, *former):
        desk = Desk(
            ledger=deployment.ledger,
            # a run that was deleted and made again under its name has keys of its own
            ledger_id=f"{deployment.ledger.id} {created_at.isoformat()}",
            objects=deployment.objects,
            provider=present,
            policy=models.batch_policy(deployment.settings, protocol=endpoint.protocol),
            fence=lease,
            sought_since=created_at if is_older else None,
            fill=work.fill,
        )
        yield [desk, *(replace(desk, provider=provider) for provider in former)]


def go_on(
    task: Task, stage: StageAtWork, work: Callable[[], BatchWork], *, batch: StageReader, made_from: StageReader | None
) -> bool:
    """Take a stage on as far as it can go now; False while it waits for its provider, which is then told and recorded.

    Args:
        task: the stage's own.
        stage: held.
        work: what is asked for; read after a start over.
        batch: the stage that submitted the first round.
        made_from: what the requests are made from; None where results fit any input.
    """
    if task.refresh:
        start_over_once(task, stage, asks=[work().provider])
    elif made_from is not None:
        refuse_changed_input(batch, made_from)
    cancelled = stage.run.cancel_requested
    try:
        with batch_stage(task, work()) as batches:
            advance = batches.wind_up() if cancelled else batches.advance()
        stage.lease.check()
    except ConflictError as error:
        if not is_left_to_holder(task, error):
            raise
        if stage.run.state is not RunState.RUNNING or stage.run.worker in {None, task.deployment.worker}:
            wait_for_provider(task, cancelled=cancelled)
        return False
    return note_advance(task, stage, advance, cancelled=cancelled)


def note_advance(task: Task, stage: StageAtWork, advance: Advance, *, cancelled: bool) -> bool:
    """Record how far the stage came, and tell whether it is finished."""
    _report(task, stage, advance)
    if advance.finished and cancelled:
        raise run_cancelled(stage.run.key)
    if not advance.finished:
        task.say(waiting_words(advance))
        wait_for_provider(task, cancelled=cancelled)
    return advance.finished


def is_left_to_holder(task: Task, error: ConflictError) -> bool:
    """Tell, and then say, whether what another process holds is left to that process.

    Nothing is lost by it: the holder takes the stage on, or its lease ends and the sensor asks for another run. It
    stays an error where a person would not get what was asked for: of a fast run, and of one that is to start over.
    """
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    wished = task.refresh or task.resend_lost
    if error.code != STAGE_IN_USE or run.mode is not RunMode.BATCH or wished:
        return False
    task.say(f"{error.message}; it is left to that process, and nothing is yielded here")
    return True


def _report(task: Task, stage: StageAtWork, advance: Advance) -> None:
    done = sum(job.completed or 0 for job in advance.jobs)
    failed = sum(job.failed or 0 for job in advance.jobs)
    total = sum(job.requests for job in advance.jobs)
    task.progress.update(stage=stage.ref.stage, done=done + failed, failed=failed, total=total, cost_usd=None)


def wait_for_provider(task: Task, *, cancelled: bool) -> None:
    """Record that the run waits for its provider and that nobody works on it meanwhile."""
    to = RunState.CANCELLED if cancelled else RunState.WAITING

    def waiting(run: RunRecord) -> RunRecord:
        if run.state is not RunState.RUNNING:
            return run
        return replace(run.moved(to), worker=None, dagster_run_id=task.dagster_run_id)

    change_run(task.deployment, flow=task.flow, key=task.key, change=waiting)


def start_over_once(
    task: Task, stage: StageAtWork, *, asks: Iterable[str] | None = None, shares: Sequence[str] = (WHOLE,)
) -> None:
    """Forget what was answered, and supersede what is out, once a Dagster run: a person wants to pay again.

    Args:
        task: the stage's own.
        stage: held.
        asks: names of the endpoints that are asked again, all of the run's by default: what was paid for is not
            forgotten for one that must not be asked.
        shares: of its rounds.
    """
    require_endpoints(task.deployment, stage.run, accept=task.endpoint_changed, names=asks)
    if has_started_over(task.deployment, stage, by=task.dagster_run_id, retried=task.retried_run_id):
        return
    out = [job for job in task.deployment.ledger.stage_jobs(stage.ref) if job.state in OPEN]
    left = close_batches(task.deployment, out, closing=Closing.SUPERSEDED)
    raise_first(left)
    held = [one for one in left if one.stays is not Stays.UNKNOWN]  # what is unknown is stopped when it turns up
    if held:
        raise _not_superseded(held)
    stop_lost_batches(task.deployment, task.deployment.ledger.stage_jobs(stage.ref), closing=Closing.SUPERSEDED)
    start_over(task.deployment, stage, by=task.dagster_run_id, retried=task.retried_run_id)
    for share in shares:
        close_rounds(task.deployment.objects, task.deployment.ledger, stage.ref, share)


def _not_superseded(held: Sequence[LeftOpen]) -> ConflictError:
    first = held[0]
    return ConflictError(
        f"{counted(len(held), 'batch')} of {first.job.stage} cannot be closed; "
        f"{first.job.provider_id or first.job.name}: "
        f"{first.words}",
        code="batches_unsettled",
        hint="nothing was asked anew: give the key back under which they were submitted, or try again in some minutes",
    )


def refuse_changed_input(batch: StageReader, made_from: StageReader) -> None:
    """Raise when the input is not what the batches were made from: results of both must not be mixed."""
    if not batch.manifest.was_made_from(made_from.manifest):
        ref = batch.manifest.stage
        raise ConflictError(
            f"the input of {ref} changed while its batches were out",
            code="input_changed",
            hint="materialize the stage with refresh: open batches are cancelled and the new input is sent",
        )


def jobs_summary(jobs: Sequence[BatchJob]) -> list[dict[str, object]]:
    """Return what a manifest keeps of the jobs."""
    return [
        {
            "job": job.name,
            "state": str(job.state),
            "requests": job.requests,
            "batch": job.provider_id,
            "sha256": job.fingerprint,
        }
        for job in jobs
    ]


def batch_notes(task: Task, stage: StageRef) -> Sequence[str]:
    """Return what the readers of a stage's results should know of its batches, for its summary."""
    jobs = task.deployment.ledger.stage_jobs(stage)
    return list(dict.fromkeys(words for job in jobs for words in trouble_words(job)))[:MOST_NOTES]


def waiting_words(advance: Advance) -> str:
    """Say in one sentence what a stage waits for."""
    states = ", ".join(f"{job.name} {job.state}/{job.provider_status or 'not sent'}" for job in advance.jobs[-5:])
    troubles = [*([advance.report.paused] if advance.report.paused else []), *advance.report.trouble]
    return f"waiting for {counted(len(advance.jobs), 'batch')} ({states})" + "".join(f"; {words}" for words in troubles)
