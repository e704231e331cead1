"""Batch runs that wait for what another run pays for, with nothing of their own out: whom for, and when they go on.

They leave no process behind: whoever waited in one would keep the other run from being collected where few runs may be
at work at once.
"""

from collections.abc import Iterable

import orjson

from eval_pipeline.core.batches import OPEN
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.judgement_claims import Claimant
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.runs.life import state_of
from eval_pipeline.wiring.deployment import Deployment

_AT_WORK = frozenset({RunState.REQUESTED, RunState.RUNNING, RunState.WAITING})


def wait_for(deployment: Deployment, stage: StageRef, holders: Iterable[Claimant]) -> None:
    """Write down which runs a stage waits for."""
    named = [{"flow": str(one.flow), "project": one.key.project, "run": one.key.run} for one in holders]
    deployment.objects.put(_key(stage), orjson.dumps(named))


def wait_no_more(deployment: Deployment, stage: StageRef) -> None:
    """Forget whom a stage waited for."""
    deployment.objects.delete(_key(stage))


def goes_on_with(deployment: Deployment, run: RunRecord) -> str | None:
    """Return the stage that a waiting run can take on now, since those that it waited for have ended; else None."""
    if run.state is not RunState.WAITING:
        return None
    for name in plan_of(run.flow).paid_stages:
        stage = StageRef(flow=run.flow, key=run.key, stage=name)
        holders = _waited_for(deployment, stage)
        if holders and not any(_is_at_work(deployment, holder) for holder in holders):
            return None if any(job.state in OPEN for job in deployment.ledger.stage_jobs(stage)) else name
    return None


def is_waiting(deployment: Deployment, holder: Claimant) -> bool:
    """Tell whether a run waits for its provider."""
    run = deployment.ledger.find_run(flow=holder.flow, key=holder.key)
    return run is not None and run.state is RunState.WAITING


def request_waiting(deployment: Deployment, *, limit: int) -> None:
    """Let runs be taken up again that waited for other runs, now that those have ended."""
    for run in deployment.ledger.waiting_runs(limit=limit):
        if goes_on_with(deployment, run) is not None:
            expected = frozenset({RunState.WAITING})
            deployment.ledger.set_run_state(flow=run.flow, key=run.key, to=RunState.REQUESTED, expected=expected)


def _is_at_work(deployment: Deployment, holder: Claimant) -> bool:
    run = deployment.ledger.find_run(flow=holder.flow, key=holder.key)
    return run is not None and state_of(run) in _AT_WORK


def _waited_for(deployment: Deployment, stage: StageRef) -> list[Claimant]:
    try:
        stored = orjson.loads(deployment.objects.read(_key(stage)))
    except NotFoundError:
        return []
    return [Claimant(Flow(one["flow"]), RunKey(project=one["project"], run=one["run"])) for one in stored]


def _key(stage: StageRef) -> str:
    return f"{stage.prefix}/waits_for.json"
