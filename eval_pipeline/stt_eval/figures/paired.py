"""Two systems on the same utterances: the difference of their pooled rates, in the same resamples.

Which utterances are the pairs is the caller's decision: those that both systems answered, or all of them with a failure
counted as so many deletions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.core.statistics import CONFIDENCE
from eval_pipeline.statistics.resampling import (
    RESAMPLES,
    Counts,
    PercentileInterval,
    check_counts,
    has_spread,
    percentile_interval,
    resample_sums,
    sum_clusters,
)


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """First minus second, so that below zero the first makes fewer errors.

    Everything is None without a reference token, all but the rates and their difference with fewer than two units.
    """

    first_rate: float | None
    second_rate: float | None
    difference: float | None
    interval: PercentileInterval | None
    probability_first_better: float | None
    """Share of resamples in which the first has the lower rate, equal ones by half (Bisani and Ney count none).

    So the shares of both systems add up to 1, and equal systems have 0.5.
    """
    utterances: int
    units: int
    first_fewer: int
    """Utterances on which the first made fewer errors."""
    second_fewer: int
    equal: int


def paired_difference(
    first: Counts,
    second: Counts,
    lengths: Counts,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = CONFIDENCE,
    clusters: NDArray[Any] | None = None,
) -> PairedDifference:
    """Compare the edits of two systems on the same utterances."""
    columns = np.column_stack([first, second, lengths])
    check_counts(columns)
    units = sum_clusters(columns, clusters=clusters)
    spread = _differences(units, resamples=resamples, seed=seed) if has_spread(units[:, -1]) else None
    first_edits, second_edits, length = columns.sum(axis=0).tolist()
    return PairedDifference(
        first_rate=first_edits / length if length else None,
        second_rate=second_edits / length if length else None,
        difference=(first_edits - second_edits) / length if length else None,
        interval=None if spread is None else percentile_interval(spread, level=level, units=len(units)),
        probability_first_better=None if spread is None else float(np.mean((1 - np.sign(spread)) / 2)),
        utterances=len(columns),
        units=len(units),
        first_fewer=int(np.count_nonzero(first < second)),
        second_fewer=int(np.count_nonzero(second < first)),
        equal=int(np.count_nonzero(first == second)),
    )


def _differences(units: Counts, *, resamples: int, seed: int) -> NDArray[np.float64]:
    """Return the resampled differences; a resample without a reference token has none."""
    sums = resample_sums(units, resamples=resamples, seed=seed)
    some = sums[sums[:, -1] > 0]
    differences: NDArray[np.float64] = (some[:, 0] - some[:, 1]) / some[:, -1]
    return differences
