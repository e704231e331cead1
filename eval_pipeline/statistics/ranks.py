"""What orders say: Spearman's correlation and the area under the curve, ties by half."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.statistics.coefficient import Measured, Numbers, divide


def spearman(first: Numbers, second: Numbers) -> Measured:
    """Return Spearman's correlation of average ranks; NaN: missing, and the item does not count."""
    both = ~np.isnan(first) & ~np.isnan(second)
    rank_first, rank_second = _ranker(first[both]), _ranker(second[both])

    def correlation(weights: Numbers) -> Numbers:
        return _correlation(rank_first(weights), rank_second(weights), weights)

    return Measured(correlation, int(np.count_nonzero(both)))


def area_under_curve(scores: Numbers, positive: NDArray[np.bool_]) -> Measured:
    """Return the probability that a positive item has the higher score, ties by half (Mann and Whitney 1947).

    Items without a score (NaN) do not count; undefined where all are positive, or none is.
    """
    scored = ~np.isnan(scores)
    positive = positive[scored]
    places, order, ends = _runs(scores[scored])

    def area(weights: Numbers) -> Numbers:
        negatives = np.add.reduceat((weights * ~positive)[:, order], ends, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives / 2
        wins = np.einsum("ri,ri->r", weights * positive, below[:, places])
        pairs = (weights * positive).sum(axis=1) * (weights * ~positive).sum(axis=1)
        return divide(wins, pairs)

    return Measured(area, int(np.count_nonzero(scored)))


def _runs(values: Numbers) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the place of every value among the distinct ones, the sorting order, and where each run begins in it."""
    _, places = np.unique(values, return_inverse=True)
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    return places, order, starts


def _ranker(values: Numbers) -> Callable[[Numbers], Numbers]:
    """Return what gives the values' average ranks, each counted as often as its weight says."""
    places, order, starts = _runs(values)

    def ranks(weights: Numbers) -> Numbers:
        tied = np.add.reduceat(weights[:, order], starts, axis=1)
        middle = np.cumsum(tied, axis=1) - tied / 2
        return np.asarray(middle[:, places], dtype=np.float64)

    return ranks


def _correlation(first: Numbers, second: Numbers, weights: Numbers) -> Numbers:
    """Return Pearson's correlation of weighted values, row by row."""
    total = weights.sum(axis=1, keepdims=True)
    first = first - (weights * first).sum(axis=1, keepdims=True) / total
    second = second - (weights * second).sum(axis=1, keepdims=True) / total
    squares = (weights * first**2).sum(axis=1) * (weights * second**2).sum(axis=1)
    rounding = 1e-18 * total[:, 0] ** 6
    return divide((weights * first * second).sum(axis=1), np.sqrt(np.where(squares > rounding, squares, 0.0)))
