"""Two runs on the same dataset, question by question: did it help, how sure is that, and what changed.

The pair is the question: its score in a run is the mean over its scored repeats, so runs may repeat differently. A
question that one of the runs could not score is left out and counted.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import fsum

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.statistics import mean, paired_difference

_TIE = 1e-12
"""Differences below this are rounding."""


@dataclass(frozen=True, slots=True)
class ScoreComparison:
    """One score of two runs; differences are second minus first."""

    name: str
    questions: int
    """Questions that both runs scored."""
    left_out: int
    mean_first: float | None
    mean_second: float | None
    difference: float | None
    standard_error: float | None
    ci_low: float | None
    ci_high: float | None
    """95 % interval of the difference, Student t over the questions."""
    wins: int
    """Questions where the second run scored higher."""
    losses: int
    ties: int

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``not distinguishable``: the second run's, by the interval."""
        if self.ci_low is not None and self.ci_low > 0:
            return "better"
        return "worse" if self.ci_high is not None and self.ci_high < 0 else "not distinguishable"


@dataclass(frozen=True, slots=True)
class ChangedQuestion:
    """A question whose score differs between the runs."""

    question_id: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.second - self.first


@dataclass(frozen=True, slots=True)
class RunStages:
    """The stages of one run that a comparison reads."""

    dataset: StageReader
    scores: StageReader


def check_comparable(first: RunStages, second: RunStages) -> None:
    """Raise unless both runs asked the questions of the same dataset version."""
    versions = [stages.dataset.manifest.summary["dataset_version"] for stages in (first, second)]
    if versions[0] != versions[1]:
        raise ConflictError(
            f"the runs used different dataset versions: {versions[0][:12]} and {versions[1][:12]}",
            code="runs_not_comparable",
            hint="compare runs on the same version: eval-pipeline text run … --dataset NAME@VERSION",
        )


def question_scores(scores: StageReader, name: str) -> dict[str, float | None]:
    """Return the mean of one score over the scored repeats of every question, None where none was scored."""
    values: dict[str, list[float]] = {}
    for row in scores.rows(("question_id", "name", "value")):
        if row["name"] == name:
            collected = values.setdefault(row["question_id"], [])
            if row["value"] is not None:
                collected.append(row["value"])
    return {question: fsum(found) / len(found) if found else None for question, found in values.items()}


def pair(first: Mapping[str, float | None], second: Mapping[str, float | None]) -> Iterator[tuple[str, float, float]]:
    """Yield the questions that both runs scored."""
    for question, before in first.items():
        after = second.get(question)
        if before is not None and after is not None:
            yield question, before, after


def compare_score(name: str, first: Mapping[str, float | None], second: Mapping[str, float | None]) -> ScoreComparison:
    """Compare one score of two runs pair by pair."""
    pairs = list(pair(first, second))
    before = [one for _, one, _ in pairs]
    after = [other for _, _, other in pairs]
    estimate = paired_difference(before, second=after, clusters=[question for question, _, _ in pairs])
    interval = estimate.interval
    wins = sum(other - one > _TIE for _, one, other in pairs)
    losses = sum(one - other > _TIE for _, one, other in pairs)
    return ScoreComparison(
        name=name,
        questions=len(pairs),
        left_out=len(first.keys() | second.keys()) - len(pairs),
        mean_first=mean(before),
        mean_second=mean(after),
        difference=estimate.mean,
        standard_error=estimate.standard_error,
        ci_low=interval.low if interval else None,
        ci_high=interval.high if interval else None,
        wins=wins,
        losses=losses,
        ties=len(pairs) - wins - losses,
    )


def most_changed(
    first: Mapping[str, float | None], second: Mapping[str, float | None], *, limit: int
) -> list[ChangedQuestion]:
    """Return the questions whose score changed, losses before wins of the same size, then by id."""
    changed = (
        ChangedQuestion(question, one, other) for question, one, other in pair(first, second) if abs(other - one) > _TIE
    )
    return heapq.nsmallest(
        limit, changed, key=lambda question: (-abs(question.difference), question.difference, question.question_id)
    )
