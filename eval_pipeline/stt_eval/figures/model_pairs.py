"""What two tests allow to say of every pair of models, and which models nothing is shown to be better than.

A model is called better only where both tests agree: the 95 % interval of the bootstrap leaves zero out, and a test of
the matched differences, corrected for the number of pairs, rejects at 5 %. That test is Student's t of the samples, and
where words count the more doubtful of it and MAPSSWE, which takes the errors of one sample for independent; the sign
test where all differences are the same. With several pairs one of them would soon look significant by chance; Holm's
step-down correction (1979) keeps the chance of any false claim at 5 %, whatever the pairs have to do with each other.
The interval stays that of the pair alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eval_pipeline.stt_eval.figures.mapsswe import MatchedPairs
from eval_pipeline.stt_eval.figures.matched_samples import MatchedSamples, sign_test
from eval_pipeline.stt_eval.figures.paired import PairedDifference
from eval_pipeline.stt_eval.figures.silence import SilencePair

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
    """No sample to compare them on."""


class PairTest(StrEnum):
    """The test that stands beside the bootstrap."""

    MAPSSWE = "mapsswe"
    """Of stretches of words between those that both models got right."""
    SAMPLES = "matched_samples"
    """Student's t of the differences per sample, or per speaker."""
    SIGN = "sign"
    """Of differences that are all the same; and of what was heard in silence."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the second test found."""

    test: PairTest
    p: float
    mean_difference: float


@dataclass(frozen=True, slots=True)
class ModelPair:
    """Two models and both tests.

    ``matched`` is None where MAPSSWE was not made, ``samples`` where the samples were not tested; without either the
    interval decides alone. ``silence`` counts only where no sample has a word.
    """

    first: str
    second: str
    difference: PairedDifference
    matched: MatchedPairs | None
    samples: MatchedSamples | None = None
    silence: SilencePair | None = None

    @property
    def on_silence(self) -> SilencePair | None:
        """The comparison on silence, where there is nothing else to compare."""
        return self.silence if self.difference.difference is None else None

    @property
    def evidence(self) -> Evidence | None:
        """The second test, of two the one with the larger p-value; None where there is none with a result."""
        if self.on_silence is not None:
            return Evidence(PairTest.SIGN, self.on_silence.p_two_sided, self.on_silence.difference)
        found = [
            None if self.matched is None else _evidence(PairTest.MAPSSWE, self.matched, units=self.matched.segments),
            None if self.samples is None else _evidence(PairTest.SAMPLES, self.samples, units=self.samples.units),
        ]
        return max((one for one in found if one is not None), key=lambda one: one.p, default=None)


def _evidence(test: PairTest, found: MatchedPairs | MatchedSamples, *, units: int) -> Evidence | None:
    mean, p = found.mean_difference, found.p_two_sided
    if mean is None:
        return None
    if p is not None:
        return Evidence(test, p, mean)
    return Evidence(PairTest.SIGN, sign_test(positive=units, negative=0), mean)


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A pair among its family."""

    pair: ModelPair
    adjusted_p: float | None
    """The second test's two-sided p-value after Holm's correction; None where it has none."""
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
    found = [pair.evidence for pair in pairs]
    adjusted = adjust_p_values([None if one is None else one.p for one in found])
    family = sum(p is not None for p in adjusted)
    return [
        JudgedPair(pair=pair, adjusted_p=p, family=family, conclusion=_conclude(pair, evidence=one, adjusted_p=p))
        for pair, one, p in zip(pairs, found, adjusted, strict=True)
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


def _conclude(pair: ModelPair, *, evidence: Evidence | None, adjusted_p: float | None) -> Conclusion:
    if pair.on_silence is not None:
        return _conclude_on_silence(pair.on_silence, adjusted_p=adjusted_p)
    found = pair.difference
    if found.difference is None:
        return Conclusion.NO_DATA
    if found.equal == found.utterances:
        return Conclusion.SAME_ERRORS
    return _conclude_by_tests(pair, found.difference, evidence=evidence, adjusted_p=adjusted_p)


def _conclude_by_tests(
    pair: ModelPair, difference: float, *, evidence: Evidence | None, adjusted_p: float | None
) -> Conclusion:
    interval = pair.difference.interval
    if interval is None:
        return Conclusion.NOT_DISTINGUISHABLE
    claims = [not interval.holds_zero]
    if pair.matched is not None or pair.samples is not None:
        claims.append(evidence is not None and _claims(evidence, difference=difference))
    if any(claims) and not all(claims):
        return Conclusion.TESTS_DISAGREE
    if not any(claims) or not (evidence is None or _rejects(adjusted_p)):
        return Conclusion.NOT_DISTINGUISHABLE
    return _better(difference)


def _claims(evidence: Evidence, *, difference: float) -> bool:
    """Tell whether the second test, for itself, says the same of the two models as their difference."""
    return evidence.p <= ALPHA and evidence.mean_difference * difference > 0


def _conclude_on_silence(silence: SilencePair, *, adjusted_p: float | None) -> Conclusion:
    if silence.first_fewer == silence.second_fewer == 0:
        return Conclusion.SAME_ERRORS
    if not _rejects(adjusted_p):
        return Conclusion.NOT_DISTINGUISHABLE
    by_count = silence.second_fewer - silence.first_fewer
    return _better(by_count) if by_count * silence.difference > 0 else Conclusion.TESTS_DISAGREE


def _better(difference: float) -> Conclusion:
    return Conclusion.FIRST_BETTER if difference < 0 else Conclusion.SECOND_BETTER


def _rejects(adjusted_p: float | None) -> bool:
    return adjusted_p is not None and adjusted_p <= ALPHA
