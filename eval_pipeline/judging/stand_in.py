"""May this judge stand in for a person? The alternative annotator test.

Each annotator in turn is left out, and judge and annotator are compared by how well they agree with the others
(Calderon, Reichart and Dror 2025, arXiv:2501.10970). A judge costs less than a person, so it may be worse by ε: 0.2
against experts, 0.15 against trained annotators, 0.1 against a crowd.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.core.student_t import student_t_p_value
from eval_pipeline.statistics.coefficient import Numbers

EPSILONS: Final = (0.2, 0.15, 0.1)
FALSE_DISCOVERIES: Final = 0.05
ITEMS_NEEDED: Final = 30
"""Of an annotator, each rated by another one and by the judge; fewer are not normal enough for a t test."""
PEOPLE_NEEDED: Final = 3


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The judge against one annotator, by agreement with the others."""

    annotator: int
    items: int
    judge_wins: float
    """Share of items on which the judge agrees with the others at least as well as the annotator does."""
    person_wins: float
    """The other way; ties count for both."""
    p_value: float
    """That the judge is worse by ε or more."""
    is_beaten: bool
    """Whether that is refuted, by Benjamini and Yekutieli over all annotators."""


@dataclass(frozen=True, slots=True)
class StandInTest:
    """What the test found for one ε."""

    epsilon: float
    people: tuple[LeftOut, ...]
    """Those with enough items."""
    winning_rate: float | None
    """Share of the people that the judge may replace; None where nobody rated enough, or fewer than three rated."""
    advantage: float | None
    """Mean share of items on which the judge does at least as well as the person left out."""

    @property
    def may_stand_in(self) -> bool | None:
        """Whether the judge may replace half of the people or more."""
        return None if self.winning_rate is None else self.winning_rate >= 0.5  # noqa: PLR2004 - half of them


def stand_in_test(judge: Numbers, people: Numbers, *, epsilon: float, is_nominal: bool) -> StandInTest:
    """Test one judge against people.

    Args:
        judge: its rating of every item; NaN: none.
        people: items by annotators; NaN: missing.
        epsilon: by how much the judge may be worse.
        is_nominal: whether ratings are equal or not; else they are near or far (root mean square).
    """
    wins = [
        (annotator, own, person)
        for annotator in range(people.shape[1])
        for own, person in [_wins(judge, people, annotator=annotator, is_nominal=is_nominal)]
        if len(own) >= ITEMS_NEEDED
    ]
    if len(wins) < PEOPLE_NEEDED:
        return StandInTest(epsilon=epsilon, people=(), winning_rate=None, advantage=None)
    p_values = [_p_value(person - own, epsilon=epsilon) for _, own, person in wins]
    beaten = reject(p_values, rate=FALSE_DISCOVERIES)
    found = tuple(
        LeftOut(
            annotator=annotator,
            items=len(own),
            judge_wins=float(own.mean()),
            person_wins=float(person.mean()),
            p_value=p_value,
            is_beaten=is_beaten,
        )
        for (annotator, own, person), p_value, is_beaten in zip(wins, p_values, beaten, strict=True)
    )
    return StandInTest(
        epsilon=epsilon,
        people=found,
        winning_rate=sum(beaten) / len(beaten),
        advantage=math.fsum(one.judge_wins for one in found) / len(found),
    )


def reject(p_values: Sequence[float], *, rate: float) -> list[bool]:
    """Tell which hypotheses are rejected by Benjamini and Yekutieli (2001), whatever their dependence."""
    count = len(p_values)
    harmonic = math.fsum(1 / place for place in range(1, count + 1))
    order = sorted(range(count), key=lambda place: p_values[place])
    last = max(
        (rank for rank, place in enumerate(order, 1) if p_values[place] <= rank * rate / (count * harmonic)), default=0
    )
    rejected = set(order[:last])
    return [place in rejected for place in range(count)]


def _wins(
    judge: Numbers, people: Numbers, *, annotator: int, is_nominal: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, item by item, whether the judge does at least as well as the annotator, and the other way round."""
    own, others = people[:, annotator], np.delete(people, annotator, axis=1)
    counts = ~np.isnan(judge) & ~np.isnan(own) & ~np.isnan(others).all(axis=1)
    judge_fit = _fit(judge[counts], others[counts], is_nominal=is_nominal)
    person_fit = _fit(own[counts], others[counts], is_nominal=is_nominal)
    return (judge_fit >= person_fit).astype(float), (person_fit >= judge_fit).astype(float)


def _fit(ratings: Numbers, others: Numbers, *, is_nominal: bool) -> Numbers:
    """Return how well ratings fit those of the other people; more is better."""
    apart = ratings[:, None] - others
    there = ~np.isnan(others)
    distance = np.where(there, (apart != 0) if is_nominal else apart**2, 0.0).sum(axis=1) / there.sum(axis=1)
    return np.asarray(-distance, dtype=np.float64)


def _p_value(differences: Numbers, *, epsilon: float) -> float:
    """Test that the person's lead is below ε: one-sided, of t."""
    lead, spread = float(differences.mean()), float(differences.std(ddof=1))
    if spread == 0:
        return 0.0 if lead < epsilon else 1.0
    t = (lead - epsilon) / (spread / math.sqrt(len(differences)))
    two_sided = student_t_p_value(t, degrees_of_freedom=len(differences) - 1)
    return two_sided / 2 if t < 0 else 1 - two_sided / 2
