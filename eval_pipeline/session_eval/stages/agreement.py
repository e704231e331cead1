"""How far the experts agree with each other, with people, and beyond what length alone would say."""

from collections.abc import Iterator
from typing import Final

import orjson

from eval_pipeline.core.checks import CheckOutcome, checks_json
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.ratings import rated_by_people
from eval_pipeline.session_eval.scoring.agreement import ALPHA_NEEDED, ITEMS_NEEDED, PANEL, AxisAgreement
from eval_pipeline.session_eval.scoring.by_session import cells_by_session
from eval_pipeline.session_eval.scoring.cells import COLUMNS
from eval_pipeline.session_eval.scoring.run_agreement import RatedSession, RunAgreement, RunRatings
from eval_pipeline.session_eval.scoring.session_scores import main_axis
from eval_pipeline.session_eval.spec import SessionSpec

AGREEMENT: Final = "agreement"
"""The fact of the summary that holds everything that was measured."""
ALPHA: Final = "alpha"
TRUSTED: Final = "trusted"
KAPPA_NEEDED: Final = 0.4
"""Quadratic kappa with people below which the panel is warned of."""


def make(task: Task, *, sessions: StageReader, judgements: StageReader, session_scores: StageReader) -> StageReader:
    """Hold the judges of the run against each other, against people, and against what length alone would say."""
    deployment, ref = task.deployment, task.ref("agreement")
    inputs = {"sessions": sessions, "judgements": judgements, "session_scores": session_scores}
    with at_work(deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage:
        panel = SessionSpec.from_json(stage.run.spec).judges.panel
        gathered = RunRatings(panel)
        for rated in _rated(task, sessions, judgements, session_scores):
            gathered.add(rated)
        found = gathered.measure(seed=task.key.partition)
        checks = {ALPHA: alpha_check(found.axes), TRUSTED: trust_check(found, main=main_axis(panel.rubric))}
        stage.files.finish({AGREEMENT: found.to_json(), "note": _note(found), **checks_json(checks)})
    return deployment.stages.open(ref)


def _rated(task: Task, sessions: StageReader, judgements: StageReader, scores: StageReader) -> Iterator[RatedSession]:
    """Put together what is known of each session, in their order."""
    people = rated_by_people(
        task.deployment,
        task.key.project,
        {row["session_id"]: row["session_fingerprint"] for row in sessions.rows(("session_id", "session_fingerprint"))},
    )
    ids = (row["session_id"] for row in sessions.rows(("session_id",)))
    facts = sessions.rows(("session_id", "facts"))
    by_session = cells_by_session(ids, judgements.rows(COLUMNS))
    for scored, row, (session_id, cells) in zip(scores.rows(), facts, by_session, strict=True):
        counted = orjson.loads(row["facts"])
        yield RatedSession(
            session_id=session_id,
            cells=cells,
            mean=scored["mean"],
            axes={axis: score["mean"] for axis, score in orjson.loads(scored["axes"]).items()},
            characters=counted["characters"],
            tool_calls=counted["tool_calls"],
            likes=scored["likes"],
            dislikes=scored["dislikes"],
            outcome=None if scored["outcome"] is None else orjson.loads(scored["outcome"]),
            people=people.get(session_id),
        )


def alpha_check(axes: tuple[AxisAgreement, ...]) -> CheckOutcome:
    """Warn of axes on which experts hardly agree."""
    low = [axis for axis in axes if axis.is_low]
    measured = [axis for axis in axes if axis.alpha.value is not None and axis.alpha.items >= ITEMS_NEEDED]
    facts = {f"alpha_{axis.axis}": round(axis.alpha.value, 4) for axis in axes if axis.alpha.value is not None}
    if low:
        named = ", ".join(f"{axis.axis} {axis.alpha.value:.2f}" for axis in low)
        words = f"Experts hardly agree on {named} (ordinal alpha; {ALPHA_NEEDED:g} is the least to rely on)."
        return CheckOutcome(passed=False, words=words, facts=facts)
    if not measured:
        words = f"No axis has {ITEMS_NEEDED} sessions that several experts rated and that differ: nothing can be said."
        return CheckOutcome(passed=True, words=words, facts=facts)
    words = f"Experts agree on {len(measured)} of {len(axes)} axes by {ALPHA_NEEDED:g} or more (ordinal alpha)."
    return CheckOutcome(passed=True, words=words, facts=facts)


def trust_check(found: RunAgreement, *, main: str | None) -> CheckOutcome:
    """Warn of a panel that agrees neither with people nor knows more than a session's length does."""
    people = next((axis.against_people for axis in found.axes if axis.axis == main), ())
    # the panel's own comes last
    kappa = next((one.kappa for one in people[::-1] if one.kappa.value is not None), None)
    if kappa is not None and kappa.items >= ITEMS_NEEDED:
        value = kappa.value or 0.0
        return CheckOutcome(
            passed=value >= KAPPA_NEEDED,
            words=f"Quadratic kappa with people on {main} is {value:.2f} of {kappa.items:,} sessions; "
            f"{KAPPA_NEEDED:g} is the least to rely on.",
            facts={"kappa": round(value, 4), "sessions": kappa.items},
        )
    for predicted in sorted(found.predicted, key=lambda one: one.by, reverse=True):
        above = predicted.is_above_baselines(PANEL)
        if above is not None:
            area = next(one.area.value for one in predicted.judges if one.name == PANEL) or 0.0
            return CheckOutcome(
                passed=above,
                words=f"By {predicted.by} the panel tells good sessions from bad ones with an AUC of {area:.3f}; the "
                f"length of a session alone with {predicted.best_baseline or 0.0:.3f}.",
                facts={"auc": round(area, 4), "baseline": round(predicted.best_baseline or 0.0, 4)},
            )
    words = "Nobody rated sessions, thumbs are too few, and no outcome is known: how far to trust the panel is open."
    return CheckOutcome(passed=True, words=words)


def _note(found: RunAgreement) -> str:
    told = [f"{axis.axis} {axis.alpha.value:.2f}" for axis in found.axes if axis.alpha.value is not None]
    return f"ordinal alpha among experts: {', '.join(told)}" if told else "experts cannot be compared"
