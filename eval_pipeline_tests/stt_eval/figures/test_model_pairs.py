"""What two tests together allow to conclude, and for how many pairs at once."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval_pipeline.stt_eval.figures.matched_samples import matched_samples
from eval_pipeline.stt_eval.figures.model_pairs import (
    Conclusion,
    ModelPair,
    PairTest,
    adjust_p_values,
    judge_pairs,
    unbeaten_models,
)
from eval_pipeline.stt_eval.figures.paired import paired_difference
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
        (-0.05, None, 0.001, Conclusion.NOT_DISTINGUISHABLE),
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


def test_differences_that_are_all_the_same_are_tested_by_their_signs() -> None:
    """MAPSSWE and t have nothing to measure a difference by that is one error in every segment."""
    none = compared("a", "b", difference=-0.05, interval=MINUS_FIVE, p=None)
    few = compared("a", "b", difference=-0.05, interval=MINUS_FIVE, p=None, segments=5)
    samples = ModelPair(
        "a", "b", none.difference, None, matched_samples(np.full(8, 1, dtype=np.int64), np.full(8, 2, dtype=np.int64))
    )

    judged = [judge_pairs([pair])[0] for pair in (none, few, samples)]

    assert [one.conclusion for one in judged] == [
        Conclusion.FIRST_BETTER,
        Conclusion.TESTS_DISAGREE,
        Conclusion.FIRST_BETTER,
    ]
    assert [one.pair.evidence and one.pair.evidence.test for one in judged] == [PairTest.SIGN] * 3
    assert [one.adjusted_p for one in judged] == [2**-19, 0.0625, 2**-7]


def test_of_mapsswe_and_the_samples_the_more_doubtful_decides() -> None:
    """MAPSSWE takes errors of one clip for independent: among five equal models it named a better one in 15 %."""
    bold = compared("a", "b", difference=-0.05, interval=MINUS_FIVE, p=0.001)
    doubtful = matched_samples(np.array([3, 9, 4, 2]), np.array([4, 7, 9, 4]))

    (judged,) = judge_pairs([replace(bold, samples=doubtful)])

    assert doubtful.p_two_sided is not None
    assert doubtful.p_two_sided > 0.05
    assert (judged.conclusion, judged.adjusted_p) == (Conclusion.TESTS_DISAGREE, doubtful.p_two_sided)


def test_samples_are_tested_as_scipy_does() -> None:
    first, second = np.array([3, 0, 4, 2, 6, 1]), np.array([1, 0, 2, 3, 2, 0])
    found, oracle = matched_samples(first, second), stats.ttest_rel(first, second)

    assert (found.t, found.p_two_sided) == pytest.approx((oracle.statistic, oracle.pvalue), rel=1e-12)
    assert matched_samples(first, second, clusters=np.array([1, 1, 2, 2, 3, 3])).units == 3
    assert matched_samples(first[:1], second[:1]).p_two_sided is None
    assert (matched_samples(first, first).t, matched_samples(first, first).p_two_sided) == (0.0, 1.0)


def reports_that_call_one_of_five_equal_models_better(*, samples: int, reports: int) -> int:
    """Draw letters of which a tenth is wrong, more in some samples, and each model's own errors on top."""
    generator = np.random.default_rng(samples)
    wrong = 0
    for report in range(reports):
        lengths = np.maximum(5, np.round(generator.normal(50, 22, samples))).astype(np.int64)
        odds = -2.2 + generator.normal(0, 0.9, samples)
        own = (odds + generator.normal(0, 0.7, samples) for _ in range(5))
        edits = [generator.binomial(lengths, 1 / (1 + np.exp(-one))) for one in own]
        pairs = [
            ModelPair(
                str(first),
                str(second),
                paired_difference(edits[first], edits[second], lengths, seed=report, resamples=200),
                None,
                matched_samples(edits[first], edits[second]),
            )
            for first, second in combinations(range(5), 2)
        ]
        wrong += any(judged.better for judged in judge_pairs(pairs))
    return wrong


def test_among_five_equal_models_seldom_one_is_called_better() -> None:
    """By characters and without correction it was in 45 % of reports; of 60, 5 % are 3."""
    assert reports_that_call_one_of_five_equal_models_better(samples=10, reports=60) <= 6


@pytest.mark.slow
@pytest.mark.parametrize("samples", [5, 8, 20, 50, 200])
def test_among_five_equal_models_one_is_called_better_in_five_of_a_hundred_reports(samples: int) -> None:
    assert reports_that_call_one_of_five_equal_models_better(samples=samples, reports=400) <= 30


def test_without_a_second_test_the_interval_decides() -> None:
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
    assert (first.conclusion, first.adjusted_p, first.family) == (Conclusion.NOT_DISTINGUISHABLE, 0.06, 2)


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
