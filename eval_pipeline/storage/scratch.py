"""Folders for files on their way: removed when they are done with, and those of killed processes by a later one.

Who works in a folder holds a lock in it, which the system releases when the process ends in whatever way.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import Final

_PREFIX: Final = "eval-pipeline-"
_LOCK: Final = ".in-use-by-eval-pipeline"
_SETTLED_S: Final = 3_600.0
"""A folder that is younger may be about to be locked."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder for the time of a ``with``; raises OSError where the system's temporary folder has no room."""
    from filelock import FileLock  # noqa: PLC0415 - 40 ms that only those who need a folder pay

    _remove_leftovers_once()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name, FileLock(Path(name) / _LOCK):
        folder = Path(name) / "files"
        folder.mkdir()
        yield folder


def remove_leftovers(*, settled_s: float = _SETTLED_S) -> None:
    """Remove what killed processes of this user left in the system's temporary folder.

    Args:
        settled_s: only folders that are older.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - as above

    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):  # somebody else's, in use, or gone meanwhile
            about = folder.lstat()
            ours = about.st_uid == os.getuid() and (folder / _LOCK).is_file()
            if ours and time.time() - about.st_mtime >= settled_s:
                with FileLock(folder / _LOCK, blocking=False):
                    rmtree(folder)


@cache
def _remove_leftovers_once() -> None:
    remove_leftovers()
