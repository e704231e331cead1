"""How a project's sessions go, week by week: read from the ledger, one series for every instrument."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from eval_pipeline.core.configuration import check_range
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown, validate_project
from eval_pipeline.session_eval.scoring.columns import JudgedColumns
from eval_pipeline.session_eval.scoring.standing import Instrument
from eval_pipeline.session_eval.scoring.weekly import Weekly, weekly
from eval_pipeline.session_eval.scoring.weeks import Weeks, weeks_of_period
from eval_pipeline.session_eval.session_feedback import thumbs
from eval_pipeline.wiring.deployment import Deployment

DAYS: Final = 30
MOST_DAYS: Final = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one instrument judged."""

    digest: str
    instrument: Instrument
    weekly: Weekly

    def to_json(self) -> JsonDict:
        """Return what scripts read."""
        instrument = self.instrument
        return {
            "instrument": self.digest,
            "panel_version": instrument.panel_version,
            "panel_fingerprint": instrument.panel_fingerprint,
            "rubric_version": instrument.rubric_version,
            "rubric_fingerprint": instrument.rubric_fingerprint,
            "judge_fingerprints": {name: one.judge_fingerprint for name, one in instrument.experts.items()},
            "models": {name: one.model for name, one in instrument.experts.items()},
            "sessions": self.weekly.sessions,
            "undated": self.weekly.undated,
            "adds_up": self.weekly.adds_up,
            "rows": [row.to_json() for row in self.weekly.rows],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyStats:
    """The weeks of a project."""

    project: str
    profile: str | None
    days: int
    weeks: Weeks
    series: tuple[Series, ...]
    """That of the instrument that judged last comes first."""
    last_active: datetime | None
    """When the session was active that was active last of all that were judged, whether in these weeks or not."""
    days_to_last_active: int | None
    """How many days show that session; None: none, or more than can be asked for."""

    @property
    def adds_up(self) -> bool:
        """Whether the buckets of every week hold what the week holds."""
        return all(one.weekly.adds_up for one in self.series)

    def to_json(self) -> JsonDict:
        """Return what scripts read."""
        return {
            "project": self.project,
            "profile": self.profile,
            "days": self.days,
            "time_zone": self.weeks.zone.key,
            "weeks": [monday.isoformat() for monday in self.weeks.mondays],
            "last_active": None if self.last_active is None else self.last_active.isoformat(),
            "days_to_last_active": self.days_to_last_active,
            "series": [one.to_json() for one in self.series],
        }


def weekly_stats(
    deployment: Deployment,
    project: str,
    *,
    days: int = DAYS,
    profile: str | None = None,
    zone: str | None = None,
    now: datetime | None = None,
) -> WeeklyStats:
    """Read the weeks that the last days touch, each of them whole.

    Args:
        deployment: where sessions were judged.
        project: whose.
        days: 1 to 365.
        profile: of these sessions alone.
        zone: where weeks begin; None: as configured.
        now: the end of the last day.
    """
    check_range("days", value=days, low=1, high=MOST_DAYS)
    validate_project(project)
    until = now or datetime.now(UTC)
    weeks = weeks_of_period(days=days, until=until, zone=_zone(zone or deployment.settings.time_zone))
    instruments = {
        digest: Instrument.from_json(document)
        for digest, document in deployment.ledger.instruments(project=project).items()
    }
    columns = dict(_columns(deployment, project, instruments, weeks=weeks, profile=profile))
    last_active = deployment.ledger.last_judged_activity(project=project, profile=profile)
    return WeeklyStats(
        project=project,
        profile=profile,
        days=days,
        weeks=weeks,
        last_active=last_active,
        days_to_last_active=None if last_active is None else _days_back(last_active, until=until),
        series=tuple(
            Series(
                digest=digest,
                instrument=instruments[digest],
                weekly=weekly(columns[digest].judged(), weeks=weeks, seed=f"{project} {profile or ''} {digest}"),
            )
            for digest in reversed(instruments)
            if digest in columns
        ),
    )


def _days_back(moment: datetime, *, until: datetime) -> int | None:
    """Return how many days reach back to a moment, unless they are more than can be asked for, or it is to come."""
    days = (until - moment).days + 1
    return days if 1 <= days <= MOST_DAYS else None


def _columns(
    deployment: Deployment,
    project: str,
    instruments: Mapping[str, Instrument],
    *,
    weeks: Weeks,
    profile: str | None,
) -> Iterator[tuple[str, JudgedColumns]]:
    gathered: dict[str, JudgedColumns] = {}
    liked = thumbs(deployment, project)
    since = datetime.fromtimestamp(weeks.begins_s[0], UTC)
    for row in deployment.ledger.series_results(project=project, since=since, profile=profile):
        columns = gathered.get(row.instrument)
        if columns is None:
            columns = gathered[row.instrument] = JudgedColumns(instruments[row.instrument].axes)
        columns.add(
            last_active=row.last_active,
            mean=row.mean,
            complexity=row.complexity,
            axes=orjson.loads(row.axes),
            thumbs=liked.get(row.session_id, (0, 0)),
            cost_usd=row.cost_usd,
        )
    yield from gathered.items()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise UsageError(
            f"{shown(name)} is no time zone",
            code="invalid_time_zone",
            hint="name one as in the IANA list, such as Asia/Kolkata, Europe/Berlin or UTC",
        ) from None
