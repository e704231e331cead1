"""Have the judges moved? The same sessions, judged before and again, expert by expert and axis by axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.judging.drift import Drift, find_drift
from eval_pipeline.session_eval.scoring.agreement import coefficient_json
from eval_pipeline.session_eval.scoring.cells import Cell
from eval_pipeline.session_eval.scoring.session_scores import expert_opinion

FEWEST_ANCHORS: Final = 30
MOST_ANCHORS: Final = 100
"""Sessions that are frozen to be judged again and again: fewer say little, more cost much."""


@dataclass(frozen=True, slots=True)
class Rated:
    """One expert's levels on one axis, by session; None: it gave none."""

    expert_id: str
    axis: str
    levels: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one expert moved on one axis."""

    expert_id: str
    axis: str
    drift: Drift

    def to_json(self) -> JsonDict:
        """Return what scripts read."""
        drift = self.drift
        return {
            "expert_id": self.expert_id,
            "axis": self.axis,
            "n": drift.items,
            "shift": drift.shift,
            "low": None if drift.interval is None else drift.interval.low,
            "high": None if drift.interval is None else drift.interval.high,
            "kappa": coefficient_json(drift.kappa),
            "nulls_before": drift.nulls_before,
            "nulls_now": drift.nulls_now,
            "alarms": list(drift.alarms),
        }


def rate(sessions: Mapping[str, Sequence[Cell]], *, owners: Mapping[str, Sequence[str]]) -> tuple[Rated, ...]:
    """Return the levels that the experts gave.

    Args:
        sessions: the cells of each, by its id.
        owners: the experts that rate an axis, by axis.
    """
    return tuple(
        Rated(expert, axis, {name: _level(cells, expert=expert, axis=axis) for name, cells in sessions.items()})
        for axis, experts in owners.items()
        for expert in experts
    )


def _level(cells: Sequence[Cell], *, expert: str, axis: str) -> float | None:
    own = [cell for cell in cells if cell.expert_id == expert and cell.counts]
    return expert_opinion(own, axis=axis).level


def moved(before: Sequence[Rated], now: Sequence[Rated]) -> tuple[Moved, ...]:
    """Compare what experts said of the same sessions, each with itself, on the axes that it rated both times."""
    earlier = {(one.expert_id, one.axis): one.levels for one in before}
    found: list[Moved] = []
    for one in now:
        then = earlier.get((one.expert_id, one.axis))
        if then is None:
            continue
        both = sorted(one.levels.keys() & then.keys())
        found.append(
            Moved(
                one.expert_id,
                one.axis,
                find_drift([then[session] for session in both], [one.levels[session] for session in both]),
            )
        )
    return tuple(found)
