"""Progress of a running stage: a bar on a terminal, plain lines otherwise; always on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.progress import ProgressLines

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LINE_EVERY_S = 5.0


def write_line(line: str) -> None:
    """Write one line of progress to stderr."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the terminal's own room


class BarProgress:
    """A live bar: done, failed, rate, cost, time left."""

    def __init__(self, bars: "RichProgress") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Report the present counts."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total, completed=done, failed=0, rate="", cost="")
        task = self._bars.tasks[self._tasks[stage]]
        rate = "" if task.speed is None else f"{task.speed:,.1f}/s"
        cost = "" if cost_usd is None else f"${cost_usd:.4f}"
        self._bars.update(task.id, completed=done, total=total, failed=failed, rate=rate, cost=cost)


class _Stream(Protocol):
    def isatty(self) -> bool: ...


@contextmanager
def show_progress(stream: _Stream = sys.stderr) -> Iterator[Progress]:
    """Give the running stages a place to tell how far they are."""
    if not stream.isatty():
        yield ProgressLines(write_line, every_s=LINE_EVERY_S)
        return
    from rich import progress  # noqa: PLC0415 - only on a terminal
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.TextColumn("{task.description:>11}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[failed]} failed"),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TextColumn("{task.fields[cost]}"),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bars:
        yield BarProgress(bars)
