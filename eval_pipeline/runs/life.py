"""How a run's state follows the work on its stages: who works, how the work ended, what that means for the run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from eval_pipeline.core.errors import (
    ConflictError,
    EvalPipelineError,
    IncompleteError,
    NotFoundError,
    UsageError,
)
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.core.system_errors import defect, explain_system
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.dispatch.workers import worker_is_dead
from eval_pipeline.runs.task import Task
from eval_pipeline.wiring.deployment import Deployment

_SETTLED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.INCOMPLETE, RunState.CANCELLED})


def find_run(deployment: Deployment, *, flow: Flow, key: RunKey) -> RunRecord:
    """Return the run, or raise ``run_not_found``."""
    run = deployment.ledger.find_run(flow=flow, key=key)
    if run is not None:
        return run
    raise NotFoundError(
        f"project {key.project} has no {flow} run {key.run}",
        code="run_not_found",
        hint="eval-pipeline run list shows the runs; in the Dagster UI materialize spec with its configuration first",
    )


def flow_of(deployment: Deployment, key: RunKey, *, named: str | None = None) -> Flow:
    """Return whose run a name is: the flow that was named, else the only one that has such a run.

    Raises:
        NotFoundError: ``run_not_found``.
        UsageError: ``run_name_ambiguous``, when several flows have a run of that name.
    """
    asked = [Flow(named)] if named else list(Flow)
    found = [flow for flow in asked if deployment.ledger.find_run(flow=flow, key=key) is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        of = f"{asked[0]} " if named else ""
        raise NotFoundError(
            f"project {key.project} has no {of}run {key.run}",
            code="run_not_found",
            hint="eval-pipeline run list shows the runs",
        )
    raise UsageError(
        f"run {key.run} exists in several flows: {', '.join(found)}",
        code="run_name_ambiguous",
        hint=f"say which: --flow {found[0]}",
    )


def state_of(run: RunRecord) -> RunState:
    """Return where a run stands: a run whose worker is gone is ``interrupted``, whatever was written last."""
    active = run.state in {RunState.RUNNING, RunState.REQUESTED}
    gone = run.worker is not None and worker_is_dead(run.worker) is True
    return RunState.INTERRUPTED if active and gone else run.state


def change_run(
    deployment: Deployment, *, flow: Flow, key: RunKey, change: Callable[[RunRecord], RunRecord]
) -> RunRecord:
    """Change a run's row in one step by what it says now; when somebody comes between, look and decide anew.

    Args:
        deployment: where the run lives.
        flow: of the run.
        key: of the run.
        change: returns the row as it shall be; the same to leave it, an error to refuse.

    Returns:
        the row as it was before.
    """
    while True:
        before = find_run(deployment, flow=flow, key=key)
        if before.state is RunState.DELETING:
            raise being_deleted(key)
        after = change(before)
        if after == before or deployment.ledger.swap_run(before, after):
            return before


def being_deleted(key: RunKey) -> ConflictError:
    """Build the error of a run that is on its way out."""
    return ConflictError(
        f"run {key.partition} is being deleted",
        code="run_being_deleted",
        hint=f"if that broke off, finish it: {command_on('run delete', key)}; then its name is free again",
    )


@contextmanager
def working(
    deployment: Deployment,
    *,
    flow: Flow,
    key: RunKey,
    dagster_run_id: str | None,
    optional: bool = False,
    is_lost: Callable[[], bool] = lambda: False,
) -> Iterator[RunRecord]:
    """Mark the run as worked on by this process for the time of one stage, and record how that ended.

    A run that was completed or failed before is so again when a single stage was made without trouble, and one that
    another living process works on is that process's again. How an ``optional`` stage ends is not the run's matter.

    Args:
        deployment: where the run lives.
        flow: of the run.
        key: of the run.
        dagster_run_id: of the Dagster run that makes the stage.
        optional: whether the run is whole without the stage.
        is_lost: whether another process may have taken the stage over: then the run is that process's.
    """
    here = deployment.worker
    before = change_run(
        deployment,
        flow=flow,
        key=key,
        change=lambda run: replace(run.moved(RunState.RUNNING), worker=here, dagster_run_id=dagster_run_id),
    )
    life = _Life(deployment, flow=flow, key=key, before=before, is_lost=is_lost)
    try:
        yield before
    except EvalPipelineError as error:
        life.restore() if optional else life.end(_state_after(error), error=error)
        raise
    except Exception as error:
        told = explain_system(error) or defect(error)
        life.restore() if optional else life.end(RunState.FAILED, error=told)
        raise
    except BaseException:
        life.restore() if optional else life.end(RunState.INTERRUPTED, error=None)
        raise
    life.restore()


@dataclass(frozen=True, slots=True)
class _Life:
    """The run's row as it was, and the ways back to it or on from it."""

    deployment: Deployment
    flow: Flow
    key: RunKey
    before: RunRecord
    is_lost: Callable[[], bool]

    def restore(self) -> None:
        """Give a settled run its state and error back, and another process's run to that process; any other goes on."""
        if self.before.state in _SETTLED:  # unless the stage itself told where the run stands now
            still = frozenset({RunState.RUNNING})
            self.end(self.before.state, error=stored_error(self.before), expected=still)
        elif self._is_anothers():
            self._hand_back()

    def end(
        self, state: RunState, *, error: EvalPipelineError | None, expected: frozenset[RunState] | None = None
    ) -> None:
        """Record how the work ended, unless another process took it over or has the run under way."""
        if self.is_lost():
            return
        if self._is_anothers():
            self._hand_back()
        else:
            self.deployment.ledger.set_run_state(flow=self.flow, key=self.key, to=state, expected=expected, error=error)

    def _is_anothers(self) -> bool:
        worker = self.before.worker
        if self.before.state is not RunState.RUNNING or worker in {None, self.deployment.worker}:
            return False
        return worker is not None and worker_is_dead(worker) is False

    def _hand_back(self) -> None:
        change_run(self.deployment, flow=self.flow, key=self.key, change=self._with_former_worker)

    def _with_former_worker(self, run: RunRecord) -> RunRecord:
        if run.worker != self.deployment.worker:
            return run
        return replace(run, worker=self.before.worker, dagster_run_id=self.before.dagster_run_id)


def stored_error(run: RunRecord) -> EvalPipelineError | None:
    """Return the error that the ledger keeps of a run."""
    if run.error_code is None:
        return None
    return EvalPipelineError(run.error_message or run.error_code, code=run.error_code, hint=run.error_hint or "")


def _state_after(error: EvalPipelineError) -> RunState:
    if error.code == "run_cancelled":
        return RunState.CANCELLED
    return RunState.INCOMPLETE if isinstance(error, IncompleteError) else RunState.FAILED


def end_run(task: Task, threshold: Threshold) -> None:
    """Note, once all that a run makes is there, that it is completed, or failed when it missed its threshold."""
    breached = threshold.breached
    task.deployment.ledger.set_run_state(
        flow=task.flow,
        key=task.key,
        to=RunState.FAILED if breached else RunState.COMPLETED,
        error=threshold.error(task.key) if breached else None,
    )
