"""How things go, week by week: means with their uncertainty, by how much the sessions asked for.

Every session weighs one. What was judged by different instruments is never put into one series, since a judge that
changed looks like an agent that did.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.student_t import student_t_quantile
from eval_pipeline.session_eval.scoring.weeks import Weeks
from eval_pipeline.statistics.coefficient import LEVEL
from eval_pipeline.statistics.resampling import derive_seed, draw_units, percentile_interval

OVERALL: Final = "overall"
UNKNOWN: Final = "unknown"
BUCKETS: Final = ("0-25", "26-50", "51-75", "76+", UNKNOWN)
"""By the mean complexity of a session: up to 25, 50, 75, more, or not known. Together they are all sessions."""
_EDGES: Final = (25.0, 50.0, 75.0)
MEAN: Final = "mean"
"""The mean of a session's axes of quality, told like an axis."""
FEWEST: Final = 2
"""Sessions with a score, for an interval."""
FEWEST_DRAWN: Final = 10
"""From so many on it is drawn; fewer are described by t."""
RESAMPLES: Final = 1_000
"""Twenty-five lie beyond either end of an interval."""
_A_VALUE: Final = 16
_A_CELL: Final = 1_000
"""Counting a value takes as long as drawing 16 sessions, and beginning to draw as long as a thousand (measured)."""
LOWEST: Final = 0.0
HIGHEST: Final = 100.0

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]


class Uncertainty(StrEnum):
    """How an interval was found."""

    T = "t"
    """Mean plus and minus t(n-1) standard errors, clipped to 0 to 100."""
    BOOTSTRAP = "bootstrap"
    """Sessions drawn with replacement."""


@dataclass(frozen=True, slots=True)
class Range:
    """A 95 % interval of a mean."""

    low: float
    high: float
    method: Uncertainty


