"""How far judges agree: with each other, and with people, beside how far people agree with each other.

Of each axis, on the same sessions. A judge that agrees with people better than they do with each other is not better
than people: it errs less by chance, not less in the same direction.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.judging.calibration import Weight, learn_weight
from eval_pipeline.judging.stand_in import EPSILONS, StandInTest, stand_in_test
from eval_pipeline.statistics.alpha import Scale, krippendorff_alpha
from eval_pipeline.statistics.coefficient import Coefficient, Numbers, estimate, estimate_all
from eval_pipeline.statistics.kappa import quadratic_kappa
from eval_pipeline.statistics.ranks import spearman
from eval_pipeline.statistics.resampling import RESAMPLES, derive_seed

PANEL: Final = "panel"
"""The panel's own score, told like a judge's."""
ALPHA_NEEDED: Final = 0.4
"""Ordinal alpha among experts below which their panel is warned of."""
ITEMS_NEEDED: Final = 20
"""Sessions from which on that is told."""
_PAIR: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisRatings:
    """One axis of some sessions, rated by experts and by people; NaN: not rated."""

    axis: str
    steps: tuple[float, ...]
    """The levels of the rubric."""
    experts: tuple[str, ...]
    levels: Numbers
    """Sessions by experts, samples averaged."""
    panel: Numbers
    """The panel's score of each session."""
    people: tuple[str, ...] = ()
    labels: Numbers | None = None
    """Sessions by people; None: nobody rated."""

    def of_judge(self, judge: str) -> Numbers:
        """Return the ratings of an expert, or of the panel."""
        return self.panel if judge == PANEL else self.levels[:, self.experts.index(judge)]

    @property
    def judges(self) -> tuple[str, ...]:
        """The experts, and the panel where it is more than one of them."""
        return (*self.experts, PANEL) if len(self.experts) > 1 else self.experts

    @property
    def consensus(self) -> Numbers | None:
        """What people say of each session on average."""
        if self.labels is None or not self.people:
            return None
        there = ~np.isnan(self.labels)
        counts = there.sum(axis=1)
        sums = np.where(there, self.labels, 0.0).sum(axis=1)
        return np.asarray(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two raters of the same sessions."""

    first: str
    second: str
    kappa: Coefficient
    """Quadratic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstPeople:
    """One judge against what people say on average."""

    judge: str
    kappa: Coefficient
    """Quadratic, both taken to the nearest level."""
    spearman: Coefficient
    mean_error: float | None
    """Mean distance from what people say, of 100."""
    bias: float | None
    """Mean of the judge less that of people: above 0, the judge is kinder."""
    person_kappa: float | None
    """Mean of its quadratic kappas with each person by itself, to be held beside that of people among each other."""
    stand_in: tuple[StandInTest, ...]
    """May it stand in for a person, by ε; none of fewer than three people."""
    weight: Weight | None
    """What it would weigh on this axis by what people said; None of the panel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisAgreement:
    """All that is known of the agreement on one axis."""

    axis: str
    sessions: int
    """That any expert rated."""
    alpha: Coefficient
    """Krippendorff's, ordinal, among experts."""
    alpha_interval: Coefficient
    """On the interval scale, without an interval of confidence."""
    experts: tuple[Pair, ...]
    rated_by_people: int
    """Sessions."""
    people: tuple[Pair, ...]
    people_alpha: Coefficient
    people_kappa: float | None
    """Mean of the quadratic kappas of people among each other: the ceiling of any judge's."""
    against_people: tuple[AgainstPeople, ...]

    @property
    def is_low(self) -> bool:
        """Whether experts agree so little that their panel is warned of."""
        return self.alpha.items >= ITEMS_NEEDED and self.alpha.value is not None and self.alpha.value < ALPHA_NEEDED

    def to_json(self) -> JsonDict:
        """Return what the stage, its report and scripts read."""
        return {
            "axis": self.axis,
            "sessions": self.sessions,
            "alpha_ordinal": coefficient_json(self.alpha),
            "alpha_interval": coefficient_json(self.alpha_interval),
            "experts": [_pair_json(pair) for pair in self.experts],
            "rated_by_people": self.rated_by_people,
            "people": [_pair_json(pair) for pair in self.people],
            "people_alpha_ordinal": coefficient_json(self.people_alpha),
            "people_kappa": self.people_kappa,
            "against_people": [_against_json(one) for one in self.against_people],
        }


def measure_axis(ratings: AxisRatings, *, seed: str, resamples: int = RESAMPLES) -> AxisAgreement:
    """Measure the agreement on one axis.

    Args:
        ratings: of all sessions, in any order.
        seed: names the run, so that its intervals are the same whenever they are drawn.
        resamples: of sessions.
    """

    def measured(*names: str) -> int:
        return derive_seed("agreement", seed, ratings.axis, *names)

    def alpha(ratings_of: Numbers, scale: Scale, *, name: str, drawn: int) -> Coefficient:
        return estimate(krippendorff_alpha(ratings_of, scale=scale), seed=measured(name), resamples=drawn)

    labels = np.full((len(ratings.panel), 0), np.nan) if ratings.labels is None else ratings.labels
    people = _pairs(ratings.people, labels)
    return AxisAgreement(
        axis=ratings.axis,
        sessions=int(np.count_nonzero((~np.isnan(ratings.levels)).any(axis=1))),
        alpha=alpha(ratings.levels, Scale.ORDINAL, name="alpha", drawn=resamples),
        alpha_interval=alpha(ratings.levels, Scale.INTERVAL, name="alpha", drawn=0),
        experts=_pairs(ratings.experts, ratings.levels, steps=ratings.steps),
        rated_by_people=int(np.count_nonzero((~np.isnan(labels)).any(axis=1))),
        people=people,
        people_alpha=alpha(labels, Scale.ORDINAL, name="people", drawn=resamples),
        people_kappa=_mean_of([pair.kappa.value for pair in people]),
        against_people=_against_people(ratings, seed=measured, resamples=resamples),
    )


def _pairs(names: Sequence[str], ratings: Numbers, *, steps: tuple[float, ...] | None = None) -> tuple[Pair, ...]:
    columns = ratings if steps is None else nearest_level(ratings, steps=steps)
    return tuple(
        Pair(
            names[first],
            names[second],
            estimate(quadratic_kappa(columns[:, first], columns[:, second]), seed=0, resamples=0),
        )
        for first, second in itertools.combinations(range(len(names)), _PAIR)
    )


def _against_people(ratings: AxisRatings, *, seed: Callable[..., int], resamples: int) -> tuple[AgainstPeople, ...]:
    consensus, labels = ratings.consensus, ratings.labels
    if consensus is None or labels is None or np.isnan(consensus).all():
        return ()
    return tuple(
        _against(judge, ratings, labels, consensus, seed=seed(judge), resamples=resamples) for judge in ratings.judges
    )


def _against(
    judge: str, ratings: AxisRatings, labels: Numbers, consensus: Numbers, *, seed: int, resamples: int
) -> AgainstPeople:
    said, steps = ratings.of_judge(judge), ratings.steps
    kappa, rank = estimate_all(
        [
            quadratic_kappa(nearest_level(said, steps=steps), nearest_level(consensus, steps=steps)),
            spearman(said, consensus),
        ],
        seed=seed,
        resamples=resamples,
    )
    errors = said - consensus
    errors = errors[~np.isnan(errors)]
    level = nearest_level(said, steps=steps)
    return AgainstPeople(
        judge=judge,
        kappa=kappa,
        spearman=rank,
        mean_error=float(np.abs(errors).mean()) if len(errors) else None,
        bias=float(errors.mean()) if len(errors) else None,
        person_kappa=_mean_of(
            [
                estimate(quadratic_kappa(level, nearest_level(person, steps=steps)), seed=0, resamples=0).value
                for person in labels.T
            ]
        ),
        stand_in=tuple(
            stand_in_test(said, labels, epsilon=epsilon, is_nominal=len(steps) == _PAIR)
            for epsilon in EPSILONS
            if labels.shape[1] > _PAIR
        ),
        weight=None if judge == PANEL else learn_weight(said, consensus, is_binary=len(steps) == _PAIR),
    )


def learnt_weights(axes: Sequence[AxisRatings]) -> dict[tuple[str, str], Weight]:
    """Return what every expert weighs on every axis by what people said, where enough of that is known.

    An axis on which nobody would weigh anything is left out: its experts weigh what the panel says.
    """
    found: dict[tuple[str, str], Weight] = {}
    for ratings in axes:
        consensus = ratings.consensus
        if consensus is None:
            continue
        binary = len(ratings.steps) == _PAIR
        learnt = {
            (expert, ratings.axis): learn_weight(ratings.of_judge(expert), consensus, is_binary=binary)
            for expert in ratings.experts
        }
        known = {key: one for key, one in learnt.items() if one.accuracy is not None or one.kappa is not None}
        if any(one.weight > 0 for one in known.values()):
            found |= known
    return found


def nearest_level(scores: Numbers, *, steps: tuple[float, ...]) -> Numbers:
    """Take scores between two levels to the nearer one; half-way, to the higher.

    >>> nearest_level(np.array([37.4, 37.5, np.nan]), steps=(0.0, 25.0, 50.0)).tolist()
    [25.0, 50.0, nan]
    """
    levels = np.array(sorted(steps))
    middles = (levels[1:] + levels[:-1]) / 2
    found = levels[np.searchsorted(middles, scores, side="right")]
    return np.where(np.isnan(scores), np.nan, found)


def _mean_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def coefficient_json(coefficient: Coefficient) -> JsonDict:
    """Return a coefficient as scripts read it; undefined is null with its reason."""
    interval = coefficient.interval
    return {
        "value": coefficient.value,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "n": coefficient.items,
        "undefined": None if coefficient.undefined is None else str(coefficient.undefined),
    }


def _pair_json(pair: Pair) -> JsonDict:
    return {"first": pair.first, "second": pair.second, "kappa": coefficient_json(pair.kappa)}


def _against_json(one: AgainstPeople) -> JsonDict:
    return {
        "judge": one.judge,
        "kappa": coefficient_json(one.kappa),
        "spearman": coefficient_json(one.spearman),
        "mean_error": one.mean_error,
        "bias": one.bias,
        "person_kappa": one.person_kappa,
        "stand_in": [
            {
                "epsilon": test.epsilon,
                "people": len(test.people),
                "winning_rate": test.winning_rate,
                "advantage": test.advantage,
                "may_stand_in": test.may_stand_in,
            }
            for test in one.stand_in
        ],
        "weight": None if one.weight is None else weight_json(one.weight),
    }


def weight_json(weight: Weight) -> JsonDict:
    """Return what an expert weighs, and what that was learnt from."""
    return {
        "weight": weight.weight,
        "labelled": weight.labelled,
        "accuracy": weight.accuracy,
        "kappa": weight.kappa,
        "is_gated_out": weight.is_gated_out,
    }


def low_axes(axes: Mapping[str, AxisAgreement]) -> tuple[str, ...]:
    """Name the axes on which experts agree so little that they are warned of."""
    return tuple(name for name, axis in axes.items() if axis.is_low)
