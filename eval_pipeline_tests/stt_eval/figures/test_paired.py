"""The difference of two systems in the same resamples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from eval_pipeline.statistics.resampling import expanded_tail
from eval_pipeline.stt_eval.figures.paired import PairedDifference, paired_difference
from eval_pipeline.stt_eval.figures.pooled_rates import Counted, pooled_rate

quick = settings(max_examples=60, deadline=None, derandomize=True)
triples = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 20)), min_size=2, max_size=40)
Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def columns(rows: list[tuple[int, int, int]]) -> Columns:
    array = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return array[:, 0], array[:, 1], array[:, 2]


def two_systems(size: int) -> Columns:
    generator = np.random.default_rng(5)
    lengths = generator.integers(1, 20, size)
    hardness = generator.beta(2, 8, size)
    return generator.binomial(lengths, hardness), generator.binomial(lengths, np.minimum(hardness * 1.2, 1)), lengths


def test_the_difference_is_that_of_drawing_pairs_one_by_one() -> None:
    first, second, lengths = two_systems(300)
    found = paired_difference(first, second, lengths, seed=11)

    generator = np.random.default_rng(11)
    plain = []
    for _ in range(2_000):
        drawn = generator.integers(0, 300, 300)
        plain.append((first[drawn].sum() - second[drawn].sum()) / lengths[drawn].sum())
    tail = expanded_tail(level=0.95, units=300)
    assert found.difference == (first.sum() - second.sum()) / lengths.sum()
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == tuple(np.quantile(plain, [tail, 1 - tail]))
    assert found.probability_first_better == np.mean(np.array(plain) < 0)


def test_pairing_makes_the_interval_narrower_than_those_of_the_rates() -> None:
    """Hard utterances are hard for both systems; the difference does not suffer from which of them were drawn."""
    first, second, lengths = two_systems(300)
    paired = paired_difference(first, second, lengths, seed=2).interval
    alone = pooled_rate(Counted(first, lengths)).interval

    assert paired is not None
    assert alone is not None
    assert paired.high - paired.low < alone.high - alone.low


@quick
@given(triples)
def test_exchanging_the_systems_turns_the_sign(rows: list[tuple[int, int, int]]) -> None:
    first, second, lengths = columns(rows)
    one = paired_difference(first, second, lengths, seed=7, resamples=200)
    other = paired_difference(second, first, lengths, seed=7, resamples=200)

    assert one.difference == -(other.difference or 0.0)
    assert one.interval is not None
    assert other.interval is not None
    assert (one.interval.low, one.interval.high) == pytest.approx(
        (-other.interval.high, -other.interval.low), abs=1e-12
    )
    assert (one.probability_first_better or 0) + (other.probability_first_better or 0) == pytest.approx(1)
    assert (one.first_fewer, one.second_fewer, one.equal) == (other.second_fewer, other.first_fewer, other.equal)


@quick
@given(triples)
def test_a_system_does_not_differ_from_itself(rows: list[tuple[int, int, int]]) -> None:
    first, _, lengths = columns(rows)
    found = paired_difference(first, first, lengths, seed=7, resamples=50)

    assert found.difference == 0.0
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (0.0, 0.0)
    assert found.probability_first_better == 0.5
    assert found.equal == len(rows)


def test_the_rates_are_those_of_each_system_alone() -> None:
    first, second, lengths = two_systems(50)
    found = paired_difference(first, second, lengths, seed=1)

    assert found.first_rate == pooled_rate(Counted(first, lengths)).rate
    assert found.second_rate == pooled_rate(Counted(second, lengths)).rate


def test_clusters_are_drawn_whole() -> None:
    rows = [(1, 2, 5), (2, 2, 5), (0, 3, 5), (4, 4, 10)]
    sums = [(3, 4, 10), (4, 7, 15)]
    found = paired_difference(*columns(rows), seed=3, clusters=np.array([1, 1, 2, 2]))

    assert found.interval == paired_difference(*columns(sums), seed=3).interval
    assert (found.utterances, found.units, found.first_fewer) == (4, 2, 2)


def test_no_data_is_no_difference_and_not_zero() -> None:
    assert paired_difference(*columns([]), seed=1) == PairedDifference(None, None, None, None, None, 0, 0, 0, 0, 0)
    one = paired_difference(*columns([(1, 2, 4)]), seed=1)
    assert (one.difference, one.interval, one.probability_first_better) == (-0.25, None, None)
    assert paired_difference(*columns([(1, 2, 0)]), seed=1).difference is None


def test_the_interval_is_close_to_that_of_scipy() -> None:
    first, second, lengths = two_systems(400)
    found = paired_difference(first, second, lengths, seed=1, resamples=4_000).interval

    oracle = stats.bootstrap(
        (first, second, lengths),
        lambda one, other, tokens, axis: (one.sum(axis=axis) - other.sum(axis=axis)) / tokens.sum(axis=axis),
        paired=True,
        n_resamples=4_000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=0.003)


def test_counts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="is -1, below zero"):
        paired_difference(*columns([(-1, 2, 4), (1, 1, 4)]), seed=1)
    with pytest.raises(ValueError, match="1 cluster labels for 2 utterances"):
        paired_difference(*columns([(1, 2, 4), (1, 1, 4)]), seed=1, clusters=np.array([1]))
