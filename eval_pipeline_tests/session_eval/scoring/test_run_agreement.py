"""A run's sessions gathered into matrices and columns, and what they come to."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.session_eval.scoring.by_session import cells_by_session
from eval_pipeline.session_eval.scoring.calibration import Direction, Labelled, succeeded
from eval_pipeline.session_eval.scoring.columns import JudgedColumns
from eval_pipeline.session_eval.scoring.run_agreement import CALLS, LENGTH, RatedSession, RunRatings
from eval_pipeline.session_eval.scoring.session_scores import main_axis
from eval_pipeline.session_eval.scoring.weekly import describe
from eval_pipeline.session_eval.session_store import each
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.session_eval.homes import PROJECT, TAU_BENCH, brought_in
from eval_pipeline_tests.session_eval.scoring.test_session_scores import APPLIES, PANEL, QUALITY, cell, score

STEPS = (0.0, 25.0, 50.0, 75.0, 100.0)


def rated(number: int, *, truth: float, generator: np.random.Generator, seen: bool = False) -> RatedSession:
    def says(share: float) -> float:
        return truth if generator.random() > share else float(generator.choice(STEPS))

    cells = [
        cell("outcome", {"goal_completion": says(0.2), "task_complexity": 50.0}),
        cell("operator", {"tool_usage_quality": says(0.3), "efficiency": 50.0}),
        cell("dialogue", {"goal_completion": float(generator.choice(STEPS)), "communication": 75.0}),
        cell("auditor", {**dict.fromkeys(QUALITY, says(0.2)), "task_complexity": 25.0}),
    ]
    if seen:
        cells = [replace(one, feedback_visible=True) for one in cells]
    scored = score(cells)
    return RatedSession(
        session_id=str(number),
        cells=cells,
        mean=scored.mean,
        axes={axis: one.mean for axis, one in scored.axes.items()},
        characters=1_000 + int(generator.integers(0, 500)),
        tool_calls=int(generator.integers(0, 9)),
        likes=int(truth > 50),
        dislikes=int(truth < 50),
        outcome={"success": truth >= 75},
        people={("goal_completion", "asha"): says(0.1), ("goal_completion", "ben"): says(0.1)},
    )


def test_everything_that_is_known_of_a_run_is_measured_at_once() -> None:
    generator = np.random.default_rng(8)
    gathered = RunRatings(PANEL)
    for number in range(90):
        gathered.add(rated(number, truth=float(generator.choice(STEPS)), generator=generator, seen=number >= 80))
    found = gathered.measure(seed="run")
    by_axis = {axis.axis: axis for axis in found.axes}

    assert list(by_axis) == list(PANEL.rubric.axes)
    main = by_axis["goal_completion"]
    assert (main.sessions, main.rated_by_people, found.seen_feedback) == (90, 80, 10)
    assert [one.judge for one in main.against_people] == ["outcome", "dialogue", "auditor", "panel"]
    assert main.people_kappa is not None
    assert main.people_kappa > 0.7
    assert (by_axis["self_extension"].sessions, by_axis["self_extension"].alpha.value) == (0, None)
    assert by_axis["communication"].against_people == ()
    learnt = found.learnt["goal_completion"]
    assert list(found.learnt) == ["goal_completion"]
    assert learnt["outcome"] > 0.5 > learnt["dialogue"]
    likes, outcomes = found.predicted
    assert likes.good + likes.bad < 80
    assert (outcomes.good + outcomes.bad, likes.is_enough) == (80, True)
    assert [area.name for area in outcomes.baselines] == [LENGTH, CALLS]
    assert outcomes.is_above_baselines("panel") is True
    assert [area.name for area in outcomes.judges] == [
        "panel",
        "panel: goal_completion",
        "outcome",
        "dialogue",
        "auditor",
    ]
    told = found.to_json()
    assert told["learnt_weights"]["goal_completion"].keys() == {"outcome", "dialogue", "auditor"}
    assert main_axis(built_in_panel("sessions").rubric) == "goal_completion"


def test_length_and_calls_tell_outcomes_of_200_recorded_sessions_as_published(deployment: Deployment) -> None:
    """AUC .709 of the characters said and .653 of the calls: shorter sessions went well. A judge must be above that."""
    brought_in(deployment, TAU_BENCH)
    gathered = RunRatings(PANEL)
    for stored in each(deployment, PROJECT):
        gathered.add(
            RatedSession(
                session_id=stored.session_id,
                cells=(),
                mean=100 * succeeded(stored.outcome),
                axes={},
                characters=stored.facts.characters,
                tool_calls=stored.facts.tool_calls,
                outcome=stored.outcome,
            )
        )
    [outcomes] = [one for one in gathered.measure(seed="tau").predicted if one.by is Labelled.OUTCOMES]

    assert (outcomes.good, outcomes.bad) == (84, 116)
    found = {area.name: (area.area.value, area.direction) for area in outcomes.baselines}
    assert found[LENGTH] == (pytest.approx(0.709, abs=5e-4), Direction.LOWER)
    assert found[CALLS] == (pytest.approx(0.653, abs=5e-4), Direction.LOWER)
    assert outcomes.is_above_baselines("panel")


def test_cells_are_put_together_by_session_also_where_a_session_has_none() -> None:
    def row(session: str, expert: str) -> dict[str, object]:
        return {
            "session_id": session,
            "expert_id": expert,
            "sample": 0,
            "variant": "plain",
            "status": "ok",
            "axes": "{}",
            "rendering": "{}",
            "cost_usd": Decimal(0),
        }

    rows = [row("A", "x"), row("A", "y"), row("C", "x"), row("D", "x"), row("B", "y")]
    found = cells_by_session(["A", "B", "C", "none"], rows)

    assert {session: [cell.expert_id for cell in cells] for session, cells in found} == {
        "A": ["x", "y"],
        "B": ["y"],
        "C": ["x"],
        "none": [],
    }


def test_columns_hold_what_rows_said() -> None:
    columns = JudgedColumns(APPLIES)
    axes = {
        "goal_completion": {"mean": 80.0, "reason": None},
        "efficiency": {"mean": None, "reason": "insufficient_panel"},
    }
    moment = datetime(2026, 1, 4, 20, tzinfo=UTC)
    columns.add(last_active=moment, mean=80.0, complexity=30.0, axes=axes, thumbs=(2, 1), cost_usd=Decimal("0.5"))
    columns.add(last_active=None, mean=None, complexity=None, axes={}, thumbs=(0, 0), cost_usd=None)
    judged = columns.judged()
    overall = describe(judged, seed="s")[0]

    assert judged.last_active_s[0] == moment.timestamp()
    assert math.isnan(judged.last_active_s[1])
    assert (overall.axes["goal_completion"].mean, overall.axes["goal_completion"].nulls) == (
        80.0,
        {"not_applicable": 1},
    )
    assert overall.axes["efficiency"].nulls == {"insufficient_panel": 1, "not_applicable": 1}
    assert overall.axes["mean"].nulls == {"no_main_axis": 1}
    assert (overall.likes, overall.dislikes, overall.cost_usd, overall.unpriced) == (2, 1, 0.5, 1)
    assert overall.axes["mean"].mean == pytest.approx(80)
