"""Sessions as columns of numbers: what weeks are told from, gathered row by row without keeping the rows."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from eval_pipeline.core.documents import Json
from eval_pipeline.judging.aggregation import NoScore
from eval_pipeline.session_eval.scoring.weekly import MEAN, Judged

_REASONS: tuple[str, ...] = tuple(str(reason) for reason in NoScore)
_NO_MEAN = "no_main_axis"
"""Why a session has no mean."""
_NAN = float("nan")


@dataclass(slots=True)
class JudgedColumns:
    """Gathers sessions that one instrument judged."""

    axes: Sequence[str]
    _moments: "array[float]" = field(default_factory=lambda: array("d"))
    _complexity: "array[float]" = field(default_factory=lambda: array("d"))
    _scores: "dict[str, array[float]]" = field(default_factory=dict)
    _reasons: "dict[str, array[int]]" = field(default_factory=dict)
    _likes: "array[int]" = field(default_factory=lambda: array("q"))
    _dislikes: "array[int]" = field(default_factory=lambda: array("q"))
    _costs: "array[float]" = field(default_factory=lambda: array("d"))

    def __post_init__(self) -> None:
        for name in (*self.axes, MEAN):
            self._scores[name], self._reasons[name] = array("d"), array("b")

    def add(
        self,
        *,
        last_active: datetime | None,
        mean: float | None,
        complexity: float | None,
        axes: Mapping[str, Json],
        thumbs: tuple[int, int],
        cost_usd: str | float | None,
    ) -> None:
        """Add one session; ``thumbs`` are its likes and dislikes."""
        self._moments.append(_NAN if last_active is None else last_active.timestamp())
        self._complexity.append(_NAN if complexity is None else complexity)
        self._put(MEAN, mean, _NO_MEAN)
        for name in self.axes:
            score = axes.get(name)
            if score is None:
                self._put(name, None, NoScore.NOT_APPLICABLE)
            else:
                self._put(name, score["mean"], score["reason"])
        self._likes.append(thumbs[0])
        self._dislikes.append(thumbs[1])
        self._costs.append(_NAN if cost_usd is None else float(cost_usd))

    def _put(self, name: str, score: float | None, reason: str | None) -> None:
        self._scores[name].append(_NAN if score is None else score)
        self._reasons[name].append(-1 if score is not None else _NAMES.index(reason or _NO_MEAN))

    def judged(self) -> Judged:
        """Return the sessions that were added."""
        return Judged(
            last_active_s=np.array(self._moments),
            complexity=np.array(self._complexity),
            scores={name: np.array(column) for name, column in self._scores.items()},
            reasons={name: np.array(column, dtype=np.int8) for name, column in self._reasons.items()},
            reason_names=_NAMES,
            likes=np.array(self._likes, dtype=np.int64),
            dislikes=np.array(self._dislikes, dtype=np.int64),
            cost_usd=np.array(self._costs),
        )


_NAMES: tuple[str, ...] = (*_REASONS, _NO_MEAN)
