"""Has the judge moved? Frozen items judged again, when a fingerprint or the provider's model string changed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eval_pipeline.core.statistics import Interval, paired_difference
from eval_pipeline.statistics.coefficient import Coefficient, estimate
from eval_pipeline.statistics.kappa import quadratic_kappa
from eval_pipeline.statistics.resampling import derive_seed

SHIFT_LIMIT: Final = 5.0
"""Levels of 100 that the mean may move."""
KAPPA_LIMIT: Final = 0.6
NULLS_LIMIT: Final = 0.10
"""By which the share of items without a level may grow."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How far an axis moved between two judgements of the same items."""

    items: int
    """With a level both times."""
    shift: float | None
    """Mean of the present levels less that of the earlier ones, item by item."""
    interval: Interval | None
    """95 %, of t; None of fewer than two items."""
    kappa: Coefficient
    """Quadratic, of the two judgements."""
    nulls_before: float
    nulls_now: float
    alarms: tuple[str, ...]
    """What moved too far, in words; none: nothing did."""


def find_drift(before: Sequence[float | None], now: Sequence[float | None]) -> Drift:
    """Compare the levels of an axis item by item; None: no level.

    Raises:
        ValueError: where they are not of the same items.
    """
    pairs = [(then, level) for then, level in zip(before, now, strict=True) if then is not None and level is not None]
    earlier, present = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    moved = paired_difference(earlier, second=present, clusters=range(len(pairs)))
    kappa = estimate(quadratic_kappa(np.array(earlier, float), np.array(present, float)), seed=derive_seed("drift"))
    nulls_before, nulls_now = _nulls(before), _nulls(now)
    return Drift(
        items=len(pairs),
        shift=moved.mean,
        interval=moved.interval,
        kappa=kappa,
        nulls_before=nulls_before,
        nulls_now=nulls_now,
        alarms=tuple(
            words
            for words, sounds in (
                (f"the mean moved by {moved.mean or 0:+.1f}", _has_moved(moved.mean, moved.interval)),
                (
                    f"agreement with the baseline is {_told(kappa)}",
                    kappa.value is not None and kappa.value < KAPPA_LIMIT,
                ),
                (
                    f"items without a level rose from {nulls_before:.0%} to {nulls_now:.0%}",
                    nulls_now - nulls_before >= NULLS_LIMIT - 1e-9,
                ),
            )
            if sounds
        ),
    )


def _has_moved(shift: float | None, interval: Interval | None) -> bool:
    if shift is None or interval is None or math.fabs(shift) < SHIFT_LIMIT:
        return False
    return interval.low > 0 or interval.high < 0


def _nulls(levels: Sequence[float | None]) -> float:
    return sum(level is None for level in levels) / len(levels) if levels else 0.0


def _told(kappa: Coefficient) -> str:
    return "unknown" if kappa.value is None else f"{kappa.value:.2f}"
