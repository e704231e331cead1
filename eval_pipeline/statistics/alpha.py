"""Krippendorff's alpha: agreement of any number of raters beyond chance, with missing ratings.

Formulas after K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section E. Written here because the
known package is under the GPL.
"""

from enum import StrEnum
from typing import assert_never

import numpy as np

from eval_pipeline.statistics.coefficient import Measured, Numbers, divide, of_sums


class Scale(StrEnum):
    """What the distance between two ratings means."""

    NOMINAL = "nominal"
    """Different or not."""
    ORDINAL = "ordinal"
    """How many ratings lie between them."""
    INTERVAL = "interval"
    """Their difference."""
    RATIO = "ratio"
    """Their difference relative to their sum."""


def krippendorff_alpha(ratings: Numbers, *, scale: Scale) -> Measured:
    """Return alpha of ratings (items by raters, NaN: missing); items with one rating or none say nothing.

    It is 1 for perfect agreement and 0 for what chance would give; undefined where all ratings are the same.
    """
    paired = ratings[np.count_nonzero(~np.isnan(ratings), axis=1) > 1]
    values = np.unique(paired[~np.isnan(paired)])
    counts = (paired[:, :, None] == values).sum(axis=1).astype(np.float64)
    if scale is Scale.INTERVAL:
        return Measured(of_sums(_interval_columns(counts, values), _interval_alpha), len(paired))
    first, second = np.triu_indices(len(values))
    columns = _coincidences(counts)[:, first, second]

    def alpha(sums: Numbers) -> Numbers:
        square = np.zeros((len(sums), len(values), len(values)))
        square[:, first, second] = sums
        square[:, second, first] = sums
        return _alpha(square, values, scale=scale)

    return Measured(of_sums(columns, alpha), len(paired))


def _coincidences(counts: Numbers) -> Numbers:
    """Return, for each item, how often two values stand in one pair of its ratings (items by values by values)."""
    ratings = counts.sum(axis=1)[:, None, None]
    both = np.einsum("ia,ib->iab", counts, counts)
    same = np.einsum("ia,ab->iab", counts, np.eye(counts.shape[1]))
    return np.asarray((both - same) / (ratings - 1), dtype=np.float64)


def _alpha(coincidences: Numbers, values: Numbers, *, scale: Scale) -> Numbers:
    totals = coincidences.sum(axis=2)
    distances = _distances(totals, values, scale=scale)
    observed = np.einsum("rab,rab->r", coincidences, distances)
    expected = np.einsum("ra,rb,rab->r", totals, totals, distances)
    return np.asarray(1 - (totals.sum(axis=1) - 1) * divide(observed, expected), dtype=np.float64)


def _distances(totals: Numbers, values: Numbers, *, scale: Scale) -> Numbers:
    """Return the squared distances of all values (rows by values by values)."""
    match scale:
        case Scale.NOMINAL:
            found = 1 - np.eye(len(values))
        case Scale.ORDINAL:
            middle = np.cumsum(totals, axis=1) - totals / 2
            return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2, dtype=np.float64)
        case Scale.INTERVAL:
            found = (values[:, None] - values[None, :]) ** 2
        case Scale.RATIO:
            sums, differences = values[:, None] + values[None, :], values[:, None] - values[None, :]
            found = np.divide(differences, sums, out=np.zeros_like(sums), where=sums != 0) ** 2
        case _:
            assert_never(scale)
    return np.broadcast_to(found, (len(totals), *found.shape))


def _interval_columns(counts: Numbers, values: Numbers) -> Numbers:
    """Return what interval alpha needs of each item, however many values there are: squares within, n, Σv, Σv²."""
    ratings, sums, squares = counts.sum(axis=1), counts @ values, counts @ values**2
    within = 2 * (ratings * squares - sums**2) / (ratings - 1)
    return np.stack([within, ratings, sums, squares], axis=1)


def _interval_alpha(sums: Numbers) -> Numbers:
    within, ratings, total, squares = sums.T
    between = 2 * (ratings * squares - total**2)
    rounding = 1e-12 * ratings * squares
    alpha = 1 - (ratings - 1) * divide(within, np.where(between > rounding, between, 0.0))
    return np.asarray(alpha, dtype=np.float64)
