"""What share is right when the judge that says so errs: the rate of Rogan and Gladen with its uncertainty.

The interval counts what is not known of the judge, too (Lee et al. 2025, arXiv:2511.21140, section 3): sensitivity and
specificity come from few labelled items.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from eval_pipeline.statistics.coefficient import LEVEL


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.of:
            raise ValueError(f"{self.count} of {self.of} is no share")


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """The share that is right, and its 95 % interval; both within 0 to 1."""

    rate: float
    low: float
    high: float


def corrected_rate(said_right: Share, *, sensitivity: Share, specificity: Share) -> CorrectedRate | None:
    """Correct a judge's rate by what people found of the judge; None where it is no better than a coin.

    Args:
        said_right: items that the judge called right, of those it judged.
        sensitivity: of the items that people call right, those that the judge calls right.
        specificity: of the items that people call wrong, those that the judge calls wrong.
    """
    if 0 in {said_right.of, sensitivity.of, specificity.of}:
        return None
    right, wrong = sensitivity.count / sensitivity.of, specificity.count / specificity.of
    if right + wrong <= 1:
        return None
    rate = (said_right.count / said_right.of + wrong - 1) / (right + wrong - 1)
    low, high = _interval(said_right, sensitivity=sensitivity, specificity=specificity)
    return CorrectedRate(rate=_clip(rate), low=_clip(low), high=_clip(high))


def _interval(said_right: Share, *, sensitivity: Share, specificity: Share) -> tuple[float, float]:
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    said, trials = (said_right.count + z * z / 2) / (said_right.of + z * z), said_right.of + z * z
    right, rights = (sensitivity.count + 1) / (sensitivity.of + 2), sensitivity.of + 2
    wrong, wrongs = (specificity.count + 1) / (specificity.of + 2), specificity.of + 2
    if right + wrong <= 1:
        return 0.0, 1.0
    rate = (said + wrong - 1) / (right + wrong - 1)
    variance_right, variance_wrong = right * (1 - right) / rights, wrong * (1 - wrong) / wrongs
    shift = 2 * z * z * (rate * variance_right - (1 - rate) * variance_wrong)
    variance = said * (1 - said) / trials + (1 - rate) ** 2 * variance_wrong + rate**2 * variance_right
    half = z * math.sqrt(variance) / (right + wrong - 1)
    return rate + shift - half, rate + shift + half


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)
