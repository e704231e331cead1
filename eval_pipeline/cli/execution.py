"""Executing a claimed run from the command line and telling what became of it."""

import click

from eval_pipeline.cli.output import write_json
from eval_pipeline.cli.progress import show_progress
from eval_pipeline.cli.text_view import write_run
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.run_life import find_run, state_of, stored_error

EXIT_CODES = {
    RunState.COMPLETED: 0,
    RunState.FAILED: 1,
    RunState.INCOMPLETE: 101,
    RunState.CANCELLED: 101,
    RunState.INTERRUPTED: 130,
}
EXIT_GATE = 100


def execute_and_show(deployment: Deployment, key: RunKey, *, wait: bool, as_json: bool, refresh: bool = False) -> int:
    """Execute a claimed run here (or leave it to the daemon), show it, and return the exit code."""
    if not wait:
        return _leave_to_daemon(key, as_json=as_json)
    from eval_pipeline.defs.launch import execute_text_run  # noqa: PLC0415 - dagster: only where a run is executed

    with show_progress() as progress:
        problem = execute_text_run(deployment, key, progress=progress, refresh=refresh)
    return show_outcome(deployment, key, problem=problem, as_json=as_json)


def show_outcome(deployment: Deployment, key: RunKey, *, problem: EvalPipelineError | None, as_json: bool) -> int:
    """Write what a run came to and return the exit code."""
    from eval_pipeline.wiring.text_show import show_run  # noqa: PLC0415 - pyarrow: only where stages are read

    document = show_run(deployment, key, detail=False)
    write_json(document) if as_json else write_run(document)
    error = stored_error(find_run(deployment, flow=Flow.TEXT, key=key)) or problem
    if error is not None and not as_json:
        _tell(error)
    return run_outcome(deployment, key)


def run_outcome(deployment: Deployment, key: RunKey) -> int:
    """Return the exit code that a run's state stands for."""
    run = find_run(deployment, flow=Flow.TEXT, key=key)
    if run.error_code == "failure_threshold_breached":
        return EXIT_GATE
    return EXIT_CODES.get(state_of(run), 1)


def _tell(error: EvalPipelineError) -> None:
    click.echo(f"{click.style('error', fg='red', bold=True)}: {error.message}", err=True)
    if error.hint:
        click.echo(f"{click.style('hint', fg='cyan', bold=True)}: {error.hint}", err=True)


def _leave_to_daemon(key: RunKey, *, as_json: bool) -> int:
    from eval_pipeline.defs.daemons import daemon_is_alive  # noqa: PLC0415 - dagster: only for --no-wait

    alive = daemon_is_alive()
    if as_json:
        write_json({"run": key.run, "project": key.project, "state": str(RunState.REQUESTED), "daemon": alive})
    else:
        click.echo(f"requested {key.partition}")
    if not alive:
        click.echo(
            f"no Dagster daemon is running: start one with 'eval-pipeline up', or execute the run here with "
            f"'eval-pipeline run retry {key.run}'",
            err=True,
        )
    return 0
