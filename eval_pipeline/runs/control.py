"""What a person may do with a run: take it up again, stop it; refused where that would do harm."""

from collections.abc import Callable
from dataclasses import replace
from time import sleep
from typing import Any

from eval_pipeline.core.batches import OPEN
from eval_pipeline.core.configuration import MAX_COST_USD, check_range
from eval_pipeline.core.errors import ConflictError, EvalPipelineError, UsageError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.workers import worker_is_dead
from eval_pipeline.runs.endpoints import require_endpoints
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.runs.life import being_deleted, change_run, find_run, state_of
from eval_pipeline.storage.journal import Journal
from eval_pipeline.wiring.deployment import Deployment

_ACTIVE = frozenset({RunState.REQUESTED, RunState.RUNNING})
_ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})


def reopen(deployment: Deployment, *, flow: Flow, key: RunKey, max_cost_usd: float | None, here: bool) -> RunRecord:
    """Make a run ready to be taken up again; raises ``run_in_progress`` while somebody works on it.

    Args:
        here: whether this process executes it; else it waits for a sensor.
    """
    if max_cost_usd is not None:
        _check_budget(flow, max_cost_usd)
    run = find_run(deployment, flow=flow, key=key)
    if is_worked_on(deployment, run):
        raise _in_progress(run)
    if run.state is RunState.DELETING:
        raise being_deleted(key)
    reopened = replace(
        run.moved(RunState.REQUESTED),
        worker=deployment.worker if here else None,
        dagster_run_id=None,
        cancel_requested=False,
        max_cost_usd=run.max_cost_usd if max_cost_usd is None else max_cost_usd,
    )
    if not deployment.ledger.swap_run(run, reopened):
        raise _in_progress(find_run(deployment, flow=flow, key=key))
    return find_run(deployment, flow=flow, key=key)


def check_endpoints(deployment: Deployment, *, flow: Flow, key: RunKey, accept: bool, here: bool, again: bool) -> None:
    """Raise ``endpoint_changed`` before anything is touched when the run would ask another endpoint than its own.

    Args:
        deployment: where the run lives.
        flow: whose run it is.
        key: the run.
        accept: whether a person wants the present endpoint, which is then written down.
        here: whether this process executes the run; the daemon's own environment is judged by its stages.
        again: whether everything is asked again.
    """
    run = find_run(deployment, flow=flow, key=key)
    if accept or (here and (again or run.state is not RunState.COMPLETED or _has_unfinished(deployment, run))):
        require_endpoints(deployment, run, accept=accept)


def _has_unfinished(deployment: Deployment, run: RunRecord) -> bool:
    """Tell whether a run that is completed has items that would be asked again: their last error may pass."""
    for stage in plan_of(run.flow).stages:
        if stage.paid and stage.paid.asks:
            with Journal(deployment.objects, StageRef(flow=run.flow, key=run.key, stage=stage.name)).spool() as spool:
                if any(True for _ in RecordIndex(spool).unfinished()):
                    return True
    return False


def _check_budget(flow: Flow, max_cost_usd: float) -> None:
    """Refuse a limit that nothing would keep to."""
    check_range("max_cost_usd", value=max_cost_usd, low=0, high=MAX_COST_USD)
    if not plan_of(flow).budget:
        raise UsageError(
            f"runs of {flow} have no limit of cost",
            code="budget_unsupported",
            hint=f"retry without --max-cost-usd; {plan_of(flow).command} run --estimate says before a run "
            "what it would cost",
        )


def is_worked_on(deployment: Deployment, run: RunRecord, *, wait: Callable[[float], object] = sleep) -> bool:
    """Tell whether somebody works on a run; of a worker that cannot be seen from here, whether its lease still beats.

    Args:
        deployment: where the run lives.
        run: its row.
        wait: waits so many seconds.
    """
    if state_of(run) not in _ACTIVE or run.worker is None:
        return False
    if worker_is_dead(run.worker) is False:
        return True
    before = _beats(deployment, run)
    if not before:
        return False
    wait(deployment.settings.lease_patience_seconds)
    return _beats(deployment, run) != before


