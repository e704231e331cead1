"""How sessions go, week by week: what the asset ``weekly_stats`` tells."""

from typing import Final

from eval_pipeline.core.checks import CheckOutcome
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import DEFAULT_PROJECT
from eval_pipeline.reporting.amounts import half_up
from eval_pipeline.reporting.markdown import code_span
from eval_pipeline.runs.flow import Viewed
from eval_pipeline.session_eval.scoring.weekly import MEAN, OVERALL, AxisWeek
from eval_pipeline.session_eval.weekly_stats import DAYS, Series, WeeklyStats, weekly_stats
from eval_pipeline.wiring.deployment import Deployment

ADDS_UP: Final = "adds_up"


def make(deployment: Deployment, given: Json, /) -> Viewed:
    """Read the weeks that are asked for."""
    stats = weekly_stats(
        deployment,
        given.get("project", DEFAULT_PROJECT),
        days=given.get("days", DAYS),
        profile=given.get("profile"),
        zone=given.get("time_zone"),
    )
    sessions = sum(one.weekly.sessions for one in stats.series)
    return Viewed(
        summary={
            "sessions": sessions,
            "series": len(stats.series),
            "time_zone": stats.weeks.zone.key,
            "markdown": _markdown(stats),
        },
        document=stats.to_json(),
        checks={
            ADDS_UP: CheckOutcome(
                passed=stats.adds_up,
                words="The buckets of every week hold what the week holds."
                if stats.adds_up
                else "In some week the buckets hold another number of sessions or scores than the week.",
                facts={"sessions": sessions},
            )
        },
    )


def _markdown(stats: WeeklyStats) -> str:
    if not stats.series:
        return "No session of these weeks was judged."
    return "\n\n".join(_table(one) for one in stats.series)


def _table(series: Series) -> str:
    lines = [
        f"Panel {code_span(series.instrument.panel_version)}",
        "",
        "| week | sessions | mean | 95 % interval | likes | dislikes |",
        "|---|---:|---:|---|---:|---:|",
    ]
    for row in series.weekly.rows:
        if row.bucket == OVERALL:
            axis = row.axes[MEAN]
            lines.append(
                f"| {row.week} | {row.sessions:,} | {half_up(axis.mean)} | {_interval(axis)} | {row.likes:,} "
                f"| {row.dislikes:,} |"
            )
    return "\n".join(lines)


def _interval(axis: AxisWeek) -> str:
    return "" if axis.interval is None else f"{half_up(axis.interval.low)} to {half_up(axis.interval.high)}"
