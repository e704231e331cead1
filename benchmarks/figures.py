"""Measured figures and the page that shows them."""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from benchmarks.measure import MEGABYTE, Finished

_SHOWN_VERSIONS: Final = ("eval-pipeline", "dagster", "openai", "pyarrow", "sqlalchemy")
_HEAD: Final = (
    "# Speed and memory",
    "",
    "`make bench`: every figure is a ratio to a limit that was measured or calculated in the same run. Runs are whole",
    "`eval-pipeline text run` processes against the stand-in server, on an existing home, from process start to end.",
    "Of several measurements (memory: one) the smallest counts; loading and start take turns with their limit.",
    "",
    "| what | measured | limit | ratio | required | |",
    "|---|---:|---|---:|---:|---|",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One ratio, and the largest that is allowed."""

    what: str
    measured: str
    limit: str
    """What the ratio is to: measured or calculated in the same run."""
    ratio: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether the requirement is met."""
        return self.ratio <= self.allowed

    def as_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        return {
            "what": self.what,
            "measured": self.measured,
            "limit": self.limit,
            "ratio": self.ratio,
            "allowed": self.allowed,
            "passed": self.passed,
        }


def memory_figure(what: str, finished: Finished, *, allowed_mb: int) -> Figure:
    """Hold the largest resident set of a command against what it may take."""
    memory_mb = finished.memory_bytes / MEGABYTE
    return Figure(
        what=what,
        measured=f"{memory_mb:.0f} MB in {finished.elapsed_s:.0f} s",
        limit=f"{allowed_mb} MB",
        ratio=memory_mb / allowed_mb,
        allowed=1.0,
    )


def environment() -> dict[str, Any]:
    """Name the versions and the class of the machine; nothing that tells machines of a class apart."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in _SHOWN_VERSIONS},
    }


def page(figures: Sequence[Figure]) -> str:
    """Return the results as Markdown."""
    return "\n".join([*_HEAD, *map(_line, figures), "", _machine(environment())])


def _machine(facts: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    where = f"Python {facts['python']} on {facts['system']} ({facts['architecture']}), {facts['cores']} cores"
    return f"{where}, which the stand-in server shares; {versions}."


def _line(figure: Figure) -> str:
    verdict = "pass" if figure.passed else "**fail**"
    ratio, allowed = f"{figure.ratio:.2f}", f"≤ {figure.allowed:.2f}"
    return f"| {figure.what} | {figure.measured} | {figure.limit} | {ratio} | {allowed} | {verdict} |"


def tell(message: str) -> None:
    """Write a line of progress to stderr."""
    print(message, file=sys.stderr, flush=True)
