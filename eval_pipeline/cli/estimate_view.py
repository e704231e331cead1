"""What a run of any flow would cost, for a person at a terminal or as JSON."""

import click

from eval_pipeline.cli.output import write_json, write_table, write_warning
from eval_pipeline.cli.run_words import usd
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json


def write_estimate(estimate: Json, *, as_json: bool) -> None:
    """Write what a run would cost."""
    if as_json:
        write_json({"estimate": estimate})
        return
    rows = [
        (stage, part["model"], f"{part['input_tokens']:,}", f"{part['output_tokens']:,}", usd(part["cost_usd"]))
        for stage, part in estimate["stages"].items()
    ]
    write_table(("STAGE", "MODEL", "INPUT TOKENS", "OUTPUT TOKENS", "USD"), rows)
    click.echo(f"total {usd(estimate['total_cost_usd'])} for {counted(estimate['items'], 'item')}; nothing was started")
    for assumption in estimate["assumptions"]:
        click.echo(f"assumed: {assumption}")
    for warning in estimate.get("warnings", ()):
        write_warning(f"{warning['message']}\n{warning['hint']}")
