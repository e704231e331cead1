"""Following a batch run to its end from the command line: the functions beneath the sensor, under the same leases.

With or without a daemon: whoever comes first takes a stage on, the other one finds it done.
"""

import time
from collections.abc import Callable

from eval_pipeline.cli.hearing import hearing
from eval_pipeline.core.batches import OPEN
from eval_pipeline.core.errors import EvalPipelineError, InterruptedRunError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.runs.batch_polling import Polled, poll_run
from eval_pipeline.runs.control import is_worked_on
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.runs.life import find_run, state_of
from eval_pipeline.runs.panels.waiting import goes_on_with
from eval_pipeline.wiring.deployment import Deployment

_LOOK_S = 0.5


def execute_to_its_end(
    deployment: Deployment,
    key: RunKey,
    *,
    flow: Flow,
    progress: Progress,
    say: Callable[[str], None],
    refresh: bool = False,
    resend_lost: bool = False,
) -> EvalPipelineError | None:
    """Execute a claimed run, and follow it for as long as it waits; returns what stopped it, if anything did.

    Raises:
        InterruptedRunError: somebody ended this process.
    """
    from eval_pipeline.defs.launch import execute_run  # noqa: PLC0415 - dagster: only where a run is executed

    try:
        with hearing() as ears:
            problem = execute_run(
                deployment, key, flow=flow, progress=progress, refresh=refresh, resend_lost=resend_lost
            )
            return _follow(
                deployment, key, flow=flow, progress=progress, say=say, problem=problem, check_ears=ears.check
            )
    except KeyboardInterrupt:
        raise _interrupted(deployment, key, flow=flow) from None


def _interrupted(deployment: Deployment, key: RunKey, *, flow: Flow) -> InterruptedRunError:
    """Say what becomes of the run, and how one goes on."""
    retry = command_on("run retry", key)
    run = find_run(deployment, flow=flow, key=key)
    if state_of(run) is not RunState.WAITING and run.worker in {None, deployment.worker}:
        return InterruptedRunError(
            f"run {key.partition} was interrupted; what was answered is kept", hint=f"{retry} goes on where it stopped"
        )
    return InterruptedRunError(
        f"run {key.partition} is no longer followed from here; its batches go on at the provider",
        hint=f"{retry} follows it again, a daemon (eval-pipeline up) collects them without that; "
        f"{command_on('run cancel', key)} stops them",
    )


def _follow(
    deployment: Deployment,
    key: RunKey,
    *,
    flow: Flow,
    progress: Progress,
    say: Callable[[str], None],
    problem: EvalPipelineError | None,
    check_ears: Callable[[], None],
) -> EvalPipelineError | None:
    """Poll and take the run on until it no longer waits; returns what stopped it, if anything did.

    While another process works on it, that one is watched: it ends the run, or leaves it waiting again.
    """
    from eval_pipeline.defs.launch import execute_run  # noqa: PLC0415 - dagster: only where a run is executed

    told = ""
    while problem is None and _goes_on(deployment, run := find_run(deployment, flow=flow, key=key)):
        check_ears()
        _pause(deployment, run)
        if state_of(find_run(deployment, flow=flow, key=key)) is not RunState.WAITING:
            continue
        polled = poll_run(deployment, flow=flow, key=key)
        told = _tell(deployment, key, polled, flow=flow, progress=progress, say=say, told=told)
        stages = plan_of(flow).stage_names
        ready = [stages.index(stage.stage) for stage in polled.ready]
        freed = goes_on_with(deployment, find_run(deployment, flow=flow, key=key))  # it waited for another run
        ready += [] if freed is None else [stages.index(freed)]
        if ready:
            first = min(ready)
            problem = execute_run(deployment, key, flow=flow, progress=progress, stages=stages[first:])
            if problem is not None and problem.code == "stage_in_use":  # a daemon came first
                problem = None
    return problem


def _goes_on(deployment: Deployment, run: RunRecord) -> bool:
    """Tell whether the run waits, or a living process other than this one works on it, or is about to."""
    if state_of(run) is RunState.WAITING or (run.state is RunState.REQUESTED and run.worker is None):
        return True
    return run.worker != deployment.worker and is_worked_on(deployment, run)


def _pause(deployment: Deployment, run: RunRecord) -> None:
    """Wait until the next look, or until the run stands elsewhere."""
    end_s = time.monotonic() + deployment.settings.batch_poll_seconds
    while (left_s := end_s - time.monotonic()) > 0:
        time.sleep(min(left_s, _LOOK_S))
        if state_of(find_run(deployment, flow=run.flow, key=run.key)) is not state_of(run):
            return


def _tell(
    deployment: Deployment,
    key: RunKey,
    polled: Polled,
    *,
    flow: Flow,
    progress: Progress,
    say: Callable[[str], None],
    told: str,
) -> str:
    """Show how far the batches are, and once each what a person should know."""
    jobs = [job for job in deployment.ledger.run_jobs(flow=flow, key=key) if job.state in OPEN]
    if jobs:
        stage = jobs[0].stage.stage
        phases = sorted({job.provider_status or "not sent" for job in jobs})
        done, failed = sum(job.completed or 0 for job in jobs), sum(job.failed or 0 for job in jobs)
        progress.update(
            stage=f"{stage} ({', '.join(phases)})",
            done=done + failed,
            failed=failed,
            total=sum(job.requests for job in jobs),
            cost_usd=None,
        )
    words = "; ".join([*dict.fromkeys(polled.alerts.values()), *polled.notes])
    if words and words != told:
        say(words)
    return words
