"""How far the judges of a run are to be trusted, as its stage ``agreement`` measured it."""

from eval_pipeline.core.checks import CHECKS
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.session_eval.stages.agreement import AGREEMENT
from eval_pipeline.wiring.deployment import Deployment


def trust_of(deployment: Deployment, key: RunKey) -> JsonDict:
    """Return agreement, calibration and what tests the judges, of a run that was scored."""
    stored = StoredRun(deployment, find_run(deployment, flow=Flow.SESSIONS, key=key))
    stored.open("agreement")
    return {
        "run": key.run,
        "project": key.project,
        **(stored.fact("agreement", AGREEMENT) or {}),
        "canaries": stored.fact("judgements", "canaries") or {},
        "quotes": stored.fact("judgements", "quotes"),
        "quotes_verified": stored.fact("judgements", "quotes_verified"),
        "checks": {stage: stored.fact(stage, CHECKS) or {} for stage in ("judgements", "session_scores", "agreement")},
    }
