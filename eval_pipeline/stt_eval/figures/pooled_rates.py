"""Pooled error rates with 95 % intervals that hold from two clips to thousands, in closed form.

A pooled rate is all edits over all reference tokens. Utterances differ in length and the errors of one utterance, or of
one speaker, are not independent; a bootstrap over them covers 74 to 91 % at 3 to 20 clips, because so few clips say
little of their own spread. What is done instead, with G units (utterances or speakers), E edits and N tokens:

- rate p = (E + 0.5) / (N + 0.5): one that is never 0, so that a model without an error has an interval with width
- variance v of the delete-one jackknife: what the rate does when one unit is left out
- design effect v / (p (1 - p) / N), at least 1: how much less N tokens say than N independent ones; N over it is the
  effective sample size
- Wilson's interval (1927) of p with the effective sample size, and the quantile of Student's t with G - 1 degrees of
  freedom in place of the normal one

From half of the tokens on the same variance is put on the logarithm of the rate: rates have no upper end, for what is
added has none. Coverage, simulated: ``test_pooled_rates`` and ADR 19.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.core.statistics import CONFIDENCE
from eval_pipeline.core.student_t import student_t_quantile
from eval_pipeline.statistics.resampling import Counts, check_counts, has_spread, sum_clusters

METHOD: Final = "stt-intervals-2"
"""Names what computes intervals and comparisons; 1 was the percentile bootstrap, without a name in the figures."""
_HALF: Final = 0.5


class RateMethod(StrEnum):
    """How the interval of a rate was found."""

    WILSON = "wilson"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class RateInterval:
    """The 95 % interval of a rate; it holds the rate."""

    low: float
    high: float
    method: RateMethod


@dataclass(frozen=True, slots=True)
class Counted:
    """Edits and reference tokens of some utterances, in their order; ``clusters`` says who speaks, if that counts."""

    edits: Counts
    lengths: Counts
    clusters: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class PooledRate:
    """All edits over all reference tokens; None without a token, and the interval with fewer than two units."""

    rate: float | None
    interval: RateInterval | None
    edits: int
    length: int
    utterances: int
    units: int
    """What is independent: utterances, or speakers."""


def pooled_rate(counted: Counted) -> PooledRate:
    """Return the pooled rate of edits per reference token and its interval."""
    columns = np.column_stack([counted.edits, counted.lengths])
    check_counts(columns)
    units = sum_clusters(columns, clusters=counted.clusters)
    edits, length = (int(total) for total in columns.sum(axis=0))
    return PooledRate(
        rate=edits / length if length else None,
        interval=_interval(units) if has_spread(units[:, 1]) else None,
        edits=edits,
        length=length,
        utterances=len(columns),
        units=len(units),
    )


def pooled_rates(parts: Iterable[Counted]) -> list[PooledRate]:
    """Return the rate of every part."""
    return [pooled_rate(part) for part in parts]


def _interval(units: Counts) -> RateInterval:
    speaking = int(np.count_nonzero(units[:, 1]))
    edits, length = (int(total) for total in units.sum(axis=0))
    variance = jackknife_variance(units[:, 0], units[:, 1])
    t = student_t_quantile((1 + CONFIDENCE) / 2, degrees_of_freedom=speaking - 1)
    corrected = (edits + _HALF) / (length + _HALF)
    if corrected < _HALF:
        low, high = _wilson(corrected, variance=variance, length=length, t=t)
        return _around(edits / length, low=low, high=high, method=RateMethod.WILSON)
    least = corrected * max(abs(1 - corrected), _HALF / (length + _HALF)) / length
    factor = math.exp(t * math.sqrt(max(variance, least)) / corrected)
    return _around(edits / length, low=corrected / factor, high=corrected * factor, method=RateMethod.LOG)


def _around(rate: float, *, low: float, high: float, method: RateMethod) -> RateInterval:
    """Keep the rate inside: it is a little less than the corrected one, and nothing is below none."""
    return RateInterval(low=min(max(low, 0.0), rate), high=max(high, rate), method=method)


def _wilson(rate: float, *, variance: float, length: int, t: float) -> tuple[float, float]:
    design_effect = max(1.0, variance / (rate * (1 - rate) / length))
    effective = length / design_effect
    scale = 1 + t * t / effective
    centre = rate + t * t / (2 * effective)
    width = t * math.sqrt(rate * (1 - rate) / effective + t * t / (4 * effective * effective))
    return (centre - width) / scale, (centre + width) / scale


def jackknife_variance(edits: Counts, lengths: Counts) -> float:
    """Return the variance of the pooled rate by leaving out one unit at a time; two at least must have tokens."""
    count = len(edits)
    without = (edits.sum() - edits) / (lengths.sum() - lengths)
    return float((count - 1) / count * np.square(without - without.mean()).sum())
