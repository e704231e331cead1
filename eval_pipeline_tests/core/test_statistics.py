"""Means, clustered standard errors and intervals, against numpy, scipy and published numbers."""

import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval_pipeline.core.statistics import (
    Bounds,
    IntervalMethod,
    clustered_standard_error,
    estimate_mean,
    mean,
    paired_difference,
    percentile,
    population_std,
    wilson_interval,
)

UNIT = Bounds(0.0, 1.0)
values_lists = st.lists(st.floats(-1, 1), min_size=2, max_size=60)
clustered_values = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9)), min_size=2, max_size=80)
quick = settings(max_examples=150, deadline=None, derandomize=True)


def sandwich_standard_error(values: Sequence[float], clusters: Sequence[int]) -> float:
    """The textbook form: an intercept-only regression with the CR1 covariance matrix."""
    x = np.ones((len(values), 1))
    residuals = np.asarray(values) - np.mean(values)
    labels = np.unique(clusters)
    bread = np.linalg.inv(x.T @ x)
    meat = np.zeros((1, 1))
    for label in labels:
        chosen = np.asarray(clusters) == label
        score = x[chosen].T @ residuals[chosen]
        meat += np.outer(score, score)
    count = len(labels)
    return float(np.sqrt(count / (count - 1) * bread @ meat @ bread)[0, 0])


@quick
@given(clustered_values)
def test_the_clustered_error_is_that_of_a_cluster_robust_regression(pairs: list[tuple[float, int]]) -> None:
    values, clusters = [value for value, _ in pairs], [cluster for _, cluster in pairs]
    found = clustered_standard_error(values, clusters=clusters)

    if len(set(clusters)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(sandwich_standard_error(values, clusters), rel=1e-9, abs=1e-14)


@quick
@given(values_lists)
def test_with_one_item_per_question_it_is_the_sample_deviation_over_root_n(values: list[float]) -> None:
    found = clustered_standard_error(values, clusters=range(len(values)))

    assert found == pytest.approx(stats.sem(values, ddof=1), rel=1e-9, abs=1e-14)


@quick
@given(values_lists, st.integers(2, 5))
def test_repeating_every_question_alike_adds_no_certainty(values: list[float], repeats: int) -> None:
    once = clustered_standard_error(values, clusters=range(len(values)))
    repeated = clustered_standard_error(values * repeats, clusters=list(range(len(values))) * repeats)

    assert repeated == pytest.approx(once, rel=1e-9, abs=1e-14)


@quick
@given(clustered_values, st.randoms(use_true_random=False), st.floats(-5, 5))
def test_neither_order_nor_names_nor_a_shift_change_the_error(
    pairs: list[tuple[float, int]], random: Random, shift: float
) -> None:
    before = clustered_standard_error([value for value, _ in pairs], clusters=[cluster for _, cluster in pairs])
    random.shuffle(pairs)
    after = clustered_standard_error(
        [value + shift for value, _ in pairs], clusters=[f"question {cluster}" for _, cluster in pairs]
    )

    assert (before is None) == (after is None)
    assert after is None or after == pytest.approx(before, rel=1e-6, abs=1e-12)


@quick
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80))
def test_mean_and_population_std_agree_with_numpy(values: list[float]) -> None:
    assert mean(values) == pytest.approx(np.mean(values), rel=1e-12, abs=1e-9)
    assert population_std(values) == pytest.approx(np.std(values), rel=1e-9, abs=1e-9)


def test_sums_are_exact() -> None:
    assert mean([1e16, 1.0, -1e16]) == 1 / 3


@pytest.mark.parametrize("value", [0.1, 0.3, 1 / 3, 0.7])
def test_equal_values_have_exactly_their_mean_and_no_deviation(value: float) -> None:
    assert mean([value] * 7) == value
    assert population_std([value] * 7) == 0


def test_no_values_are_no_data_not_zero() -> None:
    estimate = estimate_mean([], clusters=[])

    assert (estimate.mean, estimate.std, estimate.standard_error, estimate.interval) == (None, None, None, None)
    assert percentile([], 50) is None


def test_one_question_has_no_uncertainty_that_could_be_told() -> None:
    estimate = estimate_mean([0.0, 1.0, 1.0], clusters=["q", "q", "q"], bounds=UNIT, proportion=True)

    assert estimate.mean == 2 / 3
    assert estimate.standard_error is None
    assert estimate.interval is None