def _beats(deployment: Deployment, run: RunRecord) -> list[tuple[str, int, int]]:
    """Return the leases that are held on the run's stages, with their counters."""
    refs = (StageRef(flow=run.flow, key=run.key, stage=stage) for stage in plan_of(run.flow).stage_names)
    held = (deployment.ledger.find_lease(ref.prefix) for ref in refs)
    return [(lease.resource, lease.token, lease.counter) for lease in held if lease is not None]


def cancel(deployment: Deployment, *, flow: Flow, key: RunKey) -> RunState:
    """Stop a run: at once when nobody works on it, else at the worker's next item boundary."""
    left_out = any(job.state in OPEN for job in deployment.ledger.run_jobs(flow=flow, key=key))

    def stopped(run: RunRecord) -> RunRecord:
        state = state_of(run)
        if state in _ENDED and not left_out:
            raise ConflictError(
                f"run {key.partition} is {state} already", code="run_already_ended", hint="there is nothing to stop"
            )
        wished = replace(run, cancel_requested=True)
        if state is RunState.COMPLETED or (state is RunState.RUNNING and is_worked_on(deployment, run)):
            return wished
        return wished.moved(RunState.CANCELLED)

    change_run(deployment, flow=flow, key=key, change=stopped)
    return find_run(deployment, flow=flow, key=key).state


def check_idle(deployment: Deployment, *, flow: Flow, key: RunKey) -> None:
    """Raise while somebody works on the run."""
    run = find_run(deployment, flow=flow, key=key)
    if is_worked_on(deployment, run):
        raise _in_progress(run)


def end_attempt(deployment: Deployment, *, flow: Flow, key: RunKey, problem: EvalPipelineError | None) -> RunRecord:
    """Make sure that a run which this process executed does not seem to be under way when the execution has ended.

    Stages record how they ended by themselves; what stops a run between two of them is recorded here, and that the
    record of a stage's end could not be written.
    """
    run = find_run(deployment, flow=flow, key=key)
    elsewhere = problem is not None and problem.code == "stage_in_use"
    if problem is not None and not elsewhere and run.worker == deployment.worker:
        deployment.ledger.set_run_state(flow=flow, key=key, to=RunState.FAILED, expected=_ACTIVE, error=problem)
    return find_run(deployment, flow=flow, key=key)


def note_interruptions(deployment: Deployment, *, project: str) -> None:
    """Write down which runs of this host lost their worker, so that listings can filter on it."""
    for state in _ACTIVE:
        page = deployment.ledger.list_runs(project=project, flow=None, state=state, limit=1_000, offset=0)
        for run in page.items:
            if state_of(run) is RunState.INTERRUPTED:
                deployment.ledger.swap_run(run, run.moved(RunState.INTERRUPTED))


def run_json(run: RunRecord) -> dict[str, Any]:
    """Return the JSON form of a run's row."""
    return {
        "run": run.key.run,
        "project": run.key.project,
        "flow": str(run.flow),
        "state": str(state_of(run)),
        "mode": str(run.mode),
        "dataset": {"name": run.dataset_name, "version": run.dataset_version},
        "spec_hash": run.spec_hash,
        "requested_by": run.requested_by,
        "created_at": run.created_at.isoformat(),
        "updated_at": run.updated_at.isoformat(),
        "max_cost_usd": run.max_cost_usd,
        "cancel_requested": run.cancel_requested,
        "dagster_run_id": run.dagster_run_id,
        "worker": _worker_json(run),
        "error": None
        if run.error_code is None
        else {"code": run.error_code, "message": run.error_message, "hint": run.error_hint},
    }


def _worker_json(run: RunRecord) -> dict[str, Any] | None:
    """Name the process that works on the run now; a run that nobody works on has none."""
    if run.worker is None or state_of(run) not in _ACTIVE:
        return None
    return {"host": run.worker.host, "pid": run.worker.pid}


def _in_progress(run: RunRecord) -> ConflictError:
    worker = f"process {run.worker.pid} on {run.worker.host}" if run.worker else "a worker"
    return ConflictError(
        f"run {run.key.partition} is being worked on by {worker}",
        code="run_in_progress",
        hint=f"wait for it, or stop it: {command_on('run cancel', run.key)}",
    )
