"""Progress as whoever watches a run takes it: a bar of the command line, the log of a Dagster run, nobody."""

from decimal import Decimal
from typing import Protocol


class Progress(Protocol):
    """Where a running stage tells how far it is."""

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Report the present counts."""
        ...
