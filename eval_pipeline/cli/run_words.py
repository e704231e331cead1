"""What the view of any flow's run says in the same words: why items failed, and what the run cost."""

from collections.abc import Iterable, Mapping

import click

from eval_pipeline.cli.output import printable
from eval_pipeline.core.cost import Costs, as_number
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.paid_summary import failed_ones
from eval_pipeline.core.reasons import Reason


def failure_reasons(by_status: Mapping[str, int] | None) -> str:
    """Say in brackets how items failed; nothing where none did, or it is not told."""
    failed = failed_ones(by_status or {})
    return f" ({', '.join(f'{count:,} {status}' for status, count in failed.items())})" if failed else ""


def counts_words(standing: PaidStanding, *, ok: str) -> list[str]:
    """Say what became of the items of a run, in the flow's word for those that are well."""
    counts = standing.counts
    told = [f"{counts.ok:,} {ok}", f"{counts.failed:,} failed{failure_reasons(counts.by_status)}"]
    return [*told, f"{standing.unfinished:,} not finished"] if standing.unfinished else told


def write_reasons(reasons: Iterable[Reason]) -> None:
    """Write the most frequent reasons of failures, each with its count."""
    for reason in reasons:
        click.echo(printable(f"  {reason.count:,} x {reason.code}: {reason.message}"))


def cost_words(cost: Costs | None) -> str:
    """Write what a run cost; None: nothing was paid yet."""
    return "nothing yet" if cost is None else usd(as_number(cost.cost_usd))


def usd(amount: float | None) -> str:
    """Write an amount; None is a price that nobody published."""
    return "unknown" if amount is None else f"${amount:.6f}"
