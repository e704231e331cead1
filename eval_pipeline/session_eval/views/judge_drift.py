"""Whether judges moved: what the asset ``judge_drift`` tells."""

from collections.abc import Sequence
from typing import Final

from eval_pipeline.core.checks import CheckOutcome
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.reporting.amounts import half_up
from eval_pipeline.reporting.markdown import code_span
from eval_pipeline.runs.flow import Viewed
from eval_pipeline.session_eval.anchor_drift import AnchorStanding, anchor_standing
from eval_pipeline.session_eval.anchors import each_anchors, find_anchors
from eval_pipeline.session_eval.judge_drift import JudgeDrift, drift_between, latest_drift
from eval_pipeline.wiring.deployment import Deployment

STILL: Final = "still"
ANCHORS: Final = "anchors"


def make(deployment: Deployment, given: Json, /) -> Viewed:
    """Hold two runs against each other: those asked for, else those of the anchor sets, else the latest pair."""
    project = given.get("project", DEFAULT_PROJECT)
    before, now, anchors = given.get("before"), given.get("now"), given.get("anchors")
    if (before is None) is not (now is None):
        raise UsageError(
            "only one of the two runs was named",
            code="invalid_config",
            hint="name both, before and now, or none: then the anchor sets are taken, or the latest pair",
        )
    if before is not None and now is not None:
        if anchors is not None:
            raise UsageError(
                "two runs were named, and an anchor set",
                code="invalid_config",
                hint="leave out the anchor set, or the runs",
            )
        keys = [RunKey.of(project=project, run=run) for run in (before, now)]
        return _viewed(project, [drift_between(deployment, keys[0], keys[1])], [])
    sets = [find_anchors(deployment, project, anchors)] if anchors is not None else each_anchors(deployment, project)
    standings = [anchor_standing(deployment, one) for one in sets]
    found = [one.drift for one in standings if one.drift is not None]
    if not standings and (pair := latest_drift(deployment, project)) is not None:
        found = [pair]
    return _viewed(project, found, standings)


def _viewed(project: str, found: Sequence[JudgeDrift], standings: Sequence[AnchorStanding]) -> Viewed:
    alarms = [alarm for one in found for alarm in one.alarms]
    checks = [one.check() for one in found]
    nothing = "Nothing was judged again by judges that are others now."
    if standings and not found:
        nothing = "No anchor set was judged twice yet."
    due = [f"{one.anchors.name}: {reason}" for one in standings for reason in one.due]
    one = found[0] if len(found) == 1 else None
    return Viewed(
        summary={
            **({} if one is None else {"before": one.before.key.run, "now": one.now.key.run}),
            "sessions": sum(one.sessions for one in found),
            "alarms": len(alarms),
            "anchors_due": len(due),
            "markdown": "\n\n".join([*map(_table, found), *_due_lines(due)]) or nothing,
        },
        document={
            **({"project": project} if one is None else one.to_json()),
            "sessions": sum(one.sessions for one in found),
            "alarms": alarms,
            "moved": [moved.to_json() for one in found for moved in one.moved],
            "anchors": [one.to_json() for one in standings],
        },
        checks={
            STILL: CheckOutcome(
                passed=all(one.passed for one in checks),
                words=" ".join(one.words for one in checks) or nothing,
                facts={"sessions": sum(one.sessions for one in found), "alarms": len(alarms)},
            ),
            ANCHORS: _current(due, sets=len(standings)),
        },
    )


def _current(due: Sequence[str], *, sets: int) -> CheckOutcome:
    facts = {"sets": sets, "due": len(due)}
    if due:
        words = (
            f"Anchors are due: {'; '.join(due[:5])}. eval-pipeline session run RUN --anchors NAME judges them again."
        )
        return CheckOutcome(passed=False, words=words, facts=facts)
    words = "Since the anchors were judged, the judges are the same." if sets else "The project has no anchor set."
    return CheckOutcome(passed=True, words=words, facts=facts)


def _due_lines(due: Sequence[str]) -> Sequence[str]:
    return [f"Anchors are due: {'; '.join(map(code_span, due))}"] if due else []


def _table(found: JudgeDrift) -> str:
    lines = ["| expert | axis | sessions | shift | alarms |", "|---|---|---:|---:|---|"]
    lines += [
        f"| {code_span(one.expert_id)} | {one.axis} | {one.drift.items:,} | {half_up(one.drift.shift)} "
        f"| {'; '.join(one.drift.alarms)} |"
        for one in found.moved
    ]
    return "\n".join(lines)