@dataclass(frozen=True, slots=True)
class AxisWeek:
    """One axis in one week."""

    mean: float | None
    sessions: int
    """With a score."""
    nulls: Mapping[str, int]
    """Sessions without one, by reason."""
    sd: float | None
    """Sample standard deviation; None of one session."""
    interval: Range | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    """One bucket of one week."""

    week: date | None
    """Its Monday; None: of sessions whenever they were."""
    bucket: str
    sessions: int
    axes: Mapping[str, AxisWeek]
    """``mean`` among them."""
    likes: int
    dislikes: int
    cost_usd: float
    unpriced: int
    """Sessions whose cost is not known, and not part of it."""

    def to_json(self) -> JsonDict:
        """Return what stages and scripts read."""
        return {
            "week": None if self.week is None else self.week.isoformat(),
            "bucket": self.bucket,
            "sessions": self.sessions,
            "axes": {name: _axis_json(axis) for name, axis in self.axes.items()},
            "likes": self.likes,
            "dislikes": self.dislikes,
            "cost_usd": self.cost_usd,
            "unpriced": self.unpriced,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Sessions that one instrument judged, a column each; of a session its latest scores alone."""

    last_active_s: Numbers
    """POSIX time; NaN: not known."""
    complexity: Numbers
    scores: Mapping[str, Numbers]
    """By axis and ``mean``; NaN: none."""
    reasons: Mapping[str, NDArray[np.int8]]
    """Why there is no score, by axis: a place in ``reason_names``; -1 where there is one."""
    reason_names: Sequence[str]
    likes: Counts
    dislikes: Counts
    cost_usd: Numbers

    def __len__(self) -> int:
        return len(self.last_active_s)


@dataclass(frozen=True, slots=True)
class Weekly:
    """All weeks of one series."""

    rows: tuple[WeekRow, ...]
    """Week by week, ``overall`` and then every bucket of each, empty ones too."""
    sessions: int
    """Within the weeks."""
    undated: int
    """Sessions without a last activity, which belong to no week."""

    @property
    def adds_up(self) -> bool:
        """Whether the buckets of every week hold as much as ``overall``."""
        by_week: dict[date | None, list[int]] = {}
        for row in self.rows:
            held = row.sessions + row.likes + row.dislikes + sum(axis.sessions for axis in row.axes.values())
            by_week.setdefault(row.week, []).append(held)
        return all(overall == sum(buckets) for overall, *buckets in by_week.values())


def bucket_places(complexity: Numbers) -> Counts:
    """Return the bucket of each session, a place in ``BUCKETS``."""
    places = np.searchsorted(np.array(_EDGES), complexity, side="left")
    return np.where(np.isnan(complexity), BUCKETS.index(UNKNOWN), places).astype(np.int64)


def bucket_of(complexity: float | None) -> str:
    """Return the bucket of one session.

    >>> [bucket_of(value) for value in (0.0, 25.0, 25.5, 75.0, 75.1, None)]
    ['0-25', '0-25', '26-50', '51-75', '76+', 'unknown']
    """
    return BUCKETS[int(bucket_places(np.array([math.nan if complexity is None else complexity]))[0])]


def weekly(judged: Judged, *, weeks: Weeks, seed: str) -> Weekly:
    """Return every week of one series.

    Args:
        judged: the sessions.
        weeks: that are told; sessions outside of them are passed over.
        seed: names the series, so that its intervals are the same whenever they are drawn.
    """
    places = weeks.place(judged.last_active_s)
    order = np.argsort(places, kind="stable")
    ends = np.searchsorted(places[order], np.arange(len(weeks.mondays) + 1))
    return Weekly(
        rows=tuple(
            row
            for place, monday in enumerate(weeks.mondays)
            for row in _rows(judged, order[ends[place] : ends[place + 1]], week=monday, seed=seed)
        ),
        sessions=int(np.count_nonzero(places >= 0)),
        undated=int(np.count_nonzero(np.isnan(judged.last_active_s))),
    )


def describe(judged: Judged, *, seed: str) -> tuple[WeekRow, ...]:
    """Return the same figures of sessions whenever they were: ``overall``, then every bucket."""
    return _rows(judged, np.arange(len(judged)), week=None, seed=seed)


def _rows(judged: Judged, chosen: NDArray[np.intp], *, week: date | None, seed: str) -> tuple[WeekRow, ...]:
    buckets = bucket_places(judged.complexity[chosen])
    order = np.argsort(buckets, kind="stable")
    ends = np.searchsorted(buckets[order], np.arange(len(BUCKETS) + 1))
    return (
        _row(judged, chosen, week=week, bucket=OVERALL, seed=seed),
        *(
            _row(judged, chosen[order[ends[place] : ends[place + 1]]], week=week, bucket=bucket, seed=seed)
            for place, bucket in enumerate(BUCKETS)
        ),
    )


def _row(judged: Judged, chosen: NDArray[np.intp], *, week: date | None, bucket: str, seed: str) -> WeekRow:
    costs = judged.cost_usd[chosen]
    return WeekRow(
        week=week,
        bucket=bucket,
        sessions=len(chosen),
        axes=_axes(judged, chosen, names=(seed, str(week), bucket)),
        likes=int(judged.likes[chosen].sum()),
        dislikes=int(judged.dislikes[chosen].sum()),
        cost_usd=math.fsum(costs[~np.isnan(costs)].tolist()),
        unpriced=int(np.count_nonzero(np.isnan(costs))),
    )


def _axes(judged: Judged, chosen: NDArray[np.intp], *, names: tuple[str, ...]) -> dict[str, AxisWeek]:
    found: dict[str, AxisWeek] = {}
    for name, scores in judged.scores.items():
        column = scores[chosen]
        scored = column[~np.isnan(column)]
        found[name] = AxisWeek(
            mean=_mean(scored),
            sessions=len(scored),
            nulls=_nulls(judged, name, chosen),
            sd=_sd(scored),
            interval=t_interval(scored)
            if len(scored) < FEWEST_DRAWN
            else drawn_interval(scored, seed=derive_seed("weekly", *names, name)),
        )
    return found


def _nulls(judged: Judged, axis: str, chosen: NDArray[np.intp]) -> dict[str, int]:
    reasons = judged.reasons[axis][chosen]
    counts = np.bincount(reasons[reasons >= 0], minlength=len(judged.reason_names)).tolist()
    return {name: count for name, count in zip(judged.reason_names, counts, strict=True) if count}


def _mean(scored: Numbers) -> float | None:
    if not len(scored):
        return None
    # rounding must not put the mean of equal scores beside them
    return float(np.clip(math.fsum(scored.tolist()) / len(scored), scored.min(), scored.max()))


def _sd(scored: Numbers) -> float | None:
    return None if len(scored) < FEWEST else float(scored.std(ddof=1))


def t_interval(scored: Numbers) -> Range | None:
    """Return the interval of a mean of few scores; None of one."""
    count = len(scored)
    if count < FEWEST:
        return None
    centre, error = float(scored.mean()), float(scored.std(ddof=1)) / math.sqrt(count)
    half = student_t_quantile((1 + LEVEL) / 2, degrees_of_freedom=count - 1) * error
    return Range(max(centre - half, LOWEST), min(centre + half, HIGHEST), Uncertainty.T)


def _axis_json(axis: AxisWeek) -> JsonDict:
    interval = axis.interval
    return {
        "mean": axis.mean,
        "n": axis.sessions,
        "nulls": dict(axis.nulls),
        "sd": axis.sd,
        "interval": None
        if interval is None
        else {"low": interval.low, "high": interval.high, "method": str(interval.method)},
    }


def drawn_interval(scored: Numbers, *, seed: int) -> Range:
    """Return the interval of a mean by drawing sessions with replacement.

    Scores of a panel on five levels are few different numbers. How often each is drawn is multinomial, and counting
    that takes no longer for 20,000 sessions than for 200; only where nearly every score is another are sessions drawn.
    """
    values, counts = np.unique(scored, return_counts=True)
    total = len(scored)
    if len(values) * _A_VALUE < total + _A_CELL:
        drawn = np.random.default_rng(seed).multinomial(total, counts / total, size=RESAMPLES)
        sums = np.einsum("rv,v->r", drawn.astype(np.float64), values)
    else:
        blocks = draw_units(total, resamples=RESAMPLES, seed=seed)
        sums = np.concatenate([np.einsum("ru,u->r", block, scored) for block in blocks])
    ends = percentile_interval(sums / total, level=LEVEL, units=total)
    low, high = (float(np.clip(end, max(LOWEST, values[0]), min(HIGHEST, values[-1]))) for end in (ends.low, ends.high))
    return Range(low, high, Uncertainty.BOOTSTRAP)
