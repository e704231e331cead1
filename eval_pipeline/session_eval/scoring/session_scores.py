"""From the cells of one session to its scores, axis by axis, by the one aggregation that everything uses.

Samples of one expert are averaged first. Where a session was judged a second time with suspicious spans masked, the
lower level counts, and a reading without its counterpart counts as missing: one of the two alone may be what somebody
talked the judge into.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.session_results import ScoredStatus
from eval_pipeline.judging.aggregation import AxisScore, CellState, NoScore, Opinion, aggregate, average_samples
from eval_pipeline.judging.panel import Expert, Panel
from eval_pipeline.judging.rubric import Rubric
from eval_pipeline.session_eval.scoring.cells import MASKED, MISSING, PLAIN, REFUSED, Cell, CellVerdict

MAIN_AXIS: Final = "goal_completion"
"""The axis without which a session has no score, as the built-in rubric calls it."""
Weights = Mapping[tuple[str, str], float]
"""What was learnt of an expert on an axis; where there is nothing, the panel's own weight of the expert counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionScore:
    """What a panel says of one session."""

    status: ScoredStatus
    panel_complete: bool
    """Whether every expert that was to rate it gave a usable answer."""
    mean: float | None
    """Of the scores of the required axes of quality that exist; None without a score of the main one."""
    complexity: float | None
    """How much the session's task asked for: a covariate, never part of the mean."""
    axes: Mapping[str, AxisScore]
    cells: int
    cells_failed: int
    may_be_retried: bool
    """Whether what failed may have failed in passing: a refusal is for good."""
    cost_usd: Decimal | None
    """None where the price of a cell is not known."""
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By axis and expert, where they are not all the same."""

    def axes_json(self) -> JsonDict:
        """Return the scores by axis as tables and the ledger keep them."""
        return {
            name: axis_json(score) | ({"weights": dict(self.weights[name])} if name in self.weights else {})
            for name, score in self.axes.items()
        }


def score_session(
    cells: Iterable[Cell], *, panel: Panel, applies: Collection[str], weights: Weights | None = None
) -> SessionScore:
    """Score one session.

    Args:
        cells: all of the session; canaries among them are passed over.
        panel: who was to rate what.
        applies: the axes that facts let apply to the session.
        weights: learnt from what people said, instead of the panel's own.
    """
    counted = [cell for cell in cells if cell.counts]
    opinions = {
        axis: {
            expert.id: expert_opinion(
                [cell for cell in counted if cell.expert_id == expert.id],
                axis=axis,
                weight=_weight(expert, axis, weights),
            )
            for expert in panel.owners(axis)
        }
        for axis in panel.rubric.axes
    }
    axes = {axis: aggregate(list(said.values()), applies=axis in applies) for axis, said in opinions.items()}
    complete = _is_complete(counted, panel=panel, applies=applies)
    mean = mean_quality(axes, rubric=panel.rubric)
    return SessionScore(
        status=_status(mean, complete=complete),
        panel_complete=complete,
        mean=mean,
        complexity=_complexity(axes, rubric=panel.rubric),
        axes=axes,
        cells=len(counted),
        cells_failed=sum(not cell.is_ok for cell in counted),
        may_be_retried=not complete and not all(cell.is_ok or cell.status == REFUSED for cell in counted),
        cost_usd=_cost(counted),
        weights={
            axis: {expert: opinion.weight for expert, opinion in said.items()}
            for axis, said in opinions.items()
            if len({opinion.weight for opinion in said.values()}) > 1
        },
    )


def expert_opinion(cells: Sequence[Cell], *, axis: str, weight: float = 1.0) -> Opinion:
    """Return what one expert says of an axis of a session, over all of its samples and readings."""
    samples: dict[int, dict[str, CellVerdict]] = {}
    for cell in cells:
        samples.setdefault(cell.sample, {})[cell.variant] = cell.verdict(axis)
    said = [_lower(readings) for _, readings in sorted(samples.items())] or [MISSING]
    return average_samples([Opinion(verdict.state, verdict.level, weight) for verdict in said])


def _lower(readings: Mapping[str, CellVerdict]) -> CellVerdict:
    """Return what counts of a session that was read as it is and, if it was, with spans masked."""
    plain = readings.get(PLAIN, MISSING)
    masked = readings.get(MASKED, plain)
    for state in (CellState.MISSING, CellState.ABSTAINED):
        if state in {plain.state, masked.state}:
            return CellVerdict(state)
    scored = [one for one in (plain, masked) if one.level is not None]
    return min(scored, key=lambda one: one.level or 0.0) if scored else plain


def main_axis(rubric: Rubric) -> str | None:
    """Name the axis without which a session has no score: the first that needs evidence, else the first required one.

    Of the built-in rubric it is ``goal_completion``.
    """
    quality = [axis for axis in rubric.axes.values() if axis.required and not axis.covariate]
    return next((axis.name for axis in [*(one for one in quality if one.evidence_from is not None), *quality]), None)


def mean_quality(axes: Mapping[str, AxisScore], *, rubric: Rubric) -> float | None:
    """Return the mean of the required axes of quality that have a score; None without the main one."""
    required = [name for name, axis in rubric.axes.items() if axis.required and not axis.covariate]
    scores = [score for name in required if (score := axes[name].mean) is not None]
    main = main_axis(rubric)
    if main is None or axes[main].mean is None:
        return None
    return min(max(math.fsum(scores) / len(scores), min(scores)), max(scores))


def _complexity(axes: Mapping[str, AxisScore], *, rubric: Rubric) -> float | None:
    return next((axes[name].mean for name, axis in rubric.axes.items() if axis.covariate), None)


def _is_complete(cells: Sequence[Cell], *, panel: Panel, applies: Collection[str]) -> bool:
    asked = {expert.id for expert in panel.experts if any(axis in applies for axis in expert.axes)}
    answered = {cell.expert_id for cell in cells if cell.is_ok}
    return asked <= answered and all(cell.is_ok for cell in cells)


def _status(mean: float | None, *, complete: bool) -> ScoredStatus:
    if mean is None:
        return ScoredStatus.FAILED
    return ScoredStatus.EVALUATED if complete else ScoredStatus.PARTIAL


def _weight(expert: Expert, axis: str, weights: Weights | None) -> float:
    return expert.weight if weights is None else weights.get((expert.id, axis), expert.weight)


def _cost(cells: Sequence[Cell]) -> Decimal | None:
    known = [cell.cost_usd for cell in cells if cell.cost_usd is not None]
    return sum(known, Decimal(0)) if len(known) == len(cells) else None


def axis_json(score: AxisScore) -> JsonDict:
    """Return one score as tables and the ledger keep it."""
    return {
        "mean": score.mean,
        "reason": None if score.reason is None else str(score.reason),
        "n": score.scored,
        "owners": score.owners,
        "sd": score.sd,
        "disagreement": score.disagreement,
    }


def read_axis(value: Json) -> AxisScore:
    """Read one score back."""
    return AxisScore(
        mean=value["mean"],
        reason=None if value["reason"] is None else NoScore(value["reason"]),
        scored=value["n"],
        owners=value["owners"],
        sd=value["sd"],
        disagreement=value["disagreement"],
    )
