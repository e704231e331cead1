"""Weeks: which one a session belongs to, and what is told of each."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval_pipeline.session_eval.scoring.weekly import (
    BUCKETS,
    OVERALL,
    AxisWeek,
    Judged,
    Uncertainty,
    Weekly,
    WeekRow,
    bucket_of,
    describe,
    weekly,
)
from eval_pipeline.session_eval.scoring.weeks import Weeks, week_of, weeks_of_period

NAN = math.nan
ZONE = ZoneInfo("UTC")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def judged(
    scores: Mapping[str, Sequence[float]],
    *,
    at: Sequence[datetime | None] | None = None,
    complexity: Sequence[float] | None = None,
    likes: Sequence[int] | None = None,
) -> Judged:
    count = len(next(iter(scores.values())))
    moments = [MONDAY] * count if at is None else at
    columns = {name: np.array(values, dtype=np.float64) for name, values in scores.items()}
    return Judged(
        last_active_s=np.array([NAN if one is None else one.timestamp() for one in moments]),
        complexity=np.array([50.0] * count if complexity is None else complexity),
        scores=columns,
        reasons={name: np.where(np.isnan(values), 1, -1).astype(np.int8) for name, values in columns.items()},
        reason_names=("not_applicable", "insufficient_panel"),
        likes=np.array([0] * count if likes is None else likes),
        dislikes=np.zeros(count, dtype=np.int64),
        cost_usd=np.array([0.25] * count),
    )


def rows_of(found: Weekly, bucket: str = OVERALL) -> list[WeekRow]:
    return [row for row in found.rows if row.bucket == bucket]


def only(sessions: Judged, axis: str) -> AxisWeek:
    """Return the one week of an axis."""
    [row] = rows_of(weekly(sessions, weeks=Weeks(ZONE, (MONDAY.date(),)), seed="s"))
    return row.axes[axis]


def test_three_sessions_of_80_20_and_50() -> None:
    """Mean 50, sd 30; the t interval would reach from -24.5 to 124.5, and is clipped."""
    found = only(judged({"goal_completion": [80, 20, 50]}), "goal_completion")

    assert (found.mean, found.sd, found.sessions) == (50.0, 30.0, 3)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high, found.interval.method) == (0.0, 100.0, Uncertainty.T)
    nearer = only(judged({"goal_completion": [55, 45, 50]}), "goal_completion")
    expected = stats.t.interval(0.95, 2, loc=50, scale=5 / math.sqrt(3))
    assert nearer.interval is not None
    assert (nearer.interval.low, nearer.interval.high) == pytest.approx(expected)


def test_one_session_has_no_interval_and_ten_are_drawn() -> None:
    assert only(judged({"a": [80]}), "a") == AxisWeek(80.0, 1, {}, None, None)
    values = [0.0, 25, 25, 50, 50, 50, 75, 75, 100, 100, 75, 25, NAN]
    nine, more = only(judged({"a": values[:9]}), "a"), only(judged({"a": values}), "a")
    assert nine.interval is not None
    assert more.interval is not None
    assert (nine.interval.method, more.interval.method) == (Uncertainty.T, Uncertainty.BOOTSTRAP)
    assert (more.sessions, more.nulls) == (12, {"insufficient_panel": 1})
    # as wide as t, which is right here, by some per cent
    low, high = stats.t.interval(0.95, 11, loc=np.mean(values[:12]), scale=stats.sem(values[:12]))
    assert (more.interval.low, more.interval.high) == (pytest.approx(low, abs=3), pytest.approx(high, abs=3))
    assert only(judged({"a": values}), "a") == more
    same = only(judged({"a": [100 / 3] * 30}), "a")
    assert same.interval is not None
    assert (same.mean, same.interval.low, same.interval.high) == (
        100 / 3,
        pytest.approx(100 / 3),
        pytest.approx(100 / 3),
    )


def test_the_week_of_a_session_is_that_of_its_last_activity_in_the_zone() -> None:
    moment = datetime(2026, 1, 4, 20, tzinfo=UTC)
    now = datetime(2026, 1, 8, 12, tzinfo=UTC)

    for name, monday in (("UTC", date(2025, 12, 29)), ("Asia/Kolkata", date(2026, 1, 5))):
        zone = ZoneInfo(name)
        assert week_of(moment, zone=zone) == monday
        weeks = weeks_of_period(days=30, until=now, zone=zone)
        assert weeks.mondays == (
            date(2025, 12, 8),
            date(2025, 12, 15),
            date(2025, 12, 22),
            date(2025, 12, 29),
            date(2026, 1, 5),
        )
        found = weekly(judged({"a": [50, 50]}, at=[moment, None]), weeks=weeks, seed="s")
        assert [row.week for row in rows_of(found) if row.sessions] == [monday]
        assert (found.sessions, found.undated) == (1, 1)
    assert len(weeks_of_period(days=365, until=now, zone=ZONE).mondays) == 53
    assert weeks_of_period(days=1, until=now, zone=ZONE).mondays == (date(2026, 1, 5),)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.datetimes(min_value=datetime(2025, 3, 1), max_value=datetime(2026, 4, 30)),  # noqa: DTZ001 - UTC below
    st.sampled_from(["UTC", "Asia/Kolkata", "America/Havana", "Pacific/Auckland", "Asia/Beirut"]),
)
def test_weeks_are_those_of_the_calendar_also_where_the_clock_jumps_at_midnight(moment: datetime, name: str) -> None:
    zone, aware = ZoneInfo(name), moment.replace(tzinfo=UTC)
    weeks = weeks_of_period(days=365, until=datetime(2026, 5, 1, tzinfo=UTC), zone=zone)
    place = int(weeks.place(np.array([aware.timestamp()]))[0])

    assert (place >= 0) is (week_of(aware, zone=zone) in weeks.mondays)
    assert place < 0 or weeks.mondays[place] == week_of(aware, zone=zone)


def test_empty_weeks_appear_and_buckets_add_up() -> None:
    generator = np.random.default_rng(5)
    at = [MONDAY - timedelta(days=float(days)) for days in generator.uniform(8, 60, 400)]
    complexity = generator.choice([0, 25, 25.01, 37.5, 50, 75, 76, 100, NAN], 400)
    scores = np.where(generator.random(400) < 0.2, NAN, generator.choice([0.0, 25, 50, 75, 100], 400))
    sessions = judged({"a": scores.tolist()}, at=at, complexity=complexity.tolist(), likes=[1, 0] * 200)
    found = weekly(sessions, weeks=weeks_of_period(days=70, until=MONDAY, zone=ZONE), seed="s")

    assert len(found.rows) == len(rows_of(found)) * (1 + len(BUCKETS)) == 66
    empty = rows_of(found)[-1]
    assert (empty.sessions, empty.axes["a"]) == (0, AxisWeek(None, 0, {}, None, None))
    assert found.adds_up
    all_weeks = describe(sessions, seed="s")
    assert [row.sessions for row in all_weeks] == [
        sum(row.sessions for row in rows_of(found, bucket)) for bucket in (OVERALL, *BUCKETS)
    ]
    assert all_weeks[0].to_json()["axes"]["a"]["mean"] == all_weeks[0].axes["a"].mean
    assert sum(row.sessions for row in rows_of(found)) == 400
    assert sum(row.likes for row in rows_of(found)) == 200
    for row in rows_of(found):
        parts = [other for other in found.rows if other.week == row.week and other.bucket != OVERALL]
        assert row.sessions == sum(part.sessions for part in parts)
        assert row.axes["a"].sessions == sum(part.axes["a"].sessions for part in parts)
        assert row.cost_usd == pytest.approx(0.25 * row.sessions)
        assert row.axes["a"].nulls.get("insufficient_panel", 0) + row.axes["a"].sessions == row.sessions
        weighed = sum(part.axes["a"].sessions * (part.axes["a"].mean or 0.0) for part in parts)
        assert row.axes["a"].mean is None or weighed / row.axes["a"].sessions == pytest.approx(row.axes["a"].mean)
    assert (bucket_of(75.0), bucket_of(75.5), bucket_of(None)) == ("51-75", "76+", "unknown")
