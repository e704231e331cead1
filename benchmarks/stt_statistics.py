"""What the certainty of speech scores costs, against as many resamples by numpy alone."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from benchmarks.figures import Figure
from benchmarks.live_runs import Site
from benchmarks.measure import side_by_side
from eval_pipeline.statistics.resampling import RESAMPLES, Counts
from eval_pipeline.stt_eval.figures.paired import paired_difference
from eval_pipeline.stt_eval.figures.pooled_rates import Counted, pooled_rate

UTTERANCES: Final = 16_000
ALLOWED: Final = 1.5
_SEED: Final = 4


def measure_statistics(site: Site, *, utterances: int = UTTERANCES) -> list[Figure]:
    """Resample one system, then the difference of two."""
    del site  # nothing runs there
    generator = np.random.default_rng(_SEED)
    lengths = generator.integers(1, 30, utterances)
    first, second = generator.binomial(lengths, 0.21), generator.binomial(lengths, 0.13)
    return [
        _ratio(
            f"interval of a pooled rate, {utterances:,} utterances, against {RESAMPLES:,} resamples",
            lambda: pooled_rate(Counted(first, lengths)),
            lambda: _draw_and_sum(first, lengths),
        ),
        _ratio(
            f"bootstrap interval of the difference of two systems, {utterances:,} utterances, {RESAMPLES:,} resamples",
            lambda: paired_difference(first, second, lengths, seed=_SEED),
            lambda: _draw_and_sum(first, second, lengths),
        ),
    ]


def _draw_and_sum(*columns: Counts) -> None:
    """Draw indices, gather and sum: what numpy alone needs for the sums of every resample."""
    generator = np.random.default_rng(_SEED)
    count = len(columns[0])
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, count, count)
        for column in columns:
            column[drawn].sum()


def _ratio(what: str, measured: Callable[[], object], limit: Callable[[], object]) -> Figure:
    measured_s, limit_s = side_by_side(lambda: _processor_s(measured), lambda: _processor_s(limit))
    return Figure(
        what=what,
        measured=f"{measured_s:.2f} s of processor time",
        limit=f"numpy drawing, gathering and summing, {limit_s:.2f} s",
        ratio=measured_s / limit_s,
        allowed=ALLOWED,
    )


def _processor_s(work: Callable[[], object]) -> float:
    started_s = time.process_time()
    work()
    return time.process_time() - started_s
