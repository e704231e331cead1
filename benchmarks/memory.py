"""The largest resident set of commands that go through much data."""

import shutil
from typing import Final

from benchmarks.datasets import write_clips, write_golden_file
from benchmarks.figures import Figure, memory_figure
from benchmarks.live_runs import Site
from benchmarks.measure import MEGABYTE, Finished

RUN_ITEMS: Final = 100_000
RUN_DIMENSIONS: Final = 256
RUN_ALLOWED_MB: Final = 400
FILE_ROWS: Final = 1_000_000
FILE_ALLOWED_MB: Final = 300
CLIPS: Final = 1_000
FEW_CLIPS: Final = 50
CLIP_BYTES: Final = 1_000_000
CLIPS_ALLOWED: Final = 1.25  # of 20 times as many clips
_CONCURRENCY: Final = 20


def measure_run(site: Site, *, items: int = RUN_ITEMS) -> list[Figure]:
    """Run many items at zero latency."""
    finished = site.text_run(items=items, concurrency=_CONCURRENCY, dimensions=RUN_DIMENSIONS)
    what = f"memory of a run of {items:,} items with {RUN_DIMENSIONS}-wide embeddings"
    return [memory_figure(what, finished, allowed_mb=RUN_ALLOWED_MB)]


def measure_file(site: Site, *, rows: int = FILE_ROWS) -> list[Figure]:
    """Add a large golden file."""
    path = write_golden_file(site.folder / "large.csv", rows=rows)
    size_mb = path.stat().st_size / MEGABYTE
    finished = site.command("dataset", "add", "large", str(path))
    path.unlink()
    return [
        memory_figure(
            f"memory of adding a CSV of {rows:,} rows, {size_mb:.0f} MB", finished, allowed_mb=FILE_ALLOWED_MB
        )
    ]


def measure_clips(site: Site, *, clips: int = CLIPS) -> list[Figure]:
    """Add many clips, and few: what more of them take is what grows."""
    few_mb = _adding_clips(site, clips=FEW_CLIPS).memory_bytes / MEGABYTE
    many = _adding_clips(site, clips=clips)
    many_mb = many.memory_bytes / MEGABYTE
    return [
        Figure(
            what=f"memory of adding {clips:,} clips of {CLIP_BYTES / MEGABYTE:.0f} MB",
            measured=f"{many_mb:.0f} MB in {many.elapsed_s:.0f} s",
            limit=f"{FEW_CLIPS} clips: {few_mb:.0f} MB",
            ratio=many_mb / few_mb,
            allowed=CLIPS_ALLOWED,
        )
    ]


def _adding_clips(site: Site, *, clips: int) -> Finished:
    folder = write_clips(site.folder / f"clips-{clips}", clips=clips, clip_bytes=CLIP_BYTES)
    finished = site.command("dataset", "add", f"clips {clips}", str(folder), "--kind", "stt", "--language", "hi")
    shutil.rmtree(folder)
    return finished
