"""From cells to the scores of a session, and how a session then stands."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.core.session_results import ScoredStatus, SessionStatus
from eval_pipeline.judging.aggregation import CellState, NoScore
from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.session_eval.scoring.cells import MASKED, PLAIN, Cell, CellVerdict, read_cell
from eval_pipeline.session_eval.scoring.session_scores import (
    SessionScore,
    axis_json,
    read_axis,
    score_session,
)
from eval_pipeline.session_eval.scoring.standing import (
    Asked,
    ExpertIdentity,
    Instrument,
    Result,
    StaleReason,
    Standing,
    changes,
    instrument_of,
    is_to_be_judged,
    passes,
    status_of,
)

PANEL = built_in_panel("sessions")
APPLIES = ("task_complexity", "goal_completion", "tool_usage_quality", "efficiency", "communication")
QUALITY = APPLIES[1:]


def cell(expert: str, levels: Mapping[str, float | None], *, status: str = "ok", variant: str = PLAIN) -> Cell:
    """Return a cell; None: could not judge."""
    said = {
        axis: CellVerdict(CellState.ABSTAINED) if level is None else CellVerdict(CellState.SCORED, level)
        for axis, level in levels.items()
    }
    return Cell(expert_id=expert, sample=0, variant=variant, status=status, verdicts=said, cost_usd=Decimal("0.01"))


def panel_says(level: float, complexity: float = 50.0) -> list[Cell]:
    return [
        cell(
            expert.id,
            {axis: complexity if axis == "task_complexity" else level for axis in expert.axes if axis in APPLIES},
        )
        for expert in PANEL.experts
    ]


def score(cells: list[Cell]) -> SessionScore:
    return score_session(cells, panel=PANEL, applies=APPLIES)


def test_a_session_is_scored_by_its_required_axes_of_quality_and_not_by_how_hard_it_was() -> None:
    found = score(panel_says(80.0, complexity=100.0))

    assert (found.status, found.panel_complete, found.mean, found.complexity) == (
        ScoredStatus.EVALUATED,
        True,
        80.0,
        100.0,
    )
    assert {axis: one.reason for axis, one in found.axes.items() if one.mean is None} == {
        "subagent_orchestration": NoScore.NOT_APPLICABLE,
        "self_extension": NoScore.NOT_APPLICABLE,
    }
    assert (found.cells, found.cells_failed, found.cost_usd) == (4, 0, Decimal("0.04"))
    no_tools = score_session(panel_says(80.0), panel=PANEL, applies=("goal_completion", "efficiency", "communication"))
    assert (no_tools.axes["tool_usage_quality"].reason, no_tools.mean) == (NoScore.NOT_APPLICABLE, 80.0)
    assert read_axis(axis_json(found.axes["efficiency"])) == found.axes["efficiency"]


def test_one_dead_expert_of_four_leaves_a_partial_session() -> None:
    living = panel_says(60.0)

    for dead, lost in (
        ("outcome", {"task_complexity"}),
        ("operator", {"tool_usage_quality", "efficiency"}),
        ("auditor", {"task_complexity", "tool_usage_quality", "efficiency", "communication"}),
    ):
        refused = [replace(one, status="failed", verdicts={}) if one.expert_id == dead else one for one in living]
        for cells in (refused, [one for one in living if one.expert_id != dead]):
            found = score(cells)
            assert (found.status, found.panel_complete, found.mean) == (ScoredStatus.PARTIAL, False, 60.0), dead
            insufficient = {axis for axis, one in found.axes.items() if one.reason is NoScore.INSUFFICIENT_PANEL}
            assert insufficient == lost
    outcome_lost = [one for one in living if one.expert_id in {"operator", "auditor"}]
    assert score(outcome_lost).status is ScoredStatus.FAILED  # one of three that rate goal_completion
    assert score([]).status is ScoredStatus.FAILED


def test_of_a_session_that_was_also_read_with_spans_masked_the_lower_level_counts() -> None:
    plain, masked = panel_says(100.0), [replace(one, variant=MASKED) for one in panel_says(25.0)]
    canary = [replace(one, variant="canary:forged_json") for one in panel_says(0.0)]

    both = score([*plain, *masked, *canary])
    assert (both.mean, both.cells, both.status) == (25.0, 8, ScoredStatus.EVALUATED)
    assert score([*masked, *plain]).mean == 25.0
    unread = [replace(one, status="refused", verdicts={}) for one in masked]
    assert score([*plain, *unread]).status is ScoredStatus.FAILED


def test_samples_of_an_expert_are_averaged_before_experts_are() -> None:
    base = [one for one in panel_says(50.0) if one.expert_id != "outcome"]
    samples = [
        replace(cell("outcome", {"goal_completion": level, "task_complexity": 50.0}), sample=number)
        for number, level in enumerate((100.0, 0.0, 50.0, 50.0))
    ]
    found = score([*base, *samples])

    assert (found.axes["goal_completion"].mean, found.axes["goal_completion"].scored) == (50.0, 3)


def test_weights_that_were_learnt_are_part_of_the_row() -> None:
    cells = [
        cell("outcome", {"goal_completion": 100.0, "task_complexity": 25.0}),
        cell("dialogue", {"goal_completion": 0.0, "communication": 50.0}),
        cell("auditor", {**dict.fromkeys(QUALITY, 50.0), "task_complexity": 25.0}),
        cell("operator", {"tool_usage_quality": 50.0, "efficiency": 50.0}),
    ]
    learnt = {("outcome", "goal_completion"): 0.8, ("dialogue", "goal_completion"): 0.0}
    found = score_session(cells, panel=PANEL, applies=APPLIES, weights=learnt)

    assert found.axes["goal_completion"].mean == pytest.approx((80 + 50) / 1.8)
    assert found.axes_json()["goal_completion"]["weights"] == {"outcome": 0.8, "dialogue": 0.0, "auditor": 1.0}
    assert "weights" not in found.axes_json()["communication"]


def test_a_cell_is_read_from_its_row() -> None:
    axes = {
        "goal_completion": {
            "score": 75,
            "state": "scored",
            "evidence": [{"message_index": 5, "quote": "booked", "verified": True}, {"verified": False}],
        },
        "efficiency": {"score": None, "state": "cannot_judge", "evidence": []},
        "communication": {"score": None, "state": "abstained"},
    }
    row = {
        "session_id": "A",
        "expert_id": "outcome",
        "sample": 1,
        "variant": "plain",
        "status": "ok",
        "axes": orjson.dumps(axes).decode(),
        "rendering": '{"feedback_visible": true}',
        "cost_usd": Decimal("0.5"),
    }
    read = read_cell(row)

    assert read.verdict("goal_completion") == CellVerdict(CellState.SCORED, 75.0, quotes=2, verified=1)
    assert read.verdict("efficiency").state is read.verdict("communication").state is CellState.ABSTAINED
    assert read.verdict("task_complexity").state is CellState.MISSING
    assert read.feedback_visible
    assert not read_cell({**row, "axes": "", "rendering": None, "status": "parse_failed"}).is_ok


def an_instrument(**experts: ExpertIdentity) -> Instrument:
    asked = {
        expert.id: Asked(judge_fingerprint=f"sha256:{expert.id}", model=expert.model, protocol="p", host="h")
        for expert in PANEL.experts
    }
    made = instrument_of(PANEL, asked)
    return replace(made, experts={**made.experts, **experts})


NOW = an_instrument()
OUTCOME = NOW.experts["outcome"]


def test_what_changed_is_told_reason_by_reason() -> None:
    for before, reasons in [
        (replace(NOW, panel_version="2", rubric_version="9", panel_fingerprint="sha256:spelled otherwise"), []),
        (replace(NOW, rubric_fingerprint="sha256:other"), [StaleReason.RUBRIC_CHANGED]),
        (an_instrument(outcome=replace(OUTCOME, model="openai/gpt-5")), [StaleReason.MODEL_CHANGED]),
        (an_instrument(outcome=replace(OUTCOME, asking_fingerprint="sha256:x")), [StaleReason.JUDGE_CHANGED]),
        (an_instrument(outcome=replace(OUTCOME, judge_fingerprint="sha256:x")), [StaleReason.JUDGE_CHANGED]),
        (an_instrument(outcome=replace(OUTCOME, weight=2.0)), [StaleReason.PANEL_CHANGED]),
        (an_instrument(outcome=replace(OUTCOME, axes=("goal_completion",))), [StaleReason.PANEL_CHANGED]),
        (an_instrument(fifth=OUTCOME), [StaleReason.PANEL_CHANGED]),
        (
            an_instrument(outcome=replace(OUTCOME, model="m", asking_fingerprint="a"), fifth=OUTCOME),
            [StaleReason.JUDGE_CHANGED, StaleReason.MODEL_CHANGED, StaleReason.PANEL_CHANGED],
        ),
    ]:
        assert list(changes(before, NOW)) == reasons
        assert (before.digest == NOW.digest) is (not reasons)
        assert Instrument.from_json(orjson.loads(orjson.dumps(before.to_json()))) == before


def test_a_session_stands_as_running_before_failed_before_stale_before_partial_before_evaluated() -> None:
    other = replace(NOW, rubric_fingerprint="sha256:other")

    def standing(status: ScoredStatus | None, *, fingerprint: str = "s", current: Instrument = NOW) -> Standing:
        result = None if status is None else Result(session_fingerprint="s", instrument=NOW, status=status)
        return status_of(session_fingerprint=fingerprint, result=result, current=current)

    assert standing(None) == Standing(SessionStatus.PENDING)
    assert standing(ScoredStatus.EVALUATED) == Standing(SessionStatus.EVALUATED, (), panel_complete=True)
    assert standing(ScoredStatus.PARTIAL) == Standing(SessionStatus.PARTIAL)
    for status in (ScoredStatus.PARTIAL, ScoredStatus.EVALUATED):
        both = standing(status, fingerprint="grown", current=other)
        assert both.status is SessionStatus.STALE
        assert both.reasons == (StaleReason.SESSION_CHANGED, StaleReason.RUBRIC_CHANGED)
    failed = standing(ScoredStatus.FAILED, fingerprint="grown")
    assert (failed.status, failed.reasons) == (SessionStatus.FAILED, (StaleReason.SESSION_CHANGED,))
    result = Result(session_fingerprint="s", instrument=NOW, status=ScoredStatus.FAILED)
    running = status_of(session_fingerprint="s", result=result, current=NOW, is_running=True)
    assert running.status is SessionStatus.RUNNING

    wanted = {SessionStatus.EVALUATED}
    assert passes(standing(ScoredStatus.PARTIAL), wanted)
    assert not passes(both, wanted)
    assert [is_to_be_judged(standing(status)) for status in (None, *ScoredStatus)] == [True, False, True, True]
    assert not is_to_be_judged(standing(ScoredStatus.FAILED), failed_tries=3)
    assert is_to_be_judged(failed, failed_tries=3)
    assert is_to_be_judged(both)


levels = st.sampled_from([None, 0.0, 25.0, 50.0, 75.0, 100.0])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(levels, min_size=9, max_size=9))
def test_the_order_of_cells_changes_nothing_and_a_mean_lies_within_its_axes(said: list[float | None]) -> None:
    given_levels = iter(said)
    cells = [
        cell(expert.id, {axis: next(given_levels) for axis in expert.axes if axis in APPLIES})
        for expert in PANEL.experts
        if expert.id != "auditor"
    ]
    cells.append(cell("auditor", {axis: next(given_levels, 50.0) for axis in APPLIES}))
    found, turned = score(cells), score(cells[::-1])

    assert found.axes == turned.axes
    scores = [mean for axis in QUALITY if (mean := found.axes[axis].mean) is not None]
    assert (found.mean is None) is (found.axes["goal_completion"].mean is None)
    if found.mean is not None:
        assert min(scores) <= found.mean <= max(scores)
