"""Means with honest uncertainty, on the standard library alone.

Repeats of a question are not independent, so standard errors are clustered by question. Sums are exact (``math.fsum``)
and "no data" is None: nothing here returns NaN.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from eval_pipeline.core.student_t import student_t_quantile

CONFIDENCE = 0.95
_DEGENERATE = 1e-12
"""Standard errors below this are rounding: the values leave no spread between the questions."""


class IntervalMethod(StrEnum):
    """How an interval was found."""

    CLUSTERED_T = "clustered_t"
    """The mean plus and minus t(G-1) CR1 standard errors, G the number of questions."""
    WILSON = "wilson"
    """Wilson score interval on the number of questions, where their scores show no spread."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range that a score cannot leave; intervals are clipped to it."""

    low: float
    high: float

    def clip(self, value: float) -> float:
        """Return the value, or the bound that it exceeds."""
        return min(max(value, self.low), self.high)


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval and how it was found."""

    low: float
    high: float
    method: IntervalMethod


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over clustered values. Everything is None without values, the uncertainty with fewer than two clusters."""

    mean: float | None
    std: float | None
    standard_error: float | None
    interval: Interval | None
    values: int
    clusters: int


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean; that of equal values is exactly their value."""
    if not values:
        return None
    return min(max(math.fsum(values) / len(values), min(values)), max(values))


def population_std(values: Sequence[float]) -> float | None:
    """Return the population standard deviation."""
    centre = mean(values)
    if centre is None:
        return None
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / len(values))


def clustered_standard_error(values: Sequence[float], *, clusters: Sequence[Hashable]) -> float | None:
    """Return the standard error of the mean with clusters of any size, None with fewer than two.

    CR1: ``sqrt(G/(G-1) * Σ_g(Σ_i(x_ig - mean))²) / n`` (Cameron and Miller 2015; Miller 2024, arXiv:2411.00640). With
    one value per cluster it is the sample standard deviation divided by ``sqrt(n)``.
    """
    centre = mean(values)
    if centre is None:
        return None
    residuals: dict[Hashable, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        residuals[cluster] = residuals.get(cluster, 0.0) + (value - centre)
    count = len(residuals)
    if count < 2:  # noqa: PLR2004 - one cluster says nothing about the spread between clusters
        return None
    squares = math.fsum(residual**2 for residual in residuals.values())
    return math.sqrt(count / (count - 1) * squares) / len(values)


def estimate_mean(
    values: Sequence[float], *, clusters: Sequence[Hashable], bounds: Bounds | None = None, proportion: bool = False
) -> Estimate:
    """Estimate a mean from values that are independent between clusters only.

    A ``proportion`` (values 0 and 1) whose clusters do not differ, such as "all right", has a standard error of 0 and a
    t interval without width; it gets the Wilson interval on the number of clusters instead.
    """
    centre = mean(values)
    error = clustered_standard_error(values, clusters=clusters)
    count = len(set(clusters))
    interval = None
    if centre is not None and error is not None:
        if proportion and error < _DEGENERATE:
            interval = wilson_interval(centre * count, trials=count)
        else:
            interval = _t_interval(centre, standard_error=error, clusters=count, bounds=bounds)
    return Estimate(
        mean=centre,
        std=population_std(values),
        standard_error=error,
        interval=interval,
        values=len(values),
        clusters=count,
    )


def _t_interval(centre: float, *, standard_error: float, clusters: int, bounds: Bounds | None) -> Interval:
    width = student_t_quantile((1 + CONFIDENCE) / 2, degrees_of_freedom=clusters - 1) * standard_error
    low, high = centre - width, centre + width
    if bounds is not None:
        low, high = bounds.clip(low), bounds.clip(high)
    return Interval(low=low, high=high, method=IntervalMethod.CLUSTERED_T)


def paired_difference(first: Sequence[float], *, second: Sequence[float], clusters: Sequence[Hashable]) -> Estimate:
    """Estimate ``mean(second) - mean(first)`` of scores of the same items, pair by pair."""
    differences = [after - before for before, after in zip(first, second, strict=True)]
    return estimate_mean(differences, clusters=clusters)


def wilson_interval(successes: float, *, trials: int) -> Interval:
    """Return the 95 % score interval of a proportion (Wilson 1927); it has width also at 0 and 1."""
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials: no proportion")
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share = successes / trials
    centre = share + z * z / (2 * trials)
    width = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    unit = Bounds(0.0, 1.0)
    # at the ends one limit is the end itself; rounding would put it 1e-17 beside
    low = 0.0 if successes == 0 else unit.clip((centre - width) / scale)
    high = 1.0 if successes == trials else unit.clip((centre + width) / scale)
    return Interval(low=low, high=high, method=IntervalMethod.WILSON)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the value below which ``percent`` % of the values lie, interpolated linearly between ranks."""
    if not 0 <= percent <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"percent is {percent}, not 0 to 100")
    if not values:
        return None
    ordered = sorted(values)
    rank = percent / 100 * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (rank - below)
