"""A text run for a person at a terminal."""

from collections.abc import Mapping
from typing import Any

import click

from eval_pipeline.cli.output import printable, write_json, write_table


def write_run(document: Mapping[str, Any]) -> None:
    """Write the headline, the scores, the cost and where the report is."""
    dataset = document["dataset"]
    counts = document["counts"]
    click.echo(f"{document['run']}: {document['state']} ({document['mode']}, {printable(str(document['model']))})")
    click.echo(f"dataset {printable(dataset['name'])} @ {dataset['version'][:12]}, {counts['total']:,} items")
    if counts["ok"] is not None:
        click.echo(f"answers {counts['ok']:,} ok, {counts['failed']:,} failed")
    if document["summary_scores"]:
        write_table(
            ("SCORE", "MEAN", "95 % INTERVAL", "STD", "SCORED"),
            [_score_row(score, total=counts["total"]) for score in document["summary_scores"]],
        )
    click.echo(f"cost {_cost(document['cost'])}")
    if document["report"]:
        click.echo(f"report {document['report']}")


def _score_row(score: Mapping[str, Any], *, total: int) -> tuple[str, ...]:
    low, high = score["ci_low"], score["ci_high"]
    interval = "" if low is None else f"{low:.4f} to {high:.4f}"
    return (
        score["name"],
        _number(score["avg"]),
        interval,
        _number(score["std"]),
        f"{score['total_pairs']:,}/{total:,}",
    )


def _number(value: float | None) -> str:
    return "no data" if value is None else f"{value:.4f}"


def _cost(cost: Mapping[str, Any] | None) -> str:
    if cost is None:
        return "nothing yet"
    total = cost["total_cost_usd"]
    return "unknown (no published price for the model)" if total is None else f"${total:.6f}"


def write_estimate(estimate: Mapping[str, Any], *, as_json: bool) -> None:
    """Write what a run would cost."""
    if as_json:
        write_json({"estimate": estimate})
        return
    rows = [
        (stage, printable(str(part["model"])), f"{part['input_tokens']:,}", f"{part['output_tokens']:,}", _usd(part))
        for stage, part in estimate["stages"].items()
    ]
    write_table(("STAGE", "MODEL", "INPUT TOKENS", "OUTPUT TOKENS", "USD"), rows)
    click.echo(
        f"total {_usd({'cost_usd': estimate['total_cost_usd']})} for {estimate['items']:,} items; nothing was started"
    )
    for assumption in estimate["assumptions"]:
        click.echo(f"assumed: {assumption}")


def _usd(part: Mapping[str, Any]) -> str:
    return "unknown" if part["cost_usd"] is None else f"${part['cost_usd']:.6f}"
