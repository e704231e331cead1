"""Which process works, and whether it still lives.

A process id means something only on one running kernel and in one process namespace: containers share host names and
count their processes from 1. So ``Worker.host`` carries a digest of boot id and namespace behind the host name.
"""

import os
import socket
import sys
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from eval_pipeline.core.runs import Worker

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PROCESS_NAMESPACE: Final = Path("/proc/self/ns/pid")
_STATE_FIELD: Final = 0
_START_FIELD: Final = 19
"""Positions in ``/proc/PID/stat`` behind the name: fields 3 and 22 of proc(5)."""


@dataclass(frozen=True, slots=True)
class _Sighting:
    started_at: float
    ended: bool


def this_worker() -> Worker:
    """Return the identity of the calling process."""
    sighting = _look_at(os.getpid())
    # a process that cannot see itself is not seen by others either: then they never compare this number
    return Worker(host=this_host(), pid=os.getpid(), started_at=sighting.started_at if sighting else 0.0)


def worker_is_dead(worker: Worker) -> bool | None:
    """Tell whether a process has ended; None when that cannot be known from here.

    Never True for a living one: neither when the wall clock jumps, nor when other users' processes are hidden.
    """
    if worker.host != this_host():
        return None
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # the number is in use, by this worker or by another process: its start tells
        pass
    sighting = _look_at(worker.pid)
    if sighting is None:
        return None
    return sighting.ended or sighting.started_at != worker.started_at


@cache
def this_host() -> str:
    """Return the host name and a digest of what makes process ids comparable."""
    try:
        realm = f"{_BOOT_ID.read_text().strip()} {_PROCESS_NAMESPACE.readlink()}"
    except OSError:  # not Linux: one kernel and one namespace a host name
        realm = sys.platform
    return f"{socket.gethostname()}#{sha256(realm.encode()).hexdigest()[:8]}"


def _look_at(pid: int) -> _Sighting | None:
    return _look_at_linux(pid) if sys.platform == "linux" else _look_at_elsewhere(pid)


def _look_at_linux(pid: int) -> _Sighting | None:
    """Read the kernel's record; its start counts from boot, so that no change of the wall clock moves it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    started_at = int(fields[_START_FIELD]) / os.sysconf("SC_CLK_TCK")
    return _Sighting(started_at=started_at, ended=fields[_STATE_FIELD] in {"Z", "X"})


def _look_at_elsewhere(pid: int) -> _Sighting | None:
    import psutil  # noqa: PLC0415 - 30 ms that Linux need not pay

    try:
        process = psutil.Process(pid)
        return _Sighting(started_at=process.create_time(), ended=process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return None
