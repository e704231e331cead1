"""What the tests allow to say of two models, in a sentence. Names go in as they are: whoever shows it escapes it.

The model with the lower rate is named first, so that differences are not below zero: points are percentage points of
the rate, and an interval that reaches below zero does not exclude that the order is the other way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from eval_pipeline.stt_eval.figures.model_pairs import ALPHA, Conclusion, JudgedPair

_MINUS: Final = "\N{MINUS SIGN}"
_MOST_DECIMALS: Final = 4
_SMALLEST_P: Final = 0.001


@dataclass(frozen=True, slots=True)
class _Ordered:
    """A pair with the lower rate first; the difference and its interval in points, how much lower that is."""

    better: str
    worse: str
    points: float
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, judged: JudgedPair) -> "_Ordered":
        pair, found = judged.pair, judged.pair.difference
        difference = found.difference or 0.0
        sign, names = (100, (pair.second, pair.first)) if difference > 0 else (-100, (pair.first, pair.second))
        ends = None if found.interval is None else sorted((sign * found.interval.low, sign * found.interval.high))
        return cls(*names, points=abs(sign * difference), interval=None if ends is None else (ends[0], ends[1]))

    @property
    def decimals(self) -> int:
        """One, or as many as nothing but zero itself needs not to look like zero."""
        shown = [abs(value) for value in (self.points, *(self.interval or ())) if value]
        enough = (count for count in range(1, _MOST_DECIMALS) if all(round(value, count) for value in shown))
        return next(enough, _MOST_DECIMALS)


def pair_sentence(judged: JudgedPair, *, metric: str = "WER") -> str:
    """Say which of two models is better and how sure that is, or why nothing can be said."""
    pair = _Ordered.of(judged)
    points = f"{_number(pair.points, decimals=pair.decimals)} points {metric}"
    evidence, samples = _evidence(judged), _samples(judged)
    match judged.conclusion:
        case Conclusion.FIRST_BETTER | Conclusion.SECOND_BETTER:
            return f"{pair.better} is better than {pair.worse} by {points} ({', '.join([*evidence, samples])})"
        case Conclusion.TESTS_DISAGREE:
            shown = ", ".join([*evidence, samples])
            return f"{pair.better} may be better than {pair.worse} by {points}, but the tests disagree ({shown})"
        case Conclusion.NOT_DISTINGUISHABLE:
            shown = ", ".join([f"difference {points}", *evidence])
            return f"{pair.better} and {pair.worse} are not distinguishable with {samples} ({shown})"
        case Conclusion.SAME_ERRORS:
            return f"{pair.better} and {pair.worse} make equally many errors on each of {samples}"
        case Conclusion.NO_DATA:
            return f"{pair.better} and {pair.worse} cannot be compared: there is no sample to score both on"
        case _:
            assert_never(judged.conclusion)


def best_sentence(best: Sequence[str], *, models: int) -> str:
    """Name the models that no other is better than.

    That does not make each of them better than all the others: with A at 10 %, B at 12 % and C at 14 %, A can be shown
    to be better than C, and B be distinguishable from neither.
    """
    if not best:
        return "no model can be called the best"
    if models == 1:
        return f"{best[0]} has no other model to compare with"
    if len(best) == 1:
        return f"{best[0]} is the best of {models} models"
    names = f"{', '.join(best[:-1])} and {best[-1]}"
    if len(best) == models:
        return f"{names} are not distinguishable from each other"
    return f"{names} are the best group of {models} models: none is shown to be better than any of them"


def _evidence(judged: JudgedPair) -> list[str]:
    return [part for part in (_interval(judged), _p_value(judged)) if part]


def _interval(judged: JudgedPair) -> str:
    pair, interval = _Ordered.of(judged), judged.pair.difference.interval
    if interval is None or pair.interval is None:
        return ""
    low, high = (_number(end, decimals=pair.decimals) for end in pair.interval)
    return f"{100 * interval.level:g} % CI {low} to {high}"


def _p_value(judged: JudgedPair) -> str:
    """Give MAPSSWE's p-value, and say so where it is corrected for other pairs."""
    if judged.pair.matched is None:
        return ""
    p, corrected = judged.adjusted_p, f" corrected for {judged.family} pairs" if judged.family > 1 else ""
    if p is None:
        return "MAPSSWE without result"
    return f"MAPSSWE p {f'= {_rounded(p)}' if p >= _SMALLEST_P else f'< {_SMALLEST_P}'}{corrected}"


def _rounded(p: float) -> str:
    """Round to three decimals, or to one more where p is above 5 % and would look as if it were not."""
    written = f"{p:.3f}"
    return f"{p:.4f}" if p > ALPHA >= float(written) else written


def _samples(judged: JudgedPair) -> str:
    count = judged.pair.difference.utterances
    return f"{count:,} sample{'' if count == 1 else 's'}"


def _number(value: float, *, decimals: int) -> str:
    written = f"{abs(value):.{decimals}f}"
    return f"{_MINUS}{written}" if value < 0 and float(written) else written
