"""What the view of any flow's run says in the same words: why items failed, and what the run cost."""

import click

from eval_pipeline.cli.output import printable
from eval_pipeline.core.documents import Json


def failure_reasons(counts: Json) -> str:
    """Say in brackets how items failed; nothing where none did, or it is not told."""
    failed = {status: count for status, count in counts.get("by_status", {}).items() if status != "ok"}
    return f" ({', '.join(f'{count:,} {status}' for status, count in failed.items())})" if failed else ""


def write_reasons(threshold: Json) -> None:
    """Write the most frequent reasons of failures, each with its count."""
    for reason in threshold.get("reasons", ()):
        click.echo(printable(f"  {reason['count']:,} x {reason['code']}: {reason['message']}"))


def cost_words(cost: Json | None) -> str:
    """Write the total of a cost document; None: nothing was paid yet."""
    return "nothing yet" if cost is None else usd(cost["total_cost_usd"])


def usd(amount: float | None) -> str:
    """Write an amount; None is a price that nobody published."""
    return "unknown" if amount is None else f"${amount:.6f}"
