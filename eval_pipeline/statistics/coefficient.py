"""A coefficient of agreement with its interval; or why there is none.

Every coefficient here is a function of how much each item counts. Counting each once gives its value; counting each as
often as it was drawn gives its bootstrap interval, over items, since the ratings of one item are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.statistics.resampling import RESAMPLES, PercentileInterval, draw_units, percentile_interval

LEVEL: Final = 0.95
Numbers: TypeAlias = NDArray[np.float64]
Statistic: TypeAlias = Callable[[Numbers], Numbers]
"""From weights (rows by items) to one value a row; NaN where it is undefined."""


class Undefined(StrEnum):
    """Why a coefficient has no value. It is never set to 1.0: ratings without variation agree on nothing."""

    TOO_FEW_RATINGS = "too_few_ratings"
    """Fewer than two ratings that can be compared."""
    NO_VARIATION = "no_variation"
    """All ratings are the same, so that chance alone would make them agree."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A value with its 95 % interval, or the reason why it has none."""

    value: float | None
    undefined: Undefined | None
    interval: PercentileInterval | None
    """None too where fewer than two items were rated, or no resample had a value."""
    items: int
    """Items that count."""

    @classmethod
    def none(cls, why: Undefined, *, items: int) -> Self:
        """Return the coefficient of what cannot be compared."""
        return cls(value=None, undefined=why, interval=None, items=items)


@dataclass(frozen=True, slots=True)
class Measured:
    """A statistic of some items, before anything is drawn."""

    statistic: Statistic
    items: int


def estimate(measured: Measured, *, seed: int, resamples: int = RESAMPLES, level: float = LEVEL) -> Coefficient:
    """Return the value and the interval of one statistic; 0 ``resamples``: of the value alone."""
    return estimate_all([measured], seed=seed, resamples=resamples, level=level)[0]


def estimate_all(
    measured: Sequence[Measured], *, seed: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> list[Coefficient]:
    """Estimate several statistics of the same items, each on the same draws."""
    items = measured[0].items if measured else 0
    if any(one.items != items for one in measured):
        raise ValueError(f"statistics of {sorted({one.items for one in measured})} items are not of the same items")
    if items == 0:
        return [Coefficient.none(Undefined.TOO_FEW_RATINGS, items=0) for _ in measured]
    values = [float(one.statistic(np.ones((1, items)))[0]) for one in measured]
    drawn = _draw(measured, items=items, resamples=resamples, seed=seed) if items > 1 and resamples else None
    return [
        Coefficient.none(Undefined.NO_VARIATION, items=items)
        if np.isnan(value)
        else Coefficient(
            value, None, None if drawn is None else _interval(drawn[place], level=level, units=items), items
        )
        for place, value in enumerate(values)
    ]


def _draw(measured: Sequence[Measured], *, items: int, resamples: int, seed: int) -> Numbers:
    """Return the value of every statistic (rows) in every resample (columns)."""
    blocks = draw_units(items, resamples=resamples, seed=seed)
    return np.concatenate([np.stack([one.statistic(block) for one in measured]) for block in blocks], axis=1)


def _interval(values: Numbers, *, level: float, units: int) -> PercentileInterval | None:
    """Return the interval of the resamples that have a value; a few may have drawn items without variation."""
    defined = values[~np.isnan(values)]
    return percentile_interval(defined, level=level, units=units) if len(defined) else None


def of_sums(columns: Numbers, value: Statistic) -> Statistic:
    """Return a statistic that depends on the items by sums over them alone.

    Args:
        columns: items by numbers, added up with the items' weights.
        value: from sums (rows by numbers) to one value a row.

    Rated items look alike: a panel of four on five levels knows 126 of them. So each kind of item is weighed, and only
    then summed, which makes 2,000 resamples of 10,000 items cost hardly more than drawing them.
    """
    kinds, kind_of = np.unique(columns, axis=0, return_inverse=True)
    places = kind_of.reshape(-1)

    def statistic(weights: Numbers) -> Numbers:
        if len(kinds) * 4 > len(columns):
            return value(np.einsum("ri,ic->rc", weights, columns))
        by_kind = np.stack([np.bincount(places, weights=row, minlength=len(kinds)) for row in weights])
        return value(np.einsum("rk,kc->rc", by_kind, kinds))

    return statistic


def divide(above: Numbers, below: Numbers) -> Numbers:
    """Divide where there is something to divide by, else NaN."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
