"""What two tests together allow to conclude, and for how many pairs at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.stt_eval.figures.model_pairs import Conclusion, adjust_p_values, judge_pairs, unbeaten_models
from eval_pipeline_tests.stt_eval.figures.pairs import compared, interval_only

quick = settings(max_examples=150, deadline=None, derandomize=True)
MINUS_FIVE = (-0.06, -0.04)


def conclude(**figures: object) -> Conclusion:
    (judged,) = judge_pairs([compared("a", "b", **figures)])  # type: ignore[arg-type]
    return judged.conclusion


@pytest.mark.parametrize(
    ("difference", "interval", "p", "conclusion"),
    [
        (-0.05, MINUS_FIVE, 0.001, Conclusion.FIRST_BETTER),
        (0.05, (0.04, 0.06), 0.05, Conclusion.SECOND_BETTER),
        (-0.05, (-0.11, 0.01), 0.3, Conclusion.NOT_DISTINGUISHABLE),
        (-0.05, MINUS_FIVE, 0.051, Conclusion.TESTS_DISAGREE),
        (-0.05, (-0.11, 0.01), 0.03, Conclusion.TESTS_DISAGREE),
        (-0.05, (-0.11, 0.0), 0.3, Conclusion.NOT_DISTINGUISHABLE),
        (-0.05, MINUS_FIVE, None, Conclusion.TESTS_DISAGREE),
        (-0.05, None, None, Conclusion.NOT_DISTINGUISHABLE),
        (0.0, (-0.01, 0.01), 1.0, Conclusion.NOT_DISTINGUISHABLE),
        (None, None, None, Conclusion.NO_DATA),
    ],
)
def test_a_model_is_better_only_where_both_tests_say_so(
    difference: float | None, interval: tuple[float, float] | None, p: float | None, conclusion: Conclusion
) -> None:
    assert conclude(difference=difference, interval=interval, p=p) is conclusion


def test_equal_errors_on_every_sample_are_not_a_lack_of_evidence() -> None:
    assert conclude(difference=0.0, interval=(0.0, 0.0), p=1.0, samples=9, equal=9) is Conclusion.SAME_ERRORS
    assert conclude(difference=0.0, interval=(0.0, 0.0), p=1.0, samples=9, equal=8) is Conclusion.NOT_DISTINGUISHABLE


def test_tests_that_point_to_different_models_disagree() -> None:
    assert conclude(difference=-0.05, interval=MINUS_FIVE, p=0.001, mean=0.2) is Conclusion.TESTS_DISAGREE


def test_without_mapsswe_the_interval_decides() -> None:
    apart, together = judge_pairs(
        [
            interval_only("a", "b", difference=-0.05, interval=MINUS_FIVE),
            interval_only("a", "c", difference=-0.05, interval=(-0.11, 0.01)),
        ]
    )

    assert (apart.conclusion, apart.better, apart.worse, apart.family) == (Conclusion.FIRST_BETTER, "a", "b", 0)
    assert (together.conclusion, together.better, together.worse) == (Conclusion.NOT_DISTINGUISHABLE, None, None)


def test_what_is_significant_alone_may_not_be_among_many() -> None:
    pair = compared("a", "b", difference=-0.05, interval=MINUS_FIVE, p=0.03)
    other = compared("a", "c", difference=-0.05, interval=(-0.1, 0.1), p=0.6)

    assert judge_pairs([pair])[0].conclusion is Conclusion.FIRST_BETTER
    first, _ = judge_pairs([pair, other])
    assert (first.conclusion, first.adjusted_p, first.family) == (Conclusion.TESTS_DISAGREE, 0.06, 2)


def test_holm_multiplies_by_the_claims_that_are_left_and_keeps_the_order() -> None:
    """R: p.adjust(c(.01, .04, .03, .005), "holm") is .03 .06 .06 .02."""
    adjusted = adjust_p_values([0.01, 0.04, None, 0.03, 0.005])

    assert adjusted[2] is None
    assert [p for p in adjusted if p is not None] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_p_values([0.9, 0.8]) == [1.0, 1.0]
    assert adjust_p_values([]) == []


@quick
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(p_values: list[float]) -> None:
    adjusted = adjust_p_values(p_values)

    for p, corrected in zip(p_values, adjusted, strict=True):
        assert corrected is not None
        assert p <= corrected <= min(1.0, len(p_values) * p) + 1e-12


def test_the_best_group_is_what_no_model_beats() -> None:
    judged = judge_pairs(
        [
            compared("a", "b", difference=0.01, interval=(-0.01, 0.03), p=0.4),
            compared("a", "c", difference=-0.2, interval=(-0.3, -0.1), p=0.0001),
            compared("b", "c", difference=-0.21, interval=(-0.3, -0.1), p=0.0001),
        ]
    )

    assert unbeaten_models(judged) == ["a", "b"]


def test_a_model_that_shares_no_sample_is_not_among_the_best() -> None:
    judged = judge_pairs(
        [
            compared("a", "b", difference=-0.05, interval=MINUS_FIVE, p=0.001),
            compared("a", "dead", difference=None, interval=None, p=None, samples=0, equal=0),
            compared("b", "dead", difference=None, interval=None, p=None, samples=0, equal=0),
        ]
    )

    assert unbeaten_models(judged) == ["a"]
    assert unbeaten_models(judged[1:]) == []
