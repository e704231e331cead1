"""One score from the opinions of a panel: the table of the requirement, and what no panel may break."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.judging.aggregation import AxisScore, CellState, NoScore, Opinion, aggregate, average_samples

NOT_APPLICABLE = Opinion(CellState.NOT_APPLICABLE)
ABSTAINED = Opinion(CellState.ABSTAINED)
MISSING = Opinion(CellState.MISSING)
quick = settings(max_examples=200, deadline=None, derandomize=True)


def scored(level: float, weight: float = 1.0) -> Opinion:
    return Opinion(CellState.SCORED, level, weight)


opinions = st.lists(
    st.one_of(
        st.builds(scored, st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0]), st.sampled_from([0.0, 0.1, 1.0, 3.7])),
        st.sampled_from([NOT_APPLICABLE, ABSTAINED, MISSING]),
    ),
    max_size=6,
)


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        ([scored(90), scored(80), scored(70)], AxisScore(80.0, None, 3, 3, 10.0, disagreement=False)),
        ([scored(90, 2), scored(80), scored(70)], AxisScore(82.5, None, 3, 3, 10.0, disagreement=False)),
        ([NOT_APPLICABLE, scored(50), MISSING], NoScore.INSUFFICIENT_PANEL),
        ([scored(20), MISSING, MISSING], NoScore.INSUFFICIENT_PANEL),
        ([NOT_APPLICABLE, NOT_APPLICABLE, scored(75)], NoScore.NOT_APPLICABLE),
        ([NOT_APPLICABLE] * 3, NoScore.NOT_APPLICABLE),
        (
            [scored(75), scored(25), ABSTAINED],
            AxisScore(50.0, None, 2, 3, pytest.approx(35.355, abs=1e-3), disagreement=True),
        ),
        ([scored(75)], AxisScore(75.0, None, 1, 1, None, disagreement=False)),
        ([scored(75, 0), scored(25, 0)], NoScore.INSUFFICIENT_PANEL),
        ([], NoScore.INSUFFICIENT_PANEL),
    ],
)
def test_panels(panel: list[Opinion], expected: AxisScore | NoScore) -> None:
    found = aggregate(panel)

    assert found == expected if isinstance(expected, AxisScore) else (found.mean, found.reason) == (None, expected)
    assert aggregate(panel, applies=False).reason is NoScore.NOT_APPLICABLE


@quick
@given(opinions)
def test_no_order_and_no_missing_cell_changes_a_score(panel: list[Opinion]) -> None:
    found = aggregate(panel)

    for order in itertools.islice(itertools.permutations(panel), 24):
        assert aggregate(order) == found
    levels = [one.level for one in panel if one.level is not None]
    if found.mean is not None:
        assert min(levels) <= found.mean <= max(levels)
    with_one_less = aggregate([*panel, MISSING])
    if found.mean is not None and with_one_less.mean is not None:
        assert with_one_less.mean == found.mean


def test_samples_of_one_expert_are_averaged_before_experts_are() -> None:
    assert average_samples([scored(50, 2), scored(100, 2), MISSING]) == scored(75, 2)
    assert average_samples([ABSTAINED, ABSTAINED, NOT_APPLICABLE]) == ABSTAINED
    assert average_samples([ABSTAINED, NOT_APPLICABLE]) == NOT_APPLICABLE
    assert average_samples([]) == MISSING
    with pytest.raises(ValueError, match="level"):
        Opinion(CellState.SCORED)
    with pytest.raises(ValueError, match="weight"):
        scored(50, -1)
