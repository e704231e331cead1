"""Batch runs of a million items: memory and speed of submitting and collecting, vectors, ticks of the sensor."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.figures import Figure, memory_figure
from benchmarks.live_runs import Site
from benchmarks.measure import MEGABYTE, Finished, run

ITEMS: Final = 1_000_000
SHARD: Final = 50_000
ALLOWED_MB: Final = 600
WIDTHS: Final = (1_536, 3_072)
OPEN_JOBS: Final = 1_000
FINISHED_RUNS: Final = 10_000
MOST_CALLS: Final = 12
_IMPORTABLE: Final = {"PYTHONPATH": str(Path(__file__).parents[1])}


def measure_million(site: Site, *, items: int = ITEMS) -> list[Figure]:
    """Submit a million questions in files of 50,000, then collect their answers."""
    dataset = site.add_items(items)
    with TemporaryDirectory(dir=site.folder) as folder:
        submitted = _work(site, "submit", Path(folder), dataset)
        collected = _work(site, "collect", Path(folder))
    batches = json.loads(submitted.output)["batches"]
    return [
        memory_figure(
            f"memory of submitting {items:,} questions in {batches:,} batches", submitted, allowed_mb=ALLOWED_MB
        ),
        memory_figure(f"memory of collecting {items:,} answers", collected, allowed_mb=ALLOWED_MB),
    ]


def measure_lines(site: Site, *, items: int = SHARD) -> list[Figure]:
    """Build one request file and collect one file of answers, each beside orjson alone."""
    return [
        _ratio(f"building a request file of {items:,} lines", _times(site, "building", items), allowed=2.0),
        _ratio(f"collecting {items:,} answers", _times(site, "parsing", items), allowed=3.0),
    ]


def measure_vectors(site: Site, *, items: int = SHARD) -> list[Figure]:
    """Collect one file of vectors beside orjson and a base64 decoder alone."""
    return [figure for width in WIDTHS for figure in _vectors(site, items=items, width=width)]


def _vectors(site: Site, *, items: int, width: int) -> list[Figure]:
    what = f"collecting {items:,} vectors, {width:,} wide"
    with TemporaryDirectory(dir=site.folder) as folder:
        times = json.loads(_work(site, "vectors", Path(folder), items, width).output)
        once = _work(site, "vectors-once", Path(folder), items, width)
    allowed_mb = 200 + items * width * 4 // MEGABYTE
    return [_ratio(what, times, allowed=2.5), memory_figure(f"memory of {what}", once, allowed_mb=allowed_mb)]


def measure_ticks(site: Site, *, jobs: int = OPEN_JOBS, finished: int = FINISHED_RUNS) -> list[Figure]:
    """Look after a thousand open batches, with and without a history."""
    with TemporaryDirectory(dir=site.folder) as folder:
        home = {"EVAL_PIPELINE_HOME": str(Path(folder, "home"))}
        command = [sys.executable, "-m", "benchmarks.batch_polling", folder, str(jobs), str(finished)]
        found = json.loads(run(command, folder=site.folder, environ=site.environ | _IMPORTABLE | home).output)
    return [
        Figure(
            what=f"calls to the provider for {jobs:,} open batches",
            measured=f"{found['calls']:.0f} calls",
            limit=f"{MOST_CALLS} calls",
            ratio=found["calls"] / MOST_CALLS,
            allowed=1.0,
        ),
        Figure(
            what=f"a tick of the sensor with {jobs:,} open batches after {finished:,} finished runs",
            measured=f"{found['after_s']:.3f} s",
            limit=f"{found['before_s']:.3f} s without",
            ratio=found["after_s"] / found["before_s"],
            allowed=1.2,
        ),
    ]


def _work(site: Site, verb: str, folder: Path, *given: str | int) -> Finished:
    command = [sys.executable, "-m", "benchmarks.batch_work", verb, str(folder), *map(str, given)]
    return run(command, folder=site.folder, environ=site.environ | _IMPORTABLE)


def _times(site: Site, verb: str, items: int) -> dict[str, Any]:
    with TemporaryDirectory(dir=site.folder) as folder:
        found: dict[str, Any] = json.loads(_work(site, verb, Path(folder), items).output)
    return found


def _ratio(what: str, times: dict[str, Any], *, allowed: float) -> Figure:
    return Figure(
        what=what,
        measured=f"{times['ours_s']:.2f} s",
        limit=f"{times['limit_s']:.2f} s alone",
        ratio=times["ours_s"] / times["limit_s"],
        allowed=allowed,
    )
