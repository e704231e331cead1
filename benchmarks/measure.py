"""One process measured from start to end: time, own processor time, memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEGABYTE: Final = 1_000_000
REPEATS: Final = 3
"""The machine may be shared: of so many measurements the smallest is closest to the truth."""
_KILOBYTE: Final = 1024 if sys.platform != "darwin" else 1


@dataclass(frozen=True, slots=True)
class Finished:
    """What one process took, its children included."""

    elapsed_s: float
    processor_s: float
    memory_bytes: int
    """The largest resident set of the process or of one of its children."""
    output: str


class ProcessFailedError(RuntimeError):
    """A measured process did not do its work, so its figures say nothing."""


def run(command: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> Finished:
    """Run one process to its end and measure it; anything but exit code 0 raises."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started_s = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=folder, env=dict(environ)
        )
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        elapsed_s = time.monotonic() - started_s
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            words = errors.read().decode(errors="replace")[-2_000:]
            raise ProcessFailedError(f"{command[1:]} ended with exit code {process.returncode}: {words}")
        return Finished(
            elapsed_s=elapsed_s,
            processor_s=used.ru_utime + used.ru_stime,
            memory_bytes=used.ru_maxrss * _KILOBYTE,
            output=output.read().decode(),
        )


def side_by_side(*measured: Callable[[], float], repeats: int = REPEATS) -> list[float]:
    """Measure several things in turn, again and again, and return the least of each: they share the machine's moods."""
    rounds = [[measure() for measure in measured] for _ in range(repeats)]
    return [min(values) for values in zip(*rounds, strict=True)]
