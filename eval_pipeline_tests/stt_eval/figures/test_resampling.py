"""Pooled rates and their bootstrap intervals, against scipy's bootstrap and a loop that is too plain to be wrong."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from eval_pipeline.stt_eval.figures import resampling
from eval_pipeline.stt_eval.figures.resampling import (
    RESAMPLES,
    Counted,
    derive_seed,
    pooled_interval,
    pooled_intervals,
    pooled_together,
)

utterances = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20)), min_size=2, max_size=40)
quick = settings(max_examples=60, deadline=None, derandomize=True)


def counts(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def corpus(size: int, *, seed: int = 5) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 20, size)
    return generator.binomial(lengths, 0.2), lengths


def plain_rates(edits: NDArray[np.int64], lengths: NDArray[np.int64], *, seed: int, resamples: int) -> list[float]:
    generator = np.random.default_rng(seed)
    rates = []
    for _ in range(resamples):
        drawn = generator.integers(0, len(edits), len(edits))
        rates.append(edits[drawn].sum() / lengths[drawn].sum())
    return rates


def test_the_interval_is_that_of_drawing_utterances_one_by_one() -> None:
    edits, lengths = corpus(300)
    found = pooled_interval(edits, lengths, seed=11)

    assert found.rate == edits.sum() / lengths.sum()
    assert found.interval is not None
    plain = plain_rates(edits, lengths, seed=11, resamples=RESAMPLES)
    assert (found.interval.low, found.interval.high) == tuple(np.quantile(plain, [0.025, 0.975]))
    assert (found.utterances, found.units, found.interval.resamples) == (300, 300, 2_000)


def test_the_interval_is_close_to_that_of_scipy() -> None:
    edits, lengths = corpus(400)
    found = pooled_interval(edits, lengths, seed=1, resamples=4_000).interval

    oracle = stats.bootstrap(
        (edits, lengths),
        lambda some, tokens, axis: some.sum(axis=axis) / tokens.sum(axis=axis),
        paired=True,
        n_resamples=4_000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=0.003)


@quick
@given(utterances)
def test_the_rate_is_all_edits_over_all_tokens_inside_its_interval(pairs: list[tuple[int, int]]) -> None:
    edits, lengths = counts(*(one for one, _ in pairs)), counts(*(other for _, other in pairs))
    found = pooled_interval(edits, lengths, seed=3, resamples=400, level=0.99)

    assert found.rate == sum(one for one, _ in pairs) / sum(other for _, other in pairs)
    assert (found.edits, found.length) == (edits.sum(), lengths.sum())
    assert found.interval is not None
    assert found.interval.low <= found.rate <= found.interval.high


@quick
@given(utterances)
def test_the_order_of_utterances_does_not_change_the_rate(pairs: list[tuple[int, int]]) -> None:
    order = np.random.default_rng(len(pairs)).permutation(len(pairs))
    edits, lengths = counts(*(one for one, _ in pairs)), counts(*(other for _, other in pairs))

    assert (
        pooled_interval(edits[order], lengths[order], seed=3, resamples=10).rate
        == pooled_interval(edits, lengths, seed=3, resamples=10).rate
    )


@quick
@given(utterances, st.sampled_from([2, 4, 8]))
def test_words_that_count_several_times_change_nothing(pairs: list[tuple[int, int]], factor: int) -> None:
    edits, lengths = counts(*(one for one, _ in pairs)), counts(*(other for _, other in pairs))
    once = pooled_interval(edits, lengths, seed=3, resamples=100)
    scaled = pooled_interval(edits * factor, lengths * factor, seed=3, resamples=100)

    assert (scaled.rate, scaled.interval) == (once.rate, once.interval)


def test_neither_memory_nor_blocks_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    edits, lengths = corpus(97)
    found = pooled_interval(edits, lengths, seed=4)

    for values in (1, 97, 97 * 7, 97 * 5_000):
        monkeypatch.setattr(resampling, "_BLOCK_VALUES", values)
        assert pooled_interval(edits, lengths, seed=4) == found


def test_several_rates_share_their_resamples() -> None:
    edits, lengths = corpus(80)
    together = pooled_intervals(np.column_stack([edits, edits * 2]), lengths, seed=9)

    assert together == [pooled_interval(edits, lengths, seed=9), pooled_interval(edits * 2, lengths, seed=9)]
    one, double = together
    assert one.interval is not None
    assert double.interval is not None
    assert double.interval.low == 2 * one.interval.low


def test_the_seed_decides() -> None:
    edits, lengths = corpus(80)

    assert pooled_interval(edits, lengths, seed=1) == pooled_interval(edits, lengths, seed=1)
    assert pooled_interval(edits, lengths, seed=1) != pooled_interval(edits, lengths, seed=2)


def test_clusters_are_drawn_whole() -> None:
    edits, lengths = counts(1, 2, 3, 4, 5, 0), counts(5, 5, 5, 5, 10, 4)
    speakers = np.array(["b", "a", "b", "a", "c", "c"])
    found = pooled_interval(edits, lengths, seed=6, clusters=speakers)
    of_sums = pooled_interval(counts(6, 4, 5), counts(10, 10, 14), seed=6)

    assert (found.rate, found.interval) == (of_sums.rate, of_sums.interval)
    assert (found.utterances, found.units) == (6, 3)


def test_speakers_that_differ_make_a_wider_interval_than_utterances() -> None:
    """Utterances of one speaker are not independent: drawing them singly promises too much."""
    speakers = np.repeat(np.arange(10), 30)
    lengths = np.full(300, 10)
    edits = np.random.default_rng(1).binomial(lengths, np.linspace(0.02, 0.6, 10)[speakers])

    alone = pooled_interval(edits, lengths, seed=1).interval
    whole = pooled_interval(edits, lengths, seed=1, clusters=speakers).interval
    assert alone is not None
    assert whole is not None
    assert whole.high - whole.low > 2 * (alone.high - alone.low)


def test_without_a_reference_token_there_is_no_rate() -> None:
    nothing, insertions = (
        pooled_interval(counts(), counts(), seed=1),
        pooled_interval(counts(2, 0), counts(0, 0), seed=1),
    )

    assert (nothing.rate, nothing.interval, nothing.utterances) == (None, None, 0)
    assert (insertions.rate, insertions.interval, insertions.edits) == (None, None, 2)


def test_one_utterance_has_a_rate_but_no_interval() -> None:
    one, silence_beside = (
        pooled_interval(counts(1), counts(4), seed=1),
        pooled_interval(counts(1, 0), counts(4, 0), seed=1),
    )

    assert (one.rate, one.interval) == (0.25, None)
    assert (silence_beside.rate, silence_beside.interval) == (0.25, None)
    assert pooled_interval(counts(1, 1), counts(4, 4), seed=1, clusters=np.array([7, 7])).interval is None


def test_resamples_without_a_token_are_left_out_and_counted() -> None:
    found = pooled_interval(counts(1, 2, 0), counts(4, 4, 0), seed=1).interval

    assert found is not None
    assert 1_900 < found.resamples < 2_000
    assert (found.low, found.high) == (0.25, 0.5)


def test_intervals_hold_the_true_rate_about_as_often_as_they_say() -> None:
    """200 corpora of 80 utterances whose speakers err at 0.2: a 95 % interval may miss some ten times."""
    generator = np.random.default_rng(8)
    held = 0
    for seed in range(200):
        lengths = generator.integers(3, 20, 80)
        edits = generator.binomial(lengths, generator.beta(2, 8, 80))
        interval = pooled_interval(edits, lengths, seed=seed, resamples=400).interval
        assert interval is not None
        held += interval.low <= 0.2 <= interval.high
    assert 178 <= held <= 199


def test_counts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="is -1, below zero"):
        pooled_interval(counts(-1, 2), counts(4, 4), seed=1)
    with pytest.raises(ValueError, match="float64, not whole numbers"):
        pooled_interval(np.array([0.5, 1.0]), counts(4, 4), seed=1)
    with pytest.raises(ValueError, match="1 cluster labels for 2 utterances"):
        pooled_interval(counts(1, 2), counts(4, 4), seed=1, clusters=np.array([1]))


def test_seeds_come_from_names_and_are_the_same_in_every_process() -> None:
    program = "from eval_pipeline.stt_eval.figures.resampling import derive_seed; print(derive_seed('run', 'hi'))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert derive_seed("run", "hi") == int(printed)
    assert len({derive_seed("run", "hi"), derive_seed("ru", "nhi"), derive_seed("run"), derive_seed("run", "")}) == 4


@quick
@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=6), max_size=5))
def test_rates_that_are_found_together_are_those_that_are_found_alone(parts: list[list[tuple[int, int]]]) -> None:
    given_parts = [
        Counted(counts(*(edits for edits, _ in part)), counts(*(length for _, length in part))) for part in parts
    ]

    together = pooled_together(given_parts, seed=7)

    assert together == [pooled_interval(part.edits, part.lengths, seed=7) for part in given_parts]


def test_rates_of_equally_many_utterances_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    real = resampling.resample_sums

    def counting(units: NDArray[np.int64], *, resamples: int, seed: int) -> NDArray[np.float64]:
        drawn.append(len(units))
        return real(units, resamples=resamples, seed=seed)

    monkeypatch.setattr(resampling, "resample_sums", counting)
    parts = [Counted(*corpus(size, seed=seed)) for seed, size in enumerate((30, 20, 30, 20, 30))]

    pooled_together(parts, seed=3)

    assert sorted(drawn) == [20, 30]
