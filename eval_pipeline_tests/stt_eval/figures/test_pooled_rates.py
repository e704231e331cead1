"""Pooled rates and their intervals: what they hold, how often they hold the truth, and where they end."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eval_pipeline.core.student_t import student_t_quantile
from eval_pipeline.stt_eval.figures.pooled_rates import Counted, PooledRate, RateMethod, pooled_rate

Counts = NDArray[np.int64]
utterances = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20)), max_size=30)
quick = settings(max_examples=150, deadline=None, derandomize=True)
SETS = 500


def counts(*values: int) -> Counts:
    return np.array(values, dtype=np.int64)


def rate_of(pairs: list[tuple[int, int]], *, speakers: list[int] | None = None) -> PooledRate:
    edits, lengths = counts(*(one for one, _ in pairs)), counts(*(other for _, other in pairs))
    return pooled_rate(Counted(edits, lengths, None if speakers is None else np.array(speakers)))


@quick
@given(utterances)
def test_the_rate_lies_in_an_interval_of_finite_width_above_nothing(pairs: list[tuple[int, int]]) -> None:
    found = rate_of(pairs)

    assert (found.edits, found.length) == (sum(one for one, _ in pairs), sum(other for _, other in pairs))
    assert found.rate == (found.edits / found.length if found.length else None)
    speaking = sum(length > 0 for _, length in pairs)
    assert (found.interval is None) == (speaking < 2)
    if found.interval is not None:
        assert found.rate is not None
        assert 0 <= found.interval.low <= found.rate <= found.interval.high < math.inf
        assert found.interval.high > found.interval.low


def test_the_interval_is_wilson_s_where_every_word_tells_for_itself() -> None:
    """Equal clips have no spread, so the design effect is 1: Wilson's formula with t of 9 degrees, written out."""
    found = rate_of([(2, 10)] * 10).interval
    rate, t, words = 20.5 / 100.5, student_t_quantile(0.975, degrees_of_freedom=9), 100
    centre = (rate + t * t / (2 * words)) / (1 + t * t / words)
    width = t / (1 + t * t / words) * math.sqrt(rate * (1 - rate) / words + (t / (2 * words)) ** 2)

    assert found is not None
    assert (found.low, found.high) == pytest.approx((centre - width, centre + width), rel=1e-12)
    assert found.method is RateMethod.WILSON


def test_a_model_without_an_error_is_not_certain_to_make_none() -> None:
    five, fifty = rate_of([(0, 10)] * 5).interval, rate_of([(0, 10)] * 50).interval

    assert five is not None
    assert fifty is not None
    assert (five.low, fifty.low) == (0.0, 0.0)
    assert 0.1 < five.high < 0.2
    assert 0.005 < fifty.high < 0.02


def test_rates_above_all_words_have_an_interval_on_the_scale_of_factors() -> None:
    found = rate_of([(12, 10), (9, 10), (25, 10), (11, 10)])

    assert found.rate == 57 / 40
    assert found.interval is not None
    assert found.interval.method is RateMethod.LOG
    rate = 57.5 / 40.5
    assert found.interval.low * found.interval.high == pytest.approx(rate * rate, rel=1e-12)
    assert 0.3 < found.interval.low < 1 < found.interval.high


def test_one_clip_says_nothing_of_others_and_has_no_interval() -> None:
    assert rate_of([(1, 4)]).interval is None
    assert rate_of([(1, 4), (3, 0)]).interval is None
    assert rate_of([(1, 4), (2, 5)], speakers=[7, 7]).interval is None
    assert rate_of([]) == PooledRate(None, None, 0, 0, 0, 0)


def test_clips_of_one_speaker_count_together() -> None:
    apart = rate_of([(1, 5), (2, 5), (3, 5), (4, 5), (5, 10), (0, 4)], speakers=[2, 1, 2, 1, 3, 3])
    sums = rate_of([(4, 10), (6, 10), (5, 14)])

    assert (apart.rate, apart.interval) == (sums.rate, sums.interval)
    assert (apart.utterances, apart.units) == (6, 3)


def test_counts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="is -1, below zero"):
        rate_of([(-1, 4), (2, 4)])
    with pytest.raises(ValueError, match="float64, not whole numbers"):
        pooled_rate(Counted(np.array([0.5, 1.0]), counts(4, 4)))  # type: ignore[arg-type] - what is refused
    with pytest.raises(ValueError, match="1 cluster labels for 2 utterances"):
        rate_of([(1, 4), (2, 4)], speakers=[1])


def drawn(generator: np.random.Generator, shape: tuple[int, int], *, rate: float, spread: float) -> tuple[Counts, ...]:
    """Draw clips of speakers whose log odds of an error differ by speaker and, half as much, by clip."""
    lengths = np.maximum(1, np.round(generator.normal(11, 5, shape))).astype(np.int64)
    odds = math.log(rate / (1 - rate)) + generator.normal(0, spread, (shape[0], 1))
    odds = odds + generator.normal(0, spread / 2, shape)
    return generator.binomial(lengths, 1 / (1 + np.exp(-odds))), lengths


def coverage(speakers: int, clips: int, *, rate: float, spread: float, added: float = 0.0) -> float:
    """Return the share of drawn sets whose interval by speaker holds the rate of endlessly many."""
    generator = np.random.default_rng([speakers, clips, round(1000 * rate)])
    edits, lengths = drawn(generator, (200_000, clips), rate=rate, spread=spread)
    truth = edits.sum() / lengths.sum() + added
    held = 0
    for _ in range(SETS):
        edits, lengths = drawn(generator, (speakers, clips), rate=rate, spread=spread)
        edits = edits + generator.poisson(added * lengths)
        names = np.repeat(np.arange(speakers), clips)
        interval = pooled_rate(Counted(edits.ravel(), lengths.ravel(), names)).interval
        held += interval is not None and interval.low <= truth <= interval.high
    return held / SETS


@pytest.mark.parametrize(("rate", "spread", "added"), [(0.05, 1.0, 0.0), (0.2, 1.0, 0.0), (0.5, 1.0, 0.5)])
@pytest.mark.parametrize("clips", [5, 10, 50, 200])
def test_intervals_hold_the_true_rate_about_as_often_as_they_say(
    clips: int, rate: float, spread: float, added: float
) -> None:
    """From 5 to 200 clips, from few errors to more than words; drawing 500 sets adds two points of chance."""
    assert 0.92 <= coverage(clips, 1, rate=rate, spread=spread, added=added) <= 0.99


@pytest.mark.parametrize(("speakers", "clips"), [(10, 5), (5, 10), (20, 5)])
def test_intervals_by_speaker_hold_where_those_by_clip_promise_too_much(speakers: int, clips: int) -> None:
    assert 0.92 <= coverage(speakers, clips, rate=0.2, spread=0.8) <= 0.99
