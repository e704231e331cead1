"""Where a run stands, stage by stage, read from manifests and leases alone."""

from typing import Any

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.run_control import TEXT_STAGES, run_json
from eval_pipeline.wiring.run_life import find_run


def run_status(deployment: Deployment, *, flow: Flow, key: RunKey) -> dict[str, Any]:
    """Return the run's row and the state of each of its stages."""
    run = find_run(deployment, flow=flow, key=key)
    stages = [_stage_status(deployment, StageRef(flow=flow, key=key, stage=stage)) for stage in TEXT_STAGES]
    return {**run_json(run), "stages": stages}


def _stage_status(deployment: Deployment, ref: StageRef) -> dict[str, Any]:
    held = deployment.ledger.find_lease(ref.prefix)
    stored = deployment.stages.find(ref)
    manifest = stored.manifest if stored else None
    state = "at work" if held else "done" if manifest else "not yet"
    return {
        "stage": ref.stage,
        "state": state,
        "rows": manifest.rows if manifest else "",
        "at": f"{manifest.created_at:%Y-%m-%d %H:%M:%S}" if manifest else "",
        "note": _note(manifest) if manifest else "",
    }


def _note(manifest: Manifest) -> str:
    counts = manifest.summary.get("counts")
    if isinstance(counts, dict) and "failed" in counts:
        return f"{counts['failed']:,} of {counts['total']:,} failed"
    return str(manifest.summary.get("note", ""))
