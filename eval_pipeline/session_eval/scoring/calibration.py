"""Do the judges see what people liked and what really happened? Beside what a session's length alone would tell.

A judge that knows no more than "short sessions go well" is of no use, however well it seems to predict. So every area
under the curve stands beside those of the length of a session and of its number of calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.session_eval.scoring.agreement import coefficient_json
from eval_pipeline.statistics.coefficient import Coefficient, Numbers, estimate
from eval_pipeline.statistics.ranks import area_under_curve
from eval_pipeline.statistics.resampling import RESAMPLES, derive_seed

EACH_NEEDED: Final = 10
"""Liked sessions, and disliked ones, from which on likes tell anything."""
SELF_SELECTION: Final = (
    "Only those who cared gave a thumb up or down. They are not all users, and who is annoyed cares more often."
)


class Labelled(StrEnum):
    """Where a session's yes or no comes from."""

    LIKES = "likes"
    """More thumbs up than down, or fewer; of equally many, none."""
    OUTCOMES = "outcomes"
    """What the environment verified."""


class Direction(StrEnum):
    """Which end of a figure goes with good sessions."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Area:
    """How well one figure tells good sessions from bad ones."""

    name: str
    area: Coefficient
    """Probability that a good session has the better figure than a bad one."""
    direction: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Judges and baselines against one kind of labels."""

    by: Labelled
    good: int
    bad: int
    is_enough: bool
    judges: tuple[Area, ...]
    baselines: tuple[Area, ...]
    note: str | None

    @property
    def best_baseline(self) -> float | None:
        """What judges must be above."""
        return max((area.area.value for area in self.baselines if area.area.value is not None), default=None)

    def is_above_baselines(self, judge: str) -> bool | None:
        """Tell whether a judge knows more than a session's length; None where that is not known."""
        found = next((area.area.value for area in self.judges if area.name == judge), None)
        return None if found is None or self.best_baseline is None else found > self.best_baseline

    def to_json(self) -> JsonDict:
        """Return what the stage, its report and scripts read."""
        return {
            "by": str(self.by),
            "good": self.good,
            "bad": self.bad,
            "enough": self.is_enough,
            "judges": [_area_json(area) for area in self.judges],
            "baselines": [_area_json(area) for area in self.baselines],
            "note": self.note,
        }


def liked(likes: int, dislikes: int) -> float:
    """Return what people's thumbs say of a session: 1, 0, or NaN on a tie and where nobody said anything.

    >>> liked(2, 1), liked(0, 1), liked(1, 1)
    (1.0, 0.0, nan)
    """
    if likes == dislikes:
        return float("nan")
    return 1.0 if likes > dislikes else 0.0


def succeeded(outcome: Mapping[str, object] | None) -> float:
    """Return what the environment verified: 1, 0, or NaN where it did not.

    >>> succeeded({"success": True}), succeeded({"reward": 0.0}), succeeded(None)
    (1.0, 0.0, nan)
    """
    if not outcome:
        return float("nan")
    success, reward = outcome.get("success"), outcome.get("reward")
    if isinstance(success, bool):
        return float(success)
    if isinstance(reward, int | float) and not isinstance(reward, bool):
        # a part of the reward is no success: the benchmarks that give rewards count 1 alone
        return float(reward >= 1)
    return float("nan")


def predict(
    labels: Numbers,
    *,
    by: Labelled,
    judges: Mapping[str, Numbers],
    baselines: Mapping[str, Numbers],
    seed: str,
    resamples: int = RESAMPLES,
) -> Predicted:
    """Hold judges and baselines against labels.

    Args:
        labels: 1, 0 or NaN of each session.
        by: where they come from.
        judges: scores of each session, by judge; NaN: none.
        baselines: figures that know nothing of quality, such as the length; each in the direction that it does better.
        seed: names the run.
        resamples: of sessions.
    """
    known = ~np.isnan(labels)
    good, bad = int(np.count_nonzero(labels == 1)), int(np.count_nonzero(labels == 0))
    is_enough = min(good, bad) >= (EACH_NEEDED if by is Labelled.LIKES else 1)

    def area(name: str, scores: Numbers) -> Coefficient:
        measured = area_under_curve(scores[known], labels[known] == 1)
        return estimate(measured, seed=derive_seed("calibration", seed, str(by), name), resamples=resamples)

    return Predicted(
        by=by,
        good=good,
        bad=bad,
        is_enough=is_enough,
        judges=tuple(Area(name, area(name, scores), Direction.HIGHER) for name, scores in judges.items())
        if is_enough
        else (),
        baselines=tuple(_baseline(name, scores, area) for name, scores in baselines.items()) if is_enough else (),
        note=SELF_SELECTION if by is Labelled.LIKES and is_enough else None,
    )


def _baseline(name: str, scores: Numbers, area: Callable[[str, Numbers], Coefficient]) -> Area:
    """Take the direction in which the figure tells more: nobody said which one it has to be."""
    higher = area(name, scores)
    if higher.value is None or higher.value >= 0.5:  # noqa: PLR2004 - chance
        return Area(name, higher, Direction.HIGHER)
    return Area(name, area(name, -scores), Direction.LOWER)


def _area_json(area: Area) -> JsonDict:
    return {"name": area.name, "area": coefficient_json(area.area), "direction": str(area.direction)}
