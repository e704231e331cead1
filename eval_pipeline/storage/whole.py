"""Files and folders that come into being whole: many processes may want the same one at once, one makes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Final
from uuid import uuid4

from eval_pipeline.core.errors import UnavailableError

LOCK_PATIENCE_S: Final = 120.0
PRIVATE: Final = 0o700
"""Rights of a new home: it holds questions, answers and recordings of people."""


def create_whole(target: Path, build: Callable[[Path], None], *, lock: Path) -> None:
    """Make ``target`` by building it beside its place and renaming it when whole.

    An existing target costs one ``stat``. Of several processes one builds, the others wait. What a killed builder
    left behind is removed by the next one.

    Args:
        target: the file or folder that is wanted.
        build: makes a file or folder at the path it is given, and leaves nothing of it open.
        lock: the lock file; it stays, because removing it would break the exclusion.
    """
    with _explained(target):
        if target.exists():
            return
        with only_one(lock):
            if not target.exists():
                _build_and_rename(target, build)


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Exclude all other processes of this machine that name the same lock file, for the time of a ``with``."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - 40 ms that only the first opening of a home pays

    with _explained(lock):
        lock.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        held = FileLock(lock)
        try:
            held.acquire(timeout=LOCK_PATIENCE_S)
        except Timeout as error:
            raise UnavailableError(
                f"another process has kept {lock} locked for {LOCK_PATIENCE_S:.0f} s",
                code="home_locked",
                hint="end that process (a dead one holds no lock), then repeat the command",
            ) from error
    try:
        yield
    finally:
        held.release()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be made: {error.strerror or error}",
            code="home_unavailable",
            hint="free disk space and make the folder writable, or set EVAL_PIPELINE_HOME to another one",
        ) from error


def _build_and_rename(target: Path, build: Callable[[Path], None]) -> None:
    prefix = f".{target.name}.unfinished-"
    _remove_leftovers(target.parent, prefix)
    unfinished = target.with_name(f"{prefix}{uuid4().hex}")
    try:
        build(unfinished)
        unfinished.rename(target)
    finally:
        _remove_leftovers(target.parent, prefix)


def _remove_leftovers(folder: Path, prefix: str) -> None:
    # under the lock nobody else builds, so whatever has this prefix belongs to the dead
    for leftover in [path for path in folder.iterdir() if path.name.startswith(prefix)]:
        if leftover.is_dir():
            rmtree(leftover)
        else:
            leftover.unlink()
