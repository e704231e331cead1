"""Time of live runs against what latency and concurrency allow, and the processor time of one item."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from benchmarks.figures import Figure, tell
from benchmarks.live_runs import Site
from benchmarks.loading import import_s
from benchmarks.measure import REPEATS, Finished, side_by_side

START_ALLOWED: Final = 5.0
START_REPEATS: Final = 5
PROCESSOR_MS_ALLOWED: Final = 6.0


@dataclass(frozen=True, slots=True)
class Load:
    """One run, and how close to its limit it must come."""

    items: int
    latency_s: float
    concurrency: int
    allowed: float

    @property
    def limit_s(self) -> float:
        """What no program could beat: all answers in waves of ``concurrency``, then one call for the embeddings."""
        return self.items * self.latency_s / self.concurrency + self.latency_s


SMALL: Final = Load(items=50, latency_s=1.0, concurrency=10, allowed=1.10)
LARGE: Final = Load(items=1_000, latency_s=1.0, concurrency=100, allowed=1.25)


@dataclass(frozen=True, slots=True)
class Starts:
    """The same command with one item at zero latency, and ``import dagster`` beside it."""

    elapsed_s: float
    processor_s: float
    import_dagster_s: float


@cache
def measure_starts(site: Site) -> Starts:
    """Measure both, once however many figures need them."""
    tell("one item at zero latency, and import dagster beside it")
    runs: list[Finished] = []

    def one_item() -> float:
        runs.append(site.text_run(items=1))
        return runs[-1].elapsed_s

    import_dagster_s, elapsed_s = side_by_side(lambda: import_s(site, "dagster"), one_item, repeats=START_REPEATS)
    return Starts(
        elapsed_s=elapsed_s, processor_s=min(run.processor_s for run in runs), import_dagster_s=import_dagster_s
    )


def measure_start(site: Site) -> list[Figure]:
    """Compare a run of one item with what importing Dagster costs."""
    starts = measure_starts(site)
    return [
        Figure(
            what="start: a run of one item at zero latency",
            measured=f"{starts.elapsed_s:.2f} s",
            limit=f"`import dagster` {starts.import_dagster_s:.2f} s",
            ratio=starts.elapsed_s / starts.import_dagster_s,
            allowed=START_ALLOWED,
        )
    ]


def measure_small(site: Site) -> list[Figure]:
    """Run fifty items."""
    return [_elapsed(SMALL, starts=measure_starts(site), finished=_runs(SMALL, site=site))]


def measure_large(site: Site) -> list[Figure]:
    """Run a thousand items; their processor time is looked at too."""
    starts, finished = measure_starts(site), _runs(LARGE, site=site)
    return [_elapsed(LARGE, starts=starts, finished=finished), _processor(LARGE, starts=starts, finished=finished)]


def _runs(load: Load, *, site: Site) -> list[Finished]:
    return [
        site.text_run(items=load.items, latency_s=load.latency_s, concurrency=load.concurrency) for _ in range(REPEATS)
    ]


def _elapsed(load: Load, *, starts: Starts, finished: list[Finished]) -> Figure:
    elapsed_s = min(one.elapsed_s for one in finished)
    return Figure(
        what=f"{load.items:,} items, {load.latency_s:g} s latency, concurrency {load.concurrency}, beyond start",
        measured=f"{elapsed_s:.2f} s - {starts.elapsed_s:.2f} s",
        limit=f"latency * items / concurrency + latency = {load.limit_s:.2f} s",
        ratio=(elapsed_s - starts.elapsed_s) / load.limit_s,
        allowed=load.allowed,
    )


def _processor(load: Load, *, starts: Starts, finished: list[Finished]) -> Figure:
    own_s = min(one.processor_s for one in finished) - starts.processor_s
    own_ms = 1_000 * own_s / load.items
    return Figure(
        what=f"own processor time per item, of {load.items:,}",
        measured=f"{own_ms:.2f} ms",
        limit=f"{PROCESSOR_MS_ALLOWED:g} ms",
        ratio=own_ms / PROCESSOR_MS_ALLOWED,
        allowed=1.0,
    )
