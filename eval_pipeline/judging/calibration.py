"""How much each expert of a panel is to be believed on each axis, learnt from items that people labelled.

An equal panel is worse than its best member where most members err in the same way; weights mend that.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from eval_pipeline.statistics.coefficient import Numbers, estimate
from eval_pipeline.statistics.kappa import quadratic_kappa
from eval_pipeline.statistics.ranks import area_under_curve
from eval_pipeline.statistics.resampling import derive_seed

LABELS_NEEDED: Final = 30
"""Labelled items from which weights are learnt; of fewer, all experts weigh the same."""
USEFUL_AREA: Final = 0.6
AREA_LEVEL: Final = 0.9


@dataclass(frozen=True, slots=True)
class Weight:
    """What an expert's opinion on an axis weighs, and what that was learnt from."""

    weight: float
    labelled: int
    accuracy: float | None
    """Of a binary axis."""
    kappa: float | None
    """Quadratic, of an axis with levels."""
    is_gated_out: bool
    """Whether it does not tell better from worse items: the upper bound of its AUC is below 0.6."""


EQUAL: Final = 1.0
"""What every expert weighs where nothing was learnt."""


def learn_weight(levels: Numbers, labels: Numbers, *, is_binary: bool) -> Weight:
    """Learn an expert's weight on one axis.

    Args:
        levels: what the expert said of each item; NaN: nothing.
        labels: what people said; NaN: nothing.
        is_binary: whether there are two levels, of which it names one. Its weight is then the log odds of being right,
            ``max(0, logit((accuracy · m + 1) / (m + 2)))``; else its quadratic kappa with people, if that is above 0.
    """
    both = ~np.isnan(levels) & ~np.isnan(labels)
    levels, labels = levels[both], labels[both]
    count = len(labels)
    if count < LABELS_NEEDED:
        return Weight(weight=EQUAL, labelled=count, accuracy=None, kappa=None, is_gated_out=False)
    is_gated_out = _is_useless(levels, labels)
    if is_binary:
        right = int(np.count_nonzero(levels == labels))
        weight = max(0.0, math.log((right + 1) / (count - right + 1)))
        found = Weight(weight, count, accuracy=right / count, kappa=None, is_gated_out=is_gated_out)
    else:
        kappa = estimate(quadratic_kappa(levels, labels), seed=0, resamples=0).value
        found = Weight(max(0.0, kappa or 0.0), count, accuracy=None, kappa=kappa, is_gated_out=is_gated_out)
    return replace(found, weight=0.0) if is_gated_out else found


def _is_useless(levels: Numbers, labels: Numbers) -> bool:
    """Tell whether the expert surely does not tell the better half of the items from the rest."""
    better = labels > np.median(labels) if labels.min() < np.median(labels) else labels > labels.min()
    area = estimate(area_under_curve(levels, better), seed=derive_seed("calibration"), level=AREA_LEVEL)
    return area.interval is not None and area.interval.high < USEFUL_AREA
