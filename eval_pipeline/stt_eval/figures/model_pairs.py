"""What two tests allow to say of every pair of models, and which models nothing is shown to be better than.

A model is called better only where both tests agree: the 95 % interval of the bootstrap leaves zero out, and MAPSSWE,
corrected for the number of pairs, rejects at 5 %. With several pairs one of them would soon look significant by chance;
Holm's step-down correction (1979) keeps the chance of any false claim at 5 %, whatever the pairs have to do with each
other. The interval stays that of the pair alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eval_pipeline.stt_eval.figures.mapsswe import MatchedPairs
from eval_pipeline.stt_eval.figures.paired import PairedDifference

ALPHA: Final = 0.05


class Conclusion(StrEnum):
    """What the tests say of two models."""

    FIRST_BETTER = "first_better"
    SECOND_BETTER = "second_better"
    NOT_DISTINGUISHABLE = "not_distinguishable"
    TESTS_DISAGREE = "tests_disagree"
    SAME_ERRORS = "same_errors"
    """As many errors on every single sample."""
    NO_DATA = "no_data"
    """No sample with a reference token to compare them on."""


@dataclass(frozen=True, slots=True)
class ModelPair:
    """Two models and both tests; ``matched`` is None where MAPSSWE was not made, and the interval decides alone."""

    first: str
    second: str
    difference: PairedDifference
    matched: MatchedPairs | None


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A pair among its family."""

    pair: ModelPair
    adjusted_p: float | None
    """MAPSSWE's two-sided p-value after Holm's correction; None where MAPSSWE has none."""
    family: int
    """p-values that were corrected together."""
    conclusion: Conclusion

    @property
    def better(self) -> str | None:
        """The model that is better, if one is."""
        if self.conclusion is Conclusion.FIRST_BETTER:
            return self.pair.first
        return self.pair.second if self.conclusion is Conclusion.SECOND_BETTER else None

    @property
    def worse(self) -> str | None:
        """The model that is worse, if one is."""
        if self.conclusion is Conclusion.FIRST_BETTER:
            return self.pair.second
        return self.pair.first if self.conclusion is Conclusion.SECOND_BETTER else None


def judge_pairs(pairs: Sequence[ModelPair]) -> list[JudgedPair]:
    """Conclude for every pair; the pairs given together are the family that is corrected for."""
    adjusted = adjust_p_values([pair.matched.p_two_sided if pair.matched else None for pair in pairs])
    family = sum(p is not None for p in adjusted)
    return [
        JudgedPair(pair=pair, adjusted_p=p, family=family, conclusion=_conclude(pair, adjusted_p=p))
        for pair, p in zip(pairs, adjusted, strict=True)
    ]


def adjust_p_values(p_values: Sequence[float | None]) -> list[float | None]:
    """Return Holm's adjusted p-values; what has none keeps none and does not count."""
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p))
        adjusted[index] = largest
    return adjusted


def compared_models(judged: Iterable[JudgedPair]) -> list[str]:
    """Return the models that share a sample with another one, in the order in which they appear."""
    told = [one.pair for one in judged if one.conclusion is not Conclusion.NO_DATA]
    return list(dict.fromkeys(model for pair in told for model in (pair.first, pair.second)))


def unbeaten_models(judged: Iterable[JudgedPair]) -> list[str]:
    """Return the best group: the models than which no other is better, in the order in which they appear.

    No two of them are distinguishable, or one would be beaten. A model that shares no sample with any other is not
    among them; with pairs on different samples everyone can be beaten, and the group be empty.
    """
    pairs = list(judged)
    beaten = {one.worse for one in pairs}
    return [model for model in compared_models(pairs) if model not in beaten]


def _conclude(pair: ModelPair, *, adjusted_p: float | None) -> Conclusion:
    found = pair.difference
    if found.difference is None:
        return Conclusion.NO_DATA
    if found.equal == found.utterances:
        return Conclusion.SAME_ERRORS
    by_interval = found.interval is not None and not found.interval.holds_zero
    by_segments = _rejects(pair.matched, adjusted_p=adjusted_p) if pair.matched else by_interval
    if by_interval != by_segments or (by_interval and not _same_direction(pair)):
        return Conclusion.TESTS_DISAGREE
    if not by_interval:
        return Conclusion.NOT_DISTINGUISHABLE
    return Conclusion.FIRST_BETTER if found.difference < 0 else Conclusion.SECOND_BETTER


def _rejects(matched: MatchedPairs, *, adjusted_p: float | None) -> bool:
    return matched.mean_difference is not None and adjusted_p is not None and adjusted_p <= ALPHA


def _same_direction(pair: ModelPair) -> bool:
    """Tell whether both tests point to the same model: they can differ where they were given different samples."""
    mean = pair.matched.mean_difference if pair.matched else pair.difference.difference
    return mean is not None and pair.difference.difference is not None and mean * pair.difference.difference > 0
