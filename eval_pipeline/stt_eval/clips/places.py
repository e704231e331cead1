"""Where clips come from: a folder, or a prefix in S3; each gives names and fetches single files.

A manifest in a local folder is its user's own and may name files anywhere. One that was found in S3 may not: who can
write there could otherwise have any object copied that the reader's credentials open.
"""

import errno
import hashlib
import os
import posixpath
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, Protocol

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import shown
from eval_pipeline.stt_eval.clips.audio_formats import UnusableClipError

if TYPE_CHECKING:
    from eval_pipeline.storage.s3 import S3Client

S3_SCHEME = "s3://"
MAX_KEY_BYTES = 1_024  # of S3
_CHUNK_BYTES = 1 << 20
_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")  # macOS writes names decomposed, editors write them composed


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was copied."""

    sha256: str
    size_bytes: int


class Place(Protocol):
    """A folder with files."""

    def names(self) -> Iterable[str]:
        """Return the names of all files below it, sorted, without hidden ones."""
        ...

    def fetch(self, name: str, target: Path, *, limit_bytes: int, may_be_empty: bool = False) -> Fetched:
        """Copy a file while hashing it; one that cannot be had, or is too large, raises ``UnusableClipError``."""
        ...


class LocalPlace:
    """A folder of this machine; names may also be absolute, lead out of it, or be ``s3://…``.

    Args:
        folder: to which names are relative.
        s3_client: builds a client when a name leads to S3.
    """

    def __init__(self, folder: Path, *, s3_client: "Callable[[], S3Client]") -> None:
        self._folder = folder
        self._make_s3_client = s3_client
        self._s3_client: S3Client | None = None
        self._lock = Lock()  # boto3 clients may be shared by threads, but not made by several at once

    def names(self) -> list[str]:
        """Return the names of all files below the folder; a folder that cannot be read raises ``OSError``."""
        return sorted(path.relative_to(self._folder).as_posix() for path in _files_below(self._folder))

    def fetch(self, name: str, target: Path, *, limit_bytes: int, may_be_empty: bool = False) -> Fetched:
        """Copy a file."""
        if name.startswith(S3_SCHEME):
            bucket, _, key = name.removeprefix(S3_SCHEME).partition("/")
            elsewhere = S3Place(self._client(), bucket=bucket, prefix="")
            return elsewhere.fetch(key, target, limit_bytes=limit_bytes, may_be_empty=may_be_empty)
        path = self._find(name)
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise UnusableClipError("it is no regular file", remedy="give the path of a sound file")
                limit = Limit(limit_bytes, may_be_empty=may_be_empty)
                limit.check(status.st_size)
                return copy_hashed(iter(lambda: file.read(_CHUNK_BYTES), b""), target, limit=limit)
        except OSError as error:
            if error.filename != os.fspath(path):  # the disk to which is copied
                raise
            raise _unreadable(path, error) from error

    def _client(self) -> "S3Client":
        with self._lock:
            if self._s3_client is None:
                self._s3_client = self._make_s3_client()
            return self._s3_client

    def _find(self, name: str) -> Path:
        written = self._folder / name
        candidates = [written, *(self._folder / unicodedata.normalize(form, name) for form in _FORMS)]
        try:
            return next((path for path in candidates if path.exists()), written)
        except OSError as error:  # such as a name that is too long
            raise UnusableClipError(f"this can be no file ({error.strerror})", remedy="correct its path") from error


def _unreadable(path: Path, error: OSError) -> UnusableClipError:
    if error.errno == errno.ENOENT:
        slashes = " with / instead of \\" if "\\" in str(path) else ""
        return UnusableClipError(f"there is no file {shown(str(path))}", remedy=f"write its path{slashes}, or add it")
    if error.errno == errno.EISDIR:
        return UnusableClipError("it is a folder", remedy="give the path of a sound file")
    return UnusableClipError(f"it cannot be read ({error.strerror})", remedy="correct its path or its rights")


def _files_below(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in names if not name.startswith("."))


class S3Place:
    """Objects below a prefix; names may be relative, or ``s3://…`` below the same prefix.

    Args:
        client: boto3's.
        bucket: whose objects.
        prefix: empty, or with a slash at its end.
    """

    def __init__(self, client: "S3Client", *, bucket: str, prefix: str) -> None:
        from eval_pipeline.storage.s3_folder import S3Folder  # noqa: PLC0415 - botocore costs 0.2 s

        self._root = f"{S3_SCHEME}{bucket}/{prefix}"
        self._folder = S3Folder(client, bucket=bucket, prefix=prefix)

    def names(self) -> list[str]:
        """Return the names of all objects below the prefix."""
        return [name for name in self._folder.names() if not any(part.startswith(".") for part in name.split("/"))]

    def fetch(self, name: str, target: Path, *, limit_bytes: int, may_be_empty: bool = False) -> Fetched:
        """Download an object."""
        key = self._confined(name)
        try:
            with self._folder.opened(key) as (size_bytes, chunks):
                limit = Limit(limit_bytes, may_be_empty=may_be_empty)
                limit.check(size_bytes)
                return copy_hashed(chunks, target, limit=limit)
        except NotFoundError as error:
            raise UnusableClipError(f"there is no object {self._folder.url(key)}", remedy="correct its key") from error

    def _confined(self, name: str) -> str:
        inner = name.removeprefix(self._root)
        leads_out = inner.startswith((S3_SCHEME, "/", "../")) or posixpath.normpath(inner).startswith("..")
        if len(inner.encode()) > MAX_KEY_BYTES:
            raise UnusableClipError(f"its key has more than {MAX_KEY_BYTES:,} bytes", remedy="correct its key")
        if not inner or leads_out:
            raise UnusableClipError(
                f"it does not lie below {self._root}", remedy="a manifest in S3 may only name what lies beside it"
            )
        return posixpath.normpath(inner) if ".." in inner.split("/") or inner.startswith("./") else inner


@dataclass(frozen=True, slots=True)
class Limit:
    """How large a file may be."""

    size_bytes: int
    may_be_empty: bool = False

    def check(self, size_bytes: int) -> None:
        """Refuse a file, when its size is known before a byte of it is copied."""
        if size_bytes == 0 and not self.may_be_empty:
            raise UnusableClipError("it is empty (0 bytes)", remedy="record it again or leave it out")
        if size_bytes > self.size_bytes:
            raise UnusableClipError(
                f"it has {size_bytes:,} bytes, more than the {self.size_bytes:,} that are allowed",
                remedy="compress or cut it, or raise EVAL_STT_MAX_AUDIO_BYTES",
            )


def copy_hashed(chunks: Iterable[bytes], target: Path, *, limit: Limit) -> Fetched:
    """Copy what comes, also when it is more than its size said; memory holds one chunk."""
    digest = hashlib.sha256()
    size_bytes = 0
    with target.open("wb") as copy:
        for chunk in chunks:
            size_bytes += len(chunk)
            limit.check(size_bytes)
            digest.update(chunk)
            copy.write(chunk)
    limit.check(size_bytes)
    return Fetched(digest.hexdigest(), size_bytes)
