"""Pairs of models whose tests came out as wanted."""

from eval_pipeline.statistics.resampling import PercentileInterval
from eval_pipeline.stt_eval.figures.mapsswe import MatchedPairs
from eval_pipeline.stt_eval.figures.model_pairs import ModelPair
from eval_pipeline.stt_eval.figures.paired import PairedDifference


def compared(
    first: str,
    second: str,
    *,
    difference: float | None,
    interval: tuple[float, float] | None,
    p: float | None,
    samples: int = 49,
    equal: int = 3,
    mean: float | None = None,
    segments: int = 20,
) -> ModelPair:
    """Return a pair; differences are first minus second."""
    ends = None if interval is None else PercentileInterval(*interval, level=0.95, resamples=2_000)
    paired = PairedDifference(None, None, difference, ends, None, samples, samples, 0, 0, equal)
    mean = difference if mean is None else mean
    return ModelPair(first, second, paired, MatchedPairs(samples, segments, 5, 6, mean, 1.0, None, p))


def interval_only(first: str, second: str, *, difference: float, interval: tuple[float, float]) -> ModelPair:
    """Return a pair on which MAPSSWE was not made."""
    pair = compared(first, second, difference=difference, interval=interval, p=None)
    return ModelPair(first, second, pair.difference, None)
