"""Pooled error rates with 95 % intervals that hold from three clips to thousands, in closed form.

A pooled rate is all edits over all reference tokens. Utterances differ in length and the errors of one utterance, or of
one speaker, are not independent; a bootstrap over them covers 74 to 91 % at 3 to 20 clips, because so few clips say
little of their own spread. What is done instead, with G units (utterances or speakers), E edits and N tokens:

- rate p = (E + 0.5) / (N + 0.5): one that is never 0, so that a model without an error has an interval with width
- variance v of the delete-one jackknife: what the rate does when one unit is left out; moderated (Smyth 2004): it
  counts as G - 1 observations beside four of the variance that such clips usually have, for few clips say little of
  their spread
- design effect v / (p (1 - p) / N), at least 1: how much less N tokens say than N independent ones; N over it is the
  effective sample size
- Wilson's interval (1927) of p with the effective sample size, and the quantile of Student's t with G - 1 + 4 degrees
  of freedom in place of the normal one

From half of the tokens on the same variance is put on the logarithm of the rate: rates have no upper end, for what is
added has none. Where a model ran away on a clip, nothing is usual: the variance is the observed one, with G - 1 degrees
of freedom. Coverage, simulated: ``test_pooled_rates`` and ADR 19. No interval holds what none of the clips shows: see
``rare_events``.
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

METHOD: Final = "stt-intervals-3"
"""Names what computes intervals and comparisons.

1 was the percentile bootstrap, without a name in the figures; 2 took the variance as the clips at hand show it.
"""
_HALF: Final = 0.5
_PRIOR_UNITS: Final = 4
"""Observations that the usual variance counts for."""
_SPREAD_OF_LOG_ODDS: Final = 1.0
"""Variance of the log odds of an error between clips, as measured sets of clips have it."""
_SPREAD_OF_ADDED: Final = 0.15
"""Squared coefficient of variation between clips of rates that have no upper end."""
_LEAST_OF_SHARES, _LEAST_OF_ADDED = 3.0, 2.0
"""The usual design effect with few units: a hard clip among five is easily missed."""
_FEW_UNITS: Final = 10
"""From here on the least of the usual design effect falls with the square of the number of units."""
_TIMES_AS_MANY: Final = 2
_MORE_ERRORS: Final = 20
"""Errors beyond twice the reference with which a clip ran away: one word heard as four is no loop."""


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
        interval=_interval(units, prior=_prior(columns)) if has_spread(units[:, 1]) else None,
        edits=edits,
        length=length,
        utterances=len(columns),
        units=len(units),
    )


def pooled_rates(parts: Iterable[Counted]) -> list[PooledRate]:
    """Return the rate of every part."""
    return [pooled_rate(part) for part in parts]


def ran_away(edits: Counts, lengths: Counts) -> NDArray[np.bool_]:
    """Tell on which utterances a model ran away: more than twice as many errors as words, and twenty more."""
    inside: NDArray[np.bool_] = edits > _TIMES_AS_MANY * lengths + _MORE_ERRORS
    return inside


def _prior(columns: Counts) -> int:
    """Return how many observations the usual variance counts for."""
    return 0 if ran_away(columns[:, 0], columns[:, 1]).any() else _PRIOR_UNITS


def _interval(units: Counts, *, prior: int) -> RateInterval:
    edits, length = (int(total) for total in units.sum(axis=0))
    rate = (edits + _HALF) / (length + _HALF)
    degrees = int(np.count_nonzero(units[:, 1])) - 1
    t = student_t_quantile((1 + CONFIDENCE) / 2, degrees_of_freedom=degrees + prior)
    independent = rate * (1 - rate if rate < _HALF else 1) / length
    observed = jackknife_variance(units[:, 0], units[:, 1]) / independent
    usual = _usual_design_effect(rate, lengths=units[:, 1])
    design_effect = (degrees * observed + prior * usual) / (degrees + prior)
    if rate < _HALF:
        low, high = _wilson(rate, effective=length / max(1.0, design_effect), t=t)
        return _around(edits / length, low=low, high=high, method=RateMethod.WILSON)
    variance = max(design_effect * independent, _least_variance(rate, length=length))
    factor = math.exp(t * math.sqrt(variance) / rate)
    return _around(edits / length, low=rate / factor, high=rate * factor, method=RateMethod.LOG)


def _usual_design_effect(rate: float, *, lengths: Counts) -> float:
    """Return the design effect of clips of these lengths whose rates differ as those of clips usually do."""
    squares, total = float(np.square(lengths, dtype=np.float64).sum()), float(lengths.sum())
    together = squares / total - 1  # other tokens in the unit of a token
    few = min(1.0, (_FEW_UNITS / int(np.count_nonzero(lengths))) ** 2)
    if rate < _HALF:
        return max(1 + together * rate * (1 - rate) * _SPREAD_OF_LOG_ODDS, few * _LEAST_OF_SHARES)
    return max(1 + together * rate * _SPREAD_OF_ADDED, few * _LEAST_OF_ADDED)


def _least_variance(rate: float, *, length: int) -> float:
    """Return the variance below which that of a rate of half the words or more is not taken to be."""
    return rate * max(abs(1 - rate), _HALF / (length + _HALF)) / length


def _around(rate: float, *, low: float, high: float, method: RateMethod) -> RateInterval:
    """Keep the rate inside: it is a little less than the corrected one, and nothing is below none."""
    return RateInterval(low=min(max(low, 0.0), rate), high=max(high, rate), method=method)


def _wilson(rate: float, *, effective: float, t: float) -> tuple[float, float]:
    scale = 1 + t * t / effective
    centre = rate + t * t / (2 * effective)
    width = t * math.sqrt(rate * (1 - rate) / effective + t * t / (4 * effective * effective))
    return (centre - width) / scale, (centre + width) / scale


def jackknife_variance(edits: Counts, lengths: Counts) -> float:
    """Return the variance of the pooled rate by leaving out one unit at a time; two at least must have tokens."""
    count = len(edits)
    without = (edits.sum() - edits) / (lengths.sum() - lengths)
    return float((count - 1) / count * np.square(without - without.mean()).sum())
