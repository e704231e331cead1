"""Objects as files in a local folder: the embedded default.

A file appears whole or not at all, also when the process is killed or the machine loses power; what is on its way has
a name that no key can have.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from eval_pipeline.core.errors import UsageError
from eval_pipeline.storage.objects import (
    checked_key,
    explain_os_error,
    object_exists,
    object_missing,
    os_errors_explained,
    store_unavailable,
)

SYNC_EVERY_S = 1.0
"""How often an appender waits for the disk: a killed process loses nothing, a power failure about this much."""

_COPY_BYTES = 1 << 20
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class LocalObjectStore:
    """An ``ObjectStore`` below one folder, which is made when it is missing."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        with _folder_in_place(self._root), os_errors_explained(self._root, but=(FileExistsError, NotADirectoryError)):
            self._root.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, data: bytes) -> None:
        """Store or replace; a reader sees the old bytes or the new ones, never a mixture."""
        self._store(key, lambda file: file.write(data), publish=os.replace)

    def put_file(self, key: str, path: Path) -> None:
        """Store or replace from a file, streamed."""
        with path.open("rb") as source:
            self._store(key, lambda file: shutil.copyfileobj(source, file, _COPY_BYTES), publish=os.replace)

    def create(self, key: str, data: bytes) -> None:
        """Store only if the key is free, else raise ``object_exists``."""
        self._store(key, lambda file: file.write(data), publish=_link_new)

    def _store(self, key: str, write: Callable[[BinaryIO], object], *, publish: Callable[[Path, Path], object]) -> None:
        target = self._path(key)
        incoming = target.with_name(f".incoming-{uuid4().hex}")
        self._check_root()
        with os_errors_explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with incoming.open("xb") as file:
                    write(file)
                    file.flush()
                    os.fsync(file.fileno())
                publish(incoming, target)
            finally:
                incoming.unlink(missing_ok=True)
            _sync_folder(target.parent)

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        path = self._path(key)
        with self._reading(path):
            return path.read_bytes()

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Give the object's own file."""
        path = self._path(key)
        with self._reading(path):
            path.open("rb").close()
        yield path

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys below ``prefix/`` in order."""
        self._check_root()
        folder = self._path(prefix) if prefix else self._root
        return iter(sorted(path.relative_to(self._root).as_posix() for path in _files_below(folder)))

    def folders(self, prefix: str) -> Sequence[str]:
        """Return the names that stand right below ``prefix/`` with keys below them, in order, without listing those."""
        self._check_root()
        path = self._path(prefix)
        with os_errors_explained(path), suppress(*_ABSENT), os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
        return ()

    def delete(self, key: str) -> None:
        """Remove; a missing key is no error."""
        path = self._path(key)
        with os_errors_explained(path), suppress(*_ABSENT):
            path.unlink()

    def appender(self, prefix: str, *, name: str) -> "LocalAppender":
        """Append to the one file ``{prefix}/{name}``."""
        self._check_root()
        return LocalAppender(self._path(f"{prefix}/{name}"))

    def url(self, key: str) -> str:
        """Where a person finds the object."""
        return self._path(key).as_uri()

    def signed_url(self, key: str, *, expires_s: int) -> str:
        """Raise ``no_signed_urls``: nobody else can reach a folder of this machine."""
        del expires_s
        raise UsageError(
            f"the store is a folder, so nobody outside can be given an address of {self.url(key)}",
            code="no_signed_urls",
            hint="use audio_transport files_api, or a store in S3 (EVAL_PIPELINE_STORE=s3://…)",
        )

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    @contextmanager
    def _reading(self, path: Path) -> Iterator[None]:
        try:
            with os_errors_explained(path, but=_ABSENT):
                yield
        except _ABSENT:
            self._check_root()
            raise object_missing(path.as_uri()) from None

    def _check_root(self) -> None:
        if not self._root.is_dir():
            raise store_unavailable(
                str(self._root), reason="the folder is gone", hint="check that the disk is mounted, then retry"
            )


@contextmanager
def _folder_in_place(root: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise store_unavailable(
            str(root),
            reason=f"{error.filename} is no folder",
            hint="set EVAL_PIPELINE_STORE to the URL of a folder, such as file:///srv/evaluations",
        ) from error


def _link_new(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise object_exists(target.as_uri()) from None


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power failure: on POSIX that is a property of the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems know no such wait
            raise
    finally:
        os.close(descriptor)


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_raise_unless_absent):
        folders[:] = [name for name in folders if not name.startswith(".")]  # no key leads there
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _raise_unless_absent(error: OSError) -> None:
    if not isinstance(error, _ABSENT):
        raise explain_os_error(error, path=Path(error.filename)) from error


class LocalAppender:
    """Appends to one file; what ``append`` has taken survives the death of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with os_errors_explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            self._size_bytes = os.fstat(self._descriptor).st_size
            _sync_folder(path.parent)
        self._synced_at = time.monotonic()

    def append(self, data: bytes) -> None:
        """Hand ``data`` to the operating system; when that fails, the file is as it was before."""
        descriptor = self._open_descriptor()
        with os_errors_explained(self._path):
            try:
                _write_all(descriptor, data)
            except OSError:
                with suppress(OSError):  # what cannot be cut is a torn last line, which readers drop
                    os.ftruncate(descriptor, self._size_bytes)
                raise
            self._size_bytes += len(data)
            if time.monotonic() - self._synced_at >= SYNC_EVERY_S:
                os.fsync(descriptor)
                self._synced_at = time.monotonic()

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"the appender of {self._path} is closed")
        return self._descriptor

    def close(self) -> None:
        """Wait for the disk and let the file go."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        with os_errors_explained(self._path):
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
