"""``eval-pipeline session``: how sessions stand, week by week, run by run, and how far judges are to be trusted."""

from pathlib import Path
from typing import Any

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, write_json, write_warning
from eval_pipeline.cli.session_views_text import (
    write_calibration,
    write_comparison,
    write_drift,
    write_overview,
    write_stats,
)
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.session_results import SessionStatus
from eval_pipeline.runs.claims import requester

_panel = click.option(
    "--panel",
    metavar="FILE",
    help="Panel that sessions are to be up to date with: a YAML file, or sessions; default: that of the latest run.",
)


@click.command()
@click.option("--profile", metavar="ID", help="Only sessions of this profile.")
@click.option(
    "--status",
    "statuses",
    type=click.Choice([str(status) for status in SessionStatus]),
    multiple=True,
    help="Only those that stand so; repeatable. evaluated also shows those whose panel is not complete.",
)
@click.option("--search", metavar="TEXT", help="Only sessions whose name has this in it.")
@_panel
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Sessions on a page.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="Sessions that are passed over.")
@common_options
def overview(*, statuses: tuple[str, ...], project: str, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - one option each
    """Show sessions with how they stand: pinned ones first, then by last activity.

    Example: eval-pipeline session overview --status stale --limit 20
    """
    from eval_pipeline.session_eval.overview import overview as read  # noqa: PLC0415 - only where it is asked for

    wanted = [SessionStatus(status) for status in statuses]
    document = read(open_deployment(), project, statuses=wanted, **asked)
    write_json(document) if as_json else write_overview(document)


@click.command()
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True, help="How far back; whole weeks.")
@click.option("--profile", metavar="ID", help="Only sessions of this profile.")
@click.option("--time-zone", "zone", metavar="ZONE", help="Where weeks begin; default EVAL_TIME_ZONE, else UTC.")
@common_options
def stats(*, days: int, profile: str | None, zone: str | None, project: str, as_json: bool) -> None:
    """Show how sessions go, week by week, by how much they asked for; one series for every panel that judged.

    Example: eval-pipeline session stats --days 90 --time-zone Asia/Kolkata
    """
    from eval_pipeline.session_eval.weekly_stats import weekly_stats  # noqa: PLC0415 - numpy

    document = weekly_stats(open_deployment(), project, days=days, profile=profile, zone=zone).to_json()
    write_json(document) if as_json else write_stats(document)


@click.command()
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@click.option("--limit", type=click.IntRange(0, 1_000), default=10, show_default=True, help="Changed sessions to show.")
@common_options
def compare(first: str, second: str, *, limit: int, project: str, as_json: bool) -> None:
    """Compare two runs: session by session where both judged the same, else by their means."""
    from eval_pipeline.session_eval.comparison import compare_runs  # noqa: PLC0415 - pyarrow

    keys = [RunKey.of(project=project, run=run) for run in (first, second)]
    document = compare_runs(open_deployment(), keys[0], keys[1], limit=limit)
    write_json(document) if as_json else write_comparison(document)


@click.group()
def ratings() -> None:
    """What people rate of whole sessions, to hold the judges against."""


@ratings.command(name="import")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--rater", metavar="NAME", help="Who says it where a row names nobody; default: your user name.")
@click.option("--panel", metavar="FILE", help="Panel whose axes are rated; default: sessions, which is built in.")
@common_options
def take(source: Path, *, rater: str | None, panel: str | None, project: str, as_json: bool) -> None:
    """Record what a .csv or .xlsx says: session_id, axis, level, rater, comment, time.

    Example: eval-pipeline session ratings import asha.csv --rater Asha
    """
    from eval_pipeline.session_eval.prepare import load_panel  # noqa: PLC0415 - only where it is asked for
    from eval_pipeline.session_eval.ratings import import_ratings  # noqa: PLC0415 - pyarrow
    from eval_pipeline.session_eval.request import SessionRequest  # noqa: PLC0415 - the same

    axes = None if panel is None else load_panel(SessionRequest(panel=panel)).rubric.axes
    imported = import_ratings(open_deployment(), project, source, rater=rater or requester(), axes=axes)
    for warning in imported.warnings:
        write_warning(warning)
    if as_json:
        write_json({"project": project, "recorded": imported.recorded, "unchanged": imported.unchanged})
        return
    click.echo(f"recorded {imported.recorded:,} ratings; {imported.unchanged:,} rows said nothing new")


@ratings.command(name="export")
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--bom", is_flag=True, help="Begin the CSV with a byte order mark, for Excel.")
@common_options
def give(target: Path, *, bom: bool, project: str, as_json: bool) -> None:
    """Write what stands, a row for every session, axis and person: .csv, .xlsx, .jsonl or .parquet."""
    from eval_pipeline.session_eval.ratings import export_ratings  # noqa: PLC0415 - pyarrow

    rows = export_ratings(open_deployment(), project, target, bom=bom)
    if as_json:
        write_json({"project": project, "output": str(target), "rows": rows})
        return
    click.echo(f"wrote {rows:,} rows to {target}")


@click.command()
@click.argument("run")
@common_options
def calibration(run: str, *, project: str, as_json: bool) -> None:
    """Show how far the judges of RUN are to be trusted: by each other, people and outcomes, beside length alone.

    After ratings came in: eval-pipeline session rescore RUN
    """
    from eval_pipeline.session_eval.trust import trust_of  # noqa: PLC0415 - pyarrow

    document = trust_of(open_deployment(), RunKey.of(project=project, run=run))
    write_json(document) if as_json else write_calibration(document)


@click.command()
@click.argument("first", metavar="[RUN_A", required=False)
@click.argument("second", metavar="RUN_B]", required=False)
@click.option("--anchors", metavar="NAME", help="The anchor set; default without runs: every one of the project.")
@common_options
def drift(first: str | None, second: str | None, *, anchors: str | None, project: str, as_json: bool) -> None:
    """Tell whether the judges moved between two runs that judged the same sessions, each held against itself.

    Without runs: between the newest run of each anchor set and the one before it, and whether anchors are due to be
    judged again; in a project without anchor sets, between the latest two runs that can be compared.
    """
    from eval_pipeline.session_eval.views.judge_drift import make  # noqa: PLC0415 - pyarrow

    given = {"project": project, "before": first, "now": second, "anchors": anchors}
    document = make(open_deployment(), {name: value for name, value in given.items() if value is not None}).document
    write_json(document) if as_json else write_drift(document)


VIEWS: tuple[click.Command, ...] = (overview, stats, compare, ratings, calibration, drift)
"""The verbs of sessions beside those of every flow."""
