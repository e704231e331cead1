"""A run of sessions for a person at a terminal: how good they are, by which panel, and what is off."""

from collections.abc import Sequence

import click

from eval_pipeline.cli.output import printable, write_table, write_warning
from eval_pipeline.cli.run_words import cost_words, counts_words, write_reasons
from eval_pipeline.core.documents import Json
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.reporting.amounts import half_up


def write_run(document: Json) -> None:
    """Write where the run stands, the averages with their ranges, checks that did not pass, cost, and the report."""
    standing, panel = PaidStanding.of(document), document["panel"]
    click.echo(f"{document['run']}: {document['state']} ({document['mode']})")
    experts = ", ".join(f"{one['id']} {one['endpoint']}/{one['model']}" for one in panel["experts"])
    click.echo(printable(f"panel {panel['version']}: {experts}"))
    statuses = "".join(f", {count:,} {status}" for status, count in document["statuses"].items())
    click.echo(f"sessions {document['sessions']['count']:,}{statuses}")
    told = ", ".join(counts_words(standing, ok="ok"))
    click.echo(f"judgements {told}; up to {standing.allowed:.0%} may fail")
    write_reasons(standing.reasons)
    if scores := [score for score in document["summary_scores"] if score["total_pairs"]]:
        write_table(("AXIS", "AVERAGE", "95 % INTERVAL", "SESSIONS"), [_row(score) for score in scores])
    click.echo(f"cost {cost_words(standing.cost)}")
    if document["report"]:
        click.echo(f"report {document['report']}")
    for stage in document["checks"].values():
        for check in stage.values():
            if not check["passed"]:
                write_warning(check["words"])
    for warning in document["warnings"]:
        write_warning(warning["message"])


def _row(score: Json) -> Sequence[object]:
    known = score["ci_low"] is not None
    return (
        score["name"].replace("_", " "),
        half_up(score["avg"]),
        f"{half_up(score['ci_low'])} to {half_up(score['ci_high'])}" if known else "",
        f"{score['total_pairs']:,}",
    )
