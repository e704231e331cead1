"""Where a run stands, stage by stage, read from manifests and leases alone."""

from typing import Any

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports import LeaseHeld
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.dispatch.workers import worker_is_dead
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.run_control import TEXT_STAGES, run_json
from eval_pipeline.wiring.run_life import find_run


def run_status(deployment: Deployment, *, flow: Flow, key: RunKey) -> dict[str, Any]:
    """Return the run's row and the state of each of its stages."""
    run = find_run(deployment, flow=flow, key=key)
    stages = [_stage_status(deployment, StageRef(flow=flow, key=key, stage=stage)) for stage in TEXT_STAGES]
    return {**run_json(run), "stages": stages}


def _stage_status(deployment: Deployment, ref: StageRef) -> dict[str, Any]:
    stored = deployment.stages.find(ref)
    manifest = stored.manifest if stored else None
    return {
        "stage": ref.stage,
        "state": _state(deployment.ledger.find_lease(ref.prefix), manifest),
        "rows": manifest.rows if manifest and manifest.columns else None,
        "finished_at": manifest.created_at.isoformat() if manifest else None,
        "note": _note(manifest) if manifest else None,
    }


def _state(lease: LeaseHeld | None, manifest: Manifest | None) -> str:
    """Name the state of a stage; a lease whose holder is dead says where the work broke off."""
    if lease is not None:
        return "interrupted" if worker_is_dead(lease.holder) else "at work"
    return "done" if manifest else "not yet"


def _note(manifest: Manifest) -> str | None:
    counts = manifest.summary.get("counts")
    if isinstance(counts, dict) and "failed" in counts:
        return f"{counts['failed']:,} of {counts['total']:,} failed"
    note = manifest.summary.get("note")
    return None if note is None else str(note)
