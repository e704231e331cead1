"""From what the experts of a panel said of one axis to one score: one function for whoever tells scores.

A score is the weighted mean of those who scored, if enough of the panel did. What is missing is never filled in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WIDE_SPREAD: Final = 25.0
"""Standard deviation from which experts disagree, of levels from 0 to 100."""
WIDE_RANGE: Final = 50.0
"""Distance of the lowest and the highest level from which they do."""
SHARE_NEEDED: Final = 0.5
"""Of the experts that own an axis."""
EXPERTS_NEEDED: Final = 2
"""Who must score it, where there are as many."""


class CellState(StrEnum):
    """What one expert said of one axis."""

    SCORED = "scored"
    NOT_APPLICABLE = "not_applicable"
    ABSTAINED = "abstained"
    """It could not judge."""
    MISSING = "missing"
    """No usable answer."""


class NoScore(StrEnum):
    """Why an axis has no score."""

    NOT_APPLICABLE = "not_applicable"
    INSUFFICIENT_PANEL = "insufficient_panel"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one expert that owns the axis said of it, over all of its samples."""

    state: CellState
    level: float | None = None
    """0 to 100, of a scored one alone."""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if (self.level is None) is (self.state is CellState.SCORED):
            raise ValueError(f"an opinion that is {self.state} with the level {self.level}")
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"the weight of an opinion is {self.weight}, not 0 or more")


@dataclass(frozen=True, slots=True)
class AxisScore:
    """The panel's score of one axis, or why there is none."""

    mean: float | None
    reason: NoScore | None
    scored: int
    """How many experts it rests on."""
    owners: int
    """How many were to rate it."""
    sd: float | None
    """Sample standard deviation of the experts' levels; None of one."""
    disagreement: bool


def aggregate(opinions: Sequence[Opinion], *, applies: bool = True) -> AxisScore:
    """Put the opinions of all experts that own an axis together.

    Args:
        opinions: one for every owner; the order changes nothing.
        applies: whether facts let the axis apply.

    An expert whose weight is 0 is counted as an owner and as one that scored, but moves nothing; where all weights of
    those who scored are 0, nobody is left to believe, which is ``insufficient_panel``.
    """
    owners = len(opinions)
    levels = [(one.level, one.weight) for one in opinions if one.level is not None]
    scored = len(levels)
    answered = sum(one.state is not CellState.MISSING for one in opinions)
    refused = sum(one.state is CellState.NOT_APPLICABLE for one in opinions)
    if not applies or 2 * refused > answered:
        return _none(NoScore.NOT_APPLICABLE, scored=scored, owners=owners)
    total = math.fsum(weight for _, weight in levels)
    if scored < min(EXPERTS_NEEDED, owners) or not owners or scored / owners < SHARE_NEEDED or total == 0:
        return _none(NoScore.INSUFFICIENT_PANEL, scored=scored, owners=owners)
    plain = [level for level, _ in levels]
    low, high = min(plain), max(plain)
    mean = math.fsum(level * weight for level, weight in levels) / total
    sd = _sample_sd(plain)
    return AxisScore(
        mean=min(max(mean, low), high),
        reason=None,
        scored=scored,
        owners=owners,
        sd=sd,
        disagreement=(sd is not None and sd >= WIDE_SPREAD) or high - low >= WIDE_RANGE,
    )


def average_samples(samples: Sequence[Opinion]) -> Opinion:
    """Put the samples of one expert together, before experts are: the mean of those that scored.

    Without a scored one it is what most of them said; of equally many, not applicable before abstained before missing.
    """
    levels = [one.level for one in samples if one.level is not None]
    weight = samples[0].weight if samples else 1.0
    if levels:
        return Opinion(CellState.SCORED, math.fsum(levels) / len(levels), weight)
    ranked = (CellState.NOT_APPLICABLE, CellState.ABSTAINED, CellState.MISSING)
    state = max(ranked, key=lambda one: (sum(sample.state is one for sample in samples), -ranked.index(one)))
    return Opinion(state if samples else CellState.MISSING, None, weight)


def _none(reason: NoScore, *, scored: int, owners: int) -> AxisScore:
    return AxisScore(mean=None, reason=reason, scored=scored, owners=owners, sd=None, disagreement=False)


def _sample_sd(levels: Sequence[float]) -> float | None:
    if len(levels) < 2:  # noqa: PLR2004 - one level says nothing about the spread
        return None
    centre = math.fsum(levels) / len(levels)
    return math.sqrt(math.fsum((level - centre) ** 2 for level in levels) / (len(levels) - 1))
