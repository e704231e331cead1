"""Kappa of two raters, plain and weighted, and of many: agreement beyond chance on closed sets of levels."""

from collections.abc import Sequence

import numpy as np

from eval_pipeline.statistics.coefficient import Measured, Numbers, divide, of_sums


def cohen_kappa(first: Numbers, second: Numbers) -> Measured:
    """Return Cohen's kappa (1960) of two raters of the same items; NaN: missing, and the item does not count."""
    return _two_raters(first, second, quadratic=False)


def quadratic_kappa(first: Numbers, second: Numbers) -> Measured:
    """Return Cohen's weighted kappa (1968): disagreement counts by the square of the levels' difference."""
    return _two_raters(first, second, quadratic=True)


def _two_raters(first: Numbers, second: Numbers, *, quadratic: bool) -> Measured:
    both = ~np.isnan(first) & ~np.isnan(second)
    first, second = first[both], second[both]
    levels = np.unique(np.concatenate([first, second]))
    width = len(levels)
    distances = (levels[:, None] - levels[None, :]) ** 2 if quadratic else 1 - np.eye(width)
    cells = np.eye(width * width)[np.searchsorted(levels, first) * width + np.searchsorted(levels, second)]

    def kappa(sums: Numbers) -> Numbers:
        table = sums.reshape(len(sums), width, width)
        observed = np.einsum("rab,ab->r", table, distances) * sums.sum(axis=1)
        expected = np.einsum("ra,rb,ab->r", table.sum(axis=2), table.sum(axis=1), distances)
        return 1 - divide(observed, expected)

    return Measured(of_sums(cells, kappa), len(first))


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> Measured:
    """Return Fleiss' kappa (1971) of items by categories, each item rated equally often.

    Raises:
        ValueError: where the items were rated differently often; Krippendorff's alpha takes those.
    """
    table = np.asarray(counts, dtype=np.float64)
    ratings = np.unique(table.sum(axis=1))
    if len(ratings) > 1 or ratings.min(initial=2) < 2:  # noqa: PLR2004 - a pair
        raise ValueError(f"items were rated {ratings.tolist()} times; Fleiss' kappa needs twice at least, and the same")
    each = float(ratings.max(initial=0))

    def kappa(sums: Numbers) -> Numbers:
        squares, shares = sums[:, 0], sums[:, 1:] / sums[:, 1:].sum(axis=1, keepdims=True)
        items = sums[:, 1:].sum(axis=1) / each
        observed = (squares - items * each) / (items * each * (each - 1))
        expected = (shares**2).sum(axis=1)
        return 1 - divide(1 - observed, np.where(expected < 1 - 1e-12, 1 - expected, 0.0))

    return Measured(of_sums(np.column_stack([(table**2).sum(axis=1), table]), kappa), len(table))
