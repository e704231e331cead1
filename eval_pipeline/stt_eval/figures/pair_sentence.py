"""What the tests allow to say of two models, in a sentence. Names go in as they are: whoever shows it escapes it.

The model with the lower rate is named first, so that differences are not below zero: points are percentage points of
the rate, and an interval that reaches below zero does not exclude that the order is the other way round. Which test a
p-value is of, the report's method says: here it would only be in the way.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from eval_pipeline.stt_eval.figures.model_pairs import ALPHA, Conclusion, JudgedPair
from eval_pipeline.stt_eval.figures.silence import SilencePair

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
    if judged.pair.on_silence is not None:
        return _silence_sentence(judged, judged.pair.on_silence)
    pair = _Ordered.of(judged)
    points = f"{_number(pair.points, decimals=pair.decimals)} points {metric}"
    evidence, samples = _evidence(judged), _samples(judged)
    match judged.conclusion:
        case Conclusion.FIRST_BETTER | Conclusion.SECOND_BETTER:
            return f"{pair.better} is better than {pair.worse} by {points} ({', '.join([*evidence, samples])})"
        case Conclusion.TESTS_DISAGREE:
            shown = ", ".join([*evidence, samples])
            return (
                f"{pair.better} has {points} less than {pair.worse}, but only one of the two tests calls that more"
                f" than chance ({shown})"
            )
        case Conclusion.NOT_DISTINGUISHABLE:
            shown = ", ".join([f"difference {points}", *evidence])
            return f"{pair.better} and {pair.worse} are not distinguishable with {samples} ({shown})"
        case Conclusion.SAME_ERRORS:
            return f"{pair.better} and {pair.worse} make equally many errors on each of {samples}"
        case Conclusion.NO_DATA:
            return f"{pair.better} and {pair.worse} cannot be compared: there is no sample to score both on"
        case _:
            assert_never(judged.conclusion)


def _silence_sentence(judged: JudgedPair, found: SilencePair) -> str:
    """Say who invented fewer words where nothing was said."""
    pair, samples = judged.pair, sample_words(found.samples)
    swapped = found.difference > 0
    fewer, more = (pair.second, pair.first) if swapped else (pair.first, pair.second)
    counts = sorted((found.first_words, found.second_words))
    heard = f"{_words(counts[0])} against {_words(counts[1])} in {samples} without speech"
    shown = ", ".join([heard, *_p_value(judged)])
    match judged.conclusion:
        case Conclusion.FIRST_BETTER | Conclusion.SECOND_BETTER:
            return f"{fewer} is better than {more} on silence: it invents fewer words ({shown})"
        case Conclusion.SAME_ERRORS:
            return f"{fewer} and {more} invent equally many words in each of {samples} without speech ({counts[0]:,})"
        case Conclusion.NOT_DISTINGUISHABLE | Conclusion.TESTS_DISAGREE | Conclusion.NO_DATA:
            return f"{fewer} and {more} are not distinguishable on silence ({shown})"
        case _:
            assert_never(judged.conclusion)


def sample_words(count: int) -> str:
    """Write how many samples.

    >>> sample_words(1), sample_words(1_200)
    ('1 sample', '1,200 samples')
    """
    return f"{count:,} sample{'' if count == 1 else 's'}"


def _words(count: int) -> str:
    return "no word" if count == 0 else f"{count:,} word{'' if count == 1 else 's'}"


def _evidence(judged: JudgedPair) -> list[str]:
    return [*_interval(judged), *_p_value(judged)]


def _interval(judged: JudgedPair) -> list[str]:
    """Give the interval, unless it has no width: the same difference on every sample says nothing of its spread."""
    pair, interval = _Ordered.of(judged), judged.pair.difference.interval
    if interval is None or pair.interval is None or interval.low == interval.high:
        return []
    low, high = (_number(end, decimals=pair.decimals) for end in pair.interval)
    return [f"{100 * interval.level:g}% CI {low} to {high}"]


def _p_value(judged: JudgedPair) -> list[str]:
    """Give the second test's p-value, and say so where it is corrected for other pairs."""
    p, corrected = judged.adjusted_p, f" corrected for {judged.family} pairs" if judged.family > 1 else ""
    if p is None:
        return []
    return [f"p {f'= {_rounded(p)}' if p >= _SMALLEST_P else f'< {_SMALLEST_P}'}{corrected}"]


def _rounded(p: float) -> str:
    """Round to three decimals, or to one more where p is above 5 % and would look as if it were not."""
    written = f"{p:.3f}"
    return f"{p:.4f}" if p > ALPHA >= float(written) else written


def _samples(judged: JudgedPair) -> str:
    return sample_words(judged.pair.difference.utterances)


def _number(value: float, *, decimals: int) -> str:
    written = f"{abs(value):.{decimals}f}"
    return f"{_MINUS}{written}" if value < 0 and float(written) else written
