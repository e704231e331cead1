"""Time of live runs against what latency and concurrency allow, and the processor time of one item."""

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from benchmarks.figures import Figure, tell
from benchmarks.live_runs import Site
from benchmarks.loading import import_s
from benchmarks.measure import REPEATS, Finished, side_by_side

START_ALLOWED: Final = 5.0
START_REPEATS: Final = 5
PROCESSOR_MS_ALLOWED: Final = 3.0
MODELS: Final = MappingProxyType(
    {
        "openai_responses": "gpt-4o-mini",
        "openai_chat": "chat/gpt-4o-mini",
        "anthropic": "claude/claude-sonnet-4-5",
        "http": "bot",
    }
)
"""A model by the protocol that it is asked in."""


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
class Start:
    """The same command with one item at zero latency."""

    elapsed_s: float
    processor_s: float


def measure_start(site: Site) -> list[Figure]:
    """Compare a run of one item with what importing Dagster costs."""
    tell("one item at zero latency, and import dagster beside it")

    def one_item() -> float:
        return site.text_run(items=1).elapsed_s

    import_dagster_s, elapsed_s = side_by_side(lambda: import_s(site, "dagster"), one_item, repeats=START_REPEATS)
    return [
        Figure(
            what="start: a run of one item at zero latency",
            measured=f"{elapsed_s:.2f} s",
            limit=f"`import dagster` {import_dagster_s:.2f} s",
            ratio=elapsed_s / import_dagster_s,
            allowed=START_ALLOWED,
        )
    ]


@cache
def _start(site: Site, protocol: str) -> Start:
    """Measure what every run of a protocol begins with, once however many figures need it."""
    tell(f"one item at zero latency by {protocol}")
    runs = [site.text_run(items=1, model=MODELS[protocol]) for _ in range(START_REPEATS)]
    return Start(min(run.elapsed_s for run in runs), min(run.processor_s for run in runs))


def measure_small(site: Site) -> list[Figure]:
    """Run fifty items in every protocol."""
    return [_elapsed(SMALL, _run(SMALL, protocol, site=site)) for protocol in MODELS]


def measure_large(site: Site) -> list[Figure]:
    """Run a thousand items in every protocol; their processor time is looked at too."""
    runs = [_run(LARGE, protocol, site=site) for protocol in MODELS]
    return [figure(LARGE, live) for live in runs for figure in (_elapsed, _processor)]


@dataclass(frozen=True, slots=True)
class Live:
    """Runs of one protocol."""

    protocol: str
    start: Start
    finished: list[Finished]


def _run(load: Load, protocol: str, *, site: Site) -> Live:
    start, model = _start(site, protocol), MODELS[protocol]
    tell(f"{load.items:,} items by {protocol}")
    return Live(
        protocol,
        start,
        [
            site.text_run(items=load.items, latency_s=load.latency_s, concurrency=load.concurrency, model=model)
            for _ in range(REPEATS)
        ],
    )


def _elapsed(load: Load, live: Live) -> Figure:
    elapsed_s = min(one.elapsed_s for one in live.finished)
    return Figure(
        what=f"{load.items:,} items, {load.latency_s:g} s latency, concurrency {load.concurrency}, beyond start, "
        f"`{live.protocol}`",
        measured=f"{elapsed_s:.2f} s - {live.start.elapsed_s:.2f} s",
        limit=f"latency * items / concurrency + latency = {load.limit_s:.2f} s",
        ratio=(elapsed_s - live.start.elapsed_s) / load.limit_s,
        allowed=load.allowed,
    )


def _processor(load: Load, live: Live) -> Figure:
    own_s = min(one.processor_s for one in live.finished) - live.start.processor_s
    own_ms = 1_000 * own_s / load.items
    return Figure(
        what=f"own processor time per item, of {load.items:,}, `{live.protocol}`",
        measured=f"{own_ms:.2f} ms",
        limit=f"{PROCESSOR_MS_ALLOWED:g} ms",
        ratio=own_ms / PROCESSOR_MS_ALLOWED,
        allowed=1.0,
    )
