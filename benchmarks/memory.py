"""The largest resident set of commands that go through much data."""

from typing import Final

from benchmarks.datasets import write_golden_file
from benchmarks.figures import Figure
from benchmarks.live_runs import Site
from benchmarks.measure import MEGABYTE, Finished

RUN_ITEMS: Final = 100_000
RUN_DIMENSIONS: Final = 256
RUN_ALLOWED_MB: Final = 400
FILE_ROWS: Final = 1_000_000
FILE_ALLOWED_MB: Final = 300
_CONCURRENCY: Final = 20


def measure_run(site: Site, *, items: int = RUN_ITEMS) -> list[Figure]:
    """Run many items at zero latency."""
    finished = site.text_run(items=items, concurrency=_CONCURRENCY, dimensions=RUN_DIMENSIONS)
    what = f"memory of a run of {items:,} items with {RUN_DIMENSIONS}-wide embeddings"
    return [_figure(what, finished, allowed_mb=RUN_ALLOWED_MB)]


def measure_file(site: Site, *, rows: int = FILE_ROWS) -> list[Figure]:
    """Add a large golden file."""
    path = write_golden_file(site.folder / "large.csv", rows=rows)
    size_mb = path.stat().st_size / MEGABYTE
    finished = site.command("dataset", "add", "large", str(path))
    path.unlink()
    return [_figure(f"memory of adding a CSV of {rows:,} rows, {size_mb:.0f} MB", finished, allowed_mb=FILE_ALLOWED_MB)]


def _figure(what: str, finished: Finished, *, allowed_mb: int) -> Figure:
    memory_mb = finished.memory_bytes / MEGABYTE
    return Figure(
        what=what,
        measured=f"{memory_mb:.0f} MB in {finished.elapsed_s:.0f} s",
        limit=f"{allowed_mb} MB",
        ratio=memory_mb / allowed_mb,
        allowed=1.0,
    )
