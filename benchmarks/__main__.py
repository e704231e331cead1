"""Runs the benchmarks and prints their table; exit code 1 when a requirement is missed.

``python -m benchmarks > benchmarks/RESULTS.md`` renews the results that are kept.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import (
    batch_latency,
    batches,
    judging,
    loading,
    memory,
    session_views,
    sessions,
    speed,
    stt_scoring,
    stt_statistics,
    stt_uploads,
)
from benchmarks.figures import Figure, environment, page, tell
from benchmarks.live_runs import Site, open_site

MEASUREMENTS: Final[Mapping[str, Callable[[Site], list[Figure]]]] = {
    "loading": loading.measure_loading,
    "listing": loading.measure_listing,
    "start": speed.measure_start,
    "small-run": speed.measure_small,
    "large-run": speed.measure_large,
    "golden-file": memory.measure_file,
    "memory": memory.measure_run,
    "clips": memory.measure_clips,
    "batch-lines": batches.measure_lines,
    "batch-vectors": batches.measure_vectors,
    "batch-ticks": batches.measure_ticks,
    "batch-million": batches.measure_million,
    "batch-latency": batch_latency.measure_latency,
    "judging": judging.measure_judging,
    "session-ingest": sessions.measure_ingest,
    "stt-scoring": stt_scoring.measure_scoring,
    "stt-statistics": stt_statistics.measure_statistics,
    "stt-uploads": stt_uploads.measure_uploads,
    "session-views": session_views.measure_views,
    "session-agreement": session_views.measure_agreement,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", choices=MEASUREMENTS, help=", ".join(MEASUREMENTS))
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures there")
    given = parser.parse_args(arguments)
    with open_site() as site:
        figures = list(_measure(site, given.only or MEASUREMENTS))
    print(page(figures))
    if given.json:
        document = {**environment(), "figures": [figure.as_json() for figure in figures]}
        given.json.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.passed for figure in figures) else 1


def _measure(site: Site, names: Iterable[str]) -> Iterator[Figure]:
    for name in names:
        tell(f"measuring {name}")
        yield from MEASUREMENTS[name](site)


if __name__ == "__main__":
    sys.exit(main())
