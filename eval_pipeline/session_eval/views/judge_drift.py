"""Whether judges moved: what the asset ``judge_drift`` tells."""

from typing import Final

from eval_pipeline.core.checks import CheckOutcome
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.reporting.amounts import half_up
from eval_pipeline.reporting.markdown import code_span
from eval_pipeline.runs.flow import Viewed
from eval_pipeline.session_eval.judge_drift import JudgeDrift, drift_between, latest_drift
from eval_pipeline.wiring.deployment import Deployment

STILL: Final = "still"


def make(deployment: Deployment, given: Json, /) -> Viewed:
    """Hold the two runs against each other that are asked for, or the latest two that can be."""
    project = given.get("project", DEFAULT_PROJECT)
    before, now = given.get("before"), given.get("now")
    if (before is None) is not (now is None):
        raise UsageError(
            "only one of the two runs was named",
            code="invalid_config",
            hint="name both, before and now, or none: then the latest pair is taken",
        )
    found = (
        latest_drift(deployment, project)
        if before is None or now is None
        else drift_between(deployment, RunKey.of(project=project, run=before), RunKey.of(project=project, run=now))
    )
    if found is None:
        words = "Nothing was judged again by judges that are others now."
        return Viewed(
            summary={"sessions": 0, "alarms": 0, "markdown": words},
            document={"project": project, "sessions": 0, "alarms": [], "moved": []},
            checks={STILL: CheckOutcome(passed=True, words=words)},
        )
    return Viewed(
        summary={
            "before": found.before.key.run,
            "now": found.now.key.run,
            "sessions": found.sessions,
            "alarms": len(found.alarms),
            "markdown": _table(found),
        },
        document=found.to_json(),
        checks={STILL: found.check()},
    )


def _table(found: JudgeDrift) -> str:
    lines = ["| expert | axis | sessions | shift | alarms |", "|---|---|---:|---:|---|"]
    lines += [
        f"| {code_span(one.expert_id)} | {one.axis} | {one.drift.items:,} | {half_up(one.drift.shift)} "
        f"| {'; '.join(one.drift.alarms)} |"
        for one in found.moved
    ]
    return "\n".join(lines)