@quick
@given(values_lists)
def test_the_interval_of_independent_values_is_scipys_t_interval(values: list[float]) -> None:
    estimate = estimate_mean(values, clusters=range(len(values)))
    error = stats.sem(values)
    assert estimate.interval is not None
    if error > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
        assert (estimate.interval.low, estimate.interval.high) == pytest.approx((low, high), rel=1e-9, abs=1e-12)


def test_intervals_do_not_leave_the_range_of_the_score() -> None:
    estimate = estimate_mean([0.0, 1.0, 1.0], clusters=[1, 2, 3], bounds=UNIT, proportion=True)

    assert estimate.interval is not None
    assert (estimate.interval.low, estimate.interval.high) == (0.0, 1.0)
    assert estimate.interval.method is IntervalMethod.CLUSTERED_T


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_right_or_all_wrong_gets_a_wilson_interval_on_the_questions(value: float) -> None:
    """A t interval of width 0 would claim certainty after ten questions; five repeats of each add none."""
    estimate = estimate_mean([value] * 50, clusters=[*range(10)] * 5, bounds=UNIT, proportion=True)
    expected = stats.binomtest(int(10 * value), 10).proportion_ci(method="wilson")

    assert estimate.interval is not None
    assert estimate.interval.method is IntervalMethod.WILSON
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_questions_that_are_all_right_equally_often_get_a_wilson_interval_too() -> None:
    values = [1.0, 0.0, 0.0] * 4
    estimate = estimate_mean(values, clusters=[at // 3 for at in range(12)], bounds=UNIT, proportion=True)

    assert estimate.interval is not None
    assert estimate.interval.method is IntervalMethod.WILSON
    assert estimate.interval.low < 1 / 3 < estimate.interval.high


def test_equal_numbers_have_an_interval_without_width() -> None:
    estimate = estimate_mean([0.3, 0.3, 0.3], clusters=[1, 2, 3], bounds=UNIT)

    assert estimate.interval is not None
    assert (estimate.interval.low, estimate.interval.high) == (0.3, 0.3)


def test_wilson_gives_the_published_interval_for_nine_of_ten() -> None:
    interval = wilson_interval(9, trials=10)

    assert (round(interval.low, 4), round(interval.high, 4)) == (0.5958, 0.9821)


@quick
@given(st.integers(1, 3000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_wilson_agrees_with_scipy(case: tuple[int, int]) -> None:
    successes, trials = case
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    interval = wilson_interval(successes, trials=trials)

    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= interval.low <= successes / trials <= interval.high <= 1


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (-1, 5), (6, 5)])
def test_an_impossible_proportion_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson_interval(successes, trials=trials)


@quick
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 100))
def test_percentiles_agree_with_numpy(values: list[float], percent: float) -> None:
    assert percentile(values, percent) == pytest.approx(np.percentile(values, percent), rel=1e-9, abs=1e-6)


def test_a_percentile_beyond_hundred_is_refused() -> None:
    with pytest.raises(ValueError, match="not 0 to 100"):
        percentile([1.0], 101)


def test_a_paired_difference_is_the_estimate_of_the_differences() -> None:
    first, second = [0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0]
    difference = paired_difference(first, second=second, clusters=[1, 2, 3, 4])
    expected = stats.ttest_rel(second, first).confidence_interval(0.95)

    assert difference.mean == 0.25
    assert difference.interval is not None
    assert (difference.interval.low, difference.interval.high) == pytest.approx((expected.low, expected.high))


def test_pairing_needs_as_many_values_on_both_sides() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_difference([1.0, 2.0], second=[1.0], clusters=[1, 2])


@quick
@given(clustered_values)
def test_nothing_is_ever_nan(pairs: list[tuple[float, int]]) -> None:
    estimate = estimate_mean(
        [value for value, _ in pairs], clusters=[cluster for _, cluster in pairs], bounds=UNIT, proportion=True
    )
    numbers = [estimate.mean, estimate.std, estimate.standard_error]
    if estimate.interval is not None:
        numbers += [estimate.interval.low, estimate.interval.high]

    assert all(number is None or math.isfinite(number) for number in numbers)
