"""Executing a claimed run from the command line and telling what became of it."""

from collections.abc import Mapping

import click

from eval_pipeline.cli.flow_views import writer_of
from eval_pipeline.cli.output import error_json, write_error, write_json, write_warning
from eval_pipeline.cli.progress import show_progress, write_line
from eval_pipeline.cli.waiting import execute_to_its_end
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import EvalPipelineError, IncompleteError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.dispatch.restored import restored_words
from eval_pipeline.runs.control import end_attempt
from eval_pipeline.runs.flow import plan_of, view_module
from eval_pipeline.runs.life import find_run, state_of, stored_error
from eval_pipeline.wiring.deployment import Deployment

EXIT_CODES = {
    RunState.COMPLETED: 0,
    RunState.FAILED: 1,
    RunState.INCOMPLETE: 101,
    RunState.CANCELLED: 101,
    RunState.INTERRUPTED: 130,
}
EXIT_GATE = 100


def execute_and_show(
    deployment: Deployment,
    key: RunKey,
    *,
    flow: Flow,
    wait: bool,
    as_json: bool,
    refresh: bool = False,
    resend_lost: bool = False,
) -> int:
    """Execute a claimed run here (or leave it to the daemon), show it, and return the exit code."""
    if not wait:
        return _leave_to_daemon(key, as_json=as_json)
    restored_at = deployment.check_store().restored_at
    if restored_at is not None and find_run(deployment, flow=flow, key=key).created_at <= restored_at:
        write_warning(restored_words(restored_at))
    with show_progress() as progress:
        problem = execute_to_its_end(
            deployment, key, flow=flow, progress=progress, say=write_line, refresh=refresh, resend_lost=resend_lost
        )
    run = end_attempt(deployment, flow=flow, key=key, problem=problem)
    return show_outcome(deployment, run, problem=problem, as_json=as_json)


def rescore_and_show(
    deployment: Deployment, key: RunKey, *, flow: Flow, as_json: bool, given: Mapping[str, object]
) -> int:
    """Score a run's stored answers again, write its report anew, show it, and return the exit code."""
    from eval_pipeline.defs.launch import execute_run  # noqa: PLC0415 - dagster: only where a run is executed

    with show_progress() as progress:
        first = plan_of(flow).rescore_from
        stages = plan_of(flow).stages_from(first)
        problem = execute_run(
            deployment, key, flow=flow, progress=progress, stages=stages, given={first: given} if given else {}
        )
    run = end_attempt(deployment, flow=flow, key=key, problem=problem)
    return show_outcome(deployment, run, problem=problem, as_json=as_json)


def show_outcome(deployment: Deployment, run: RunRecord, *, problem: EvalPipelineError | None, as_json: bool) -> int:
    """Write what a run came to and return the exit code.

    A problem that left the run completed (traces that could not be delivered) is a warning.
    """
    document = view_module(run.flow).show_run(deployment, run.key, detail=False)
    completed = state_of(run) is RunState.COMPLETED
    warnings = [problem] if problem is not None and completed else []
    error = None if completed else _what_stopped(run, problem)
    if as_json:
        write_json(_with_problems(document, error=error, warnings=warnings))
    else:
        writer_of(run.flow)(document)
        for warning in warnings:
            write_warning(f"{warning.message}\n{warning.hint}")
        if error is not None:
            write_error(error)
    return run_outcome(deployment, run.key, flow=run.flow)


def _with_problems(
    document: JsonDict, *, error: EvalPipelineError | None, warnings: list[EvalPipelineError]
) -> JsonDict:
    told = document["error"] if error is None else error_json(error)
    told_before = document["warnings"]
    return {**document, "error": told, "warnings": [*told_before, *(error_json(warning) for warning in warnings)]}


def _what_stopped(run: RunRecord, problem: EvalPipelineError | None) -> EvalPipelineError | None:
    if state_of(run) is RunState.INTERRUPTED:
        return IncompleteError(
            f"run {run.key.partition} was interrupted; what was answered is kept",
            code="run_interrupted",
            hint=f"{command_on('run retry', run.key)} goes on where it stopped",
        )
    return stored_error(run) or problem


def run_outcome(deployment: Deployment, key: RunKey, *, flow: Flow) -> int:
    """Return the exit code that a run's state stands for."""
    run = find_run(deployment, flow=flow, key=key)
    if run.error_code == "failure_threshold_breached":
        return EXIT_GATE
    return EXIT_CODES.get(state_of(run), 1)


def _leave_to_daemon(key: RunKey, *, as_json: bool) -> int:
    from eval_pipeline.defs.daemons import daemon_is_alive  # noqa: PLC0415 - dagster: only for --no-wait

    alive = daemon_is_alive()
    if as_json:
        write_json({"run": key.run, "project": key.project, "state": str(RunState.REQUESTED), "daemon": alive})
    else:
        click.echo(f"requested {key.partition}; {command_on('run status', key)} shows where it stands")
    if not alive:
        write_warning(
            "no Dagster daemon is running, so nothing takes the run up: start one with 'eval-pipeline up', "
            f"or execute it here with '{command_on('run retry', key)}'"
        )
    return 0
