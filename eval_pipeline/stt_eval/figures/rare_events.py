"""What an interval cannot hold: clips on which a model runs away, seen once or not at all.

A model that loops on one clip in fifty inserts hundreds of words there. A set of ten clips without such a one has an
interval around the rate of the others, whatever its formula: nothing in the data tells of what is missing (Bahadur and
Savage 1956). A set with one has an interval that rests on a single clip. So both are said in words.
"""

import math
from dataclasses import dataclass
from typing import Final

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.statistics import CONFIDENCE, wilson_interval
from eval_pipeline.stt_eval.figures.pair_sentence import sample_words
from eval_pipeline.stt_eval.figures.pooled_rates import Counted, PooledRate, pooled_rate, ran_away

_MUCH_OF_ERRORS: Final = 0.2
FEW_UNITS: Final = 10
"""Units below which it is said what an interval cannot hold."""
_FEWEST: Final = 10
"""Clips that ran away from which on their share is known well enough."""


@dataclass(frozen=True, slots=True)
class Runaways:
    """The clips on which a model ran away, at least one."""

    clips: int
    utterances: int
    edits: int
    share_of_edits: float
    """Of all errors."""
    without: PooledRate
    """The rate of the other clips."""
    share_low: float
    share_high: float
    """95 % interval of the share of clips on which it runs away."""

    @property
    def decide(self) -> bool:
        """Whether the interval of the whole rate rests on too few clips to be relied on."""
        return self.clips < _FEWEST and self.share_of_edits > _MUCH_OF_ERRORS


def runaways(counted: Counted) -> Runaways | None:
    """Find the clips whose errors are far more than their words; None where there are none."""
    inside = ran_away(counted.edits, counted.lengths)
    clips, edits = int(inside.sum()), int(counted.edits[inside].sum())
    if not clips:
        return None
    kept = ~inside
    speakers = None if counted.clusters is None else counted.clusters[kept]
    share = wilson_interval(clips, trials=len(inside))
    return Runaways(
        clips=clips,
        utterances=len(inside),
        edits=edits,
        share_of_edits=edits / int(counted.edits.sum()),
        without=pooled_rate(Counted(counted.edits[kept], counted.lengths[kept], speakers)),
        share_low=share.low,
        share_high=share.high,
    )


def runaways_json(found: Runaways) -> JsonDict:
    """Return what the figures of a run keep of them."""
    rest = found.without
    return {
        "samples": found.clips,
        "edits": found.edits,
        "share_of_edits": found.share_of_edits,
        "share_low": found.share_low,
        "share_high": found.share_high,
        "rate_without": rest.rate,
        "low_without": rest.interval.low if rest.interval else None,
        "high_without": rest.interval.high if rest.interval else None,
        "interval_is_reliable": not found.decide,
    }


def runaways_sentence(model: str, found: Runaways, *, metric: str) -> str:
    """Say on how many samples a model ran away, what it has on the others, and whether its interval is reliable."""
    rest, ends = found.without.rate, found.without.interval
    told = (
        f"{model} ran away on {found.clips:,} of {sample_words(found.utterances)}, with {found.edits:,} errors there"
        f" ({found.share_of_edits:.0%} of all)"
    )
    if rest is not None:
        shown = f", 95% interval {ends.low:.1%} to {ends.high:.1%}" if ends else ""
        told += f"; on the others it has {rest:.1%} {metric}{shown}"
    if not found.decide:
        return told
    return (
        f"{told}. How often it runs away is hardly known ({found.share_low:.1%} to {found.share_high:.0%} of such"
        " samples), so the interval of its whole rate is not reliable"
    )


def unseen_sentence(units: int, *, unit: str) -> str:
    """Say what an interval over so few units cannot hold."""
    return (
        f"no interval holds what none of the samples shows: with {units} {unit}s, something that happens on up to"
        f" {unseen_share(units):.0%} of such {unit}s may be missing, such as a model that runs away"
    )


def unseen_share(utterances: int) -> float:
    """Return on how many of all clips something may happen that none of so many shows, at 95 %.

    >>> round(unseen_share(10), 2), round(unseen_share(50), 3)
    (0.26, 0.058)
    """
    return 1.0 - math.pow(1 - CONFIDENCE, 1 / utterances)
