"""Uploads of clips: how much longer than the barest client, and whether memory grows with their number."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.figures import Figure
from benchmarks.live_runs import Site
from benchmarks.measure import MEGABYTE, Finished, run, side_by_side
from benchmarks.upload_work import CONCURRENCY

CLIPS: Final = 1_000
FEW_CLIPS: Final = 100
CLIP_BYTES: Final = 1_000_000
LATENCY_S: Final = 0.05
_IMPORTABLE: Final = {"PYTHONPATH": str(Path(__file__).parents[1])}


def measure_uploads(site: Site, *, clips: int = CLIPS) -> list[Figure]:
    """Upload clips of a megabyte each, by the adapter and by the barest client in turn."""
    with TemporaryDirectory(dir=site.folder) as folder, _server(site) as url:
        clip = Path(folder, "clip.ogg")
        clip.write_bytes(os.urandom(CLIP_BYTES))

        def upload(way: str, count: int) -> Finished:
            command = [sys.executable, "-m", "benchmarks.upload_work", way, url, str(clip), str(count)]
            return run(command, folder=site.folder, environ=site.environ | _IMPORTABLE)

        many: list[Finished] = []

        def adapted_s() -> float:
            many.append(upload("adapter", clips))
            return _elapsed_s(many[-1])

        adapter_s, bare_s = side_by_side(adapted_s, lambda: _elapsed_s(upload("bare", clips)))
        few = upload("adapter", FEW_CLIPS)
    return [
        _time(f"uploading {clips:,} clips of 1 MB, concurrency {CONCURRENCY}, 50 ms latency", adapter_s, bare_s),
        _memory(f"memory of uploading {clips:,} clips", min(many, key=lambda each: each.memory_bytes), few),
    ]


def _time(what: str, adapter_s: float, bare_s: float) -> Figure:
    return Figure(
        what=what,
        measured=f"{adapter_s:.2f} s",
        limit=f"{bare_s:.2f} s with the same calls by http.client",
        ratio=adapter_s / bare_s,
        allowed=1.3,
    )


def _memory(what: str, many: Finished, few: Finished) -> Figure:
    return Figure(
        what=what,
        measured=f"{many.memory_bytes / MEGABYTE:.0f} MB",
        limit=f"{few.memory_bytes / MEGABYTE:.0f} MB of uploading {FEW_CLIPS}",
        ratio=many.memory_bytes / few.memory_bytes,
        allowed=1.1,
    )


def _elapsed_s(finished: Finished) -> float:
    return float(json.loads(finished.output)["elapsed_s"])


@contextmanager
def _server(site: Site) -> Iterator[str]:
    """Run the server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.upload_server", str(LATENCY_S)]
    environ = site.environ | _IMPORTABLE
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, cwd=site.folder) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()
