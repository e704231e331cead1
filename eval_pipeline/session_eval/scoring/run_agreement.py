"""All ratings of a run's sessions as matrices, gathered session by session, and what they come to."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.judging.panel import Panel
from eval_pipeline.session_eval.scoring.agreement import (
    PANEL,
    AxisAgreement,
    AxisRatings,
    learnt_weights,
    measure_axis,
)
from eval_pipeline.session_eval.scoring.calibration import Labelled, Predicted, liked, predict, succeeded
from eval_pipeline.session_eval.scoring.cells import Cell
from eval_pipeline.session_eval.scoring.session_scores import expert_opinion, main_axis
from eval_pipeline.statistics.coefficient import Numbers

LENGTH: Final = "session length"
CALLS: Final = "call count"
_NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedSession:
    """One session and all that is known of how good it is."""

    session_id: str
    cells: Sequence[Cell]
    mean: float | None
    axes: Mapping[str, float | None]
    """The panel's score of each axis."""
    characters: int
    tool_calls: int
    likes: int = 0
    dislikes: int = 0
    outcome: Json | None = None
    people: Mapping[tuple[str, str], float] | None = None
    """What people say, by axis and rater."""


@dataclass(frozen=True, slots=True)
class RunAgreement:
    """How far the judges of a run agree, and with whom."""

    axes: tuple[AxisAgreement, ...]
    predicted: tuple[Predicted, ...]
    learnt: Mapping[str, Mapping[str, float]]
    """What experts would weigh by what people said, by axis and expert."""
    seen_feedback: int
    """Sessions whose judges were shown what people said, which are left out of calibration."""

    def to_json(self) -> JsonDict:
        """Return what the stage, its report and scripts read."""
        return {
            "axes": [axis.to_json() for axis in self.axes],
            "predicted": [predicted.to_json() for predicted in self.predicted],
            "learnt_weights": {axis: dict(experts) for axis, experts in self.learnt.items()},
            "seen_feedback": self.seen_feedback,
        }


class RunRatings:
    """Gathers the sessions of a run.

    Args:
        panel: who rated what.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._axes = tuple(panel.rubric.axes)
        self._owners = {axis: tuple(expert.id for expert in panel.owners(axis)) for axis in self._axes}
        self._levels = {axis: array("d") for axis in self._axes}
        self._scores = {axis: array("d") for axis in self._axes}
        self._people: dict[tuple[str, str], dict[int, float]] = {}
        self._means, self._characters, self._calls = array("d"), array("d"), array("d")
        self._liked, self._succeeded = array("d"), array("d")
        self._seen = 0

    def add(self, session: RatedSession) -> None:
        """Add one session."""
        place = len(self._means)
        seen = any(cell.feedback_visible for cell in session.cells if cell.counts)
        self._seen += seen
        self._means.append(_number(session.mean))
        self._characters.append(session.characters)
        self._calls.append(session.tool_calls)
        self._liked.append(_NAN if seen else liked(session.likes, session.dislikes))
        self._succeeded.append(_NAN if seen else succeeded(session.outcome))
        by_expert: dict[str, list[Cell]] = {}
        for cell in session.cells:
            if cell.counts:
                by_expert.setdefault(cell.expert_id, []).append(cell)
        for axis in self._axes:
            self._scores[axis].append(_number(session.axes.get(axis)))
            for expert in self._owners[axis]:
                self._levels[axis].append(_number(expert_opinion(by_expert.get(expert, ()), axis=axis).level))
        for key, level in ({} if seen or session.people is None else session.people).items():
            self._people.setdefault(key, {})[place] = level

    def ratings(self) -> tuple[AxisRatings, ...]:
        """Return the matrices, an axis each."""
        return tuple(self._ratings(axis) for axis in self._axes)

    def _ratings(self, axis: str) -> AxisRatings:
        people = tuple(sorted(rater for name, rater in self._people if name == axis))
        labels = np.full((len(self._means), len(people)), _NAN)
        for column, rater in enumerate(people):
            said = self._people[axis, rater]
            labels[list(said), column] = list(said.values())
        return AxisRatings(
            axis=axis,
            steps=tuple(float(level) for level in self._panel.rubric.axes[axis].levels),
            experts=self._owners[axis],
            levels=np.array(self._levels[axis]).reshape(len(self._means), len(self._owners[axis])),
            panel=np.array(self._scores[axis]),
            people=people,
            labels=labels if people else None,
        )

    def measure(self, *, seed: str) -> RunAgreement:
        """Measure everything; ``seed`` names the run."""
        ratings = self.ratings()
        learnt: dict[str, dict[str, float]] = {}
        for (expert, axis), weight in learnt_weights(ratings).items():
            learnt.setdefault(axis, {})[expert] = weight.weight
        return RunAgreement(
            axes=tuple(measure_axis(one, seed=seed) for one in ratings),
            predicted=tuple(
                predict(np.array(labels), by=by, judges=self._judges(), baselines=self._baselines(), seed=seed)
                for by, labels in ((Labelled.LIKES, self._liked), (Labelled.OUTCOMES, self._succeeded))
            ),
            learnt=learnt,
            seen_feedback=self._seen,
        )

    def _judges(self) -> dict[str, Numbers]:
        """Return what predicts how good a session is: the panel's mean, its main axis, and that of each expert."""
        found = {PANEL: np.array(self._means)}
        main = main_axis(self._panel.rubric)
        if main is not None:
            found[f"{PANEL}: {main}"] = np.array(self._scores[main])
            levels = np.array(self._levels[main]).reshape(len(self._means), len(self._owners[main]))
            found |= {expert: levels[:, column] for column, expert in enumerate(self._owners[main])}
        return found

    def _baselines(self) -> dict[str, Numbers]:
        return {LENGTH: np.array(self._characters), CALLS: np.array(self._calls)}


def _number(value: float | None) -> float:
    return _NAN if value is None else value
