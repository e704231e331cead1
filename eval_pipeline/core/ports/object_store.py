"""Where bytes lie: objects under keys, and durable appends to them. Every room that stores goes through it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Appender(Protocol):
    """Durable appends below one prefix; when ``append`` returns, another process can read the bytes."""

    def append(self, data: bytes) -> None:
        """Store ``data`` behind all that was appended before."""
        ...

    def close(self) -> None:
        """Release what is held open."""
        ...


class ObjectStore(Protocol):
    """Bytes under ``/``-joined keys: a local folder, or S3.

    A missing object raises ``NotFoundError`` (code ``object_missing``); a store that does not answer, is full or
    refuses access raises ``UnavailableError``: "could not read" is never "empty".
    """

    def put(self, key: str, data: bytes) -> None:
        """Store or replace; a reader sees the old bytes or the new ones, never a mixture."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Store or replace from a file, streamed."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """Store only if the key is free, else raise ``ConflictError`` (code ``object_exists``)."""
        ...

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        ...

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """Give a readable local file for the time of a ``with``: the object's own, or a temporary download."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys below ``prefix/`` in order."""
        ...

    def folders(self, prefix: str) -> Sequence[str]:
        """Return the names that stand right below ``prefix/`` with keys below them, in order, without listing those."""
        ...

    def delete(self, key: str) -> None:
        """Remove; a missing key is no error."""
        ...

    def appender(self, prefix: str, *, name: str) -> Appender:
        """Append to objects ``{prefix}/{name}…``; concatenated in key order they are what was appended."""
        ...

    def url(self, key: str) -> str:
        """Where a person finds the object: ``file:///…`` or ``s3://…``."""
        ...

    def signed_url(self, key: str, *, expires_s: int) -> str:
        """Return an address that gives anyone the object's bytes for a while: a secret.

        A store that nobody can reach from outside raises ``no_signed_urls``.
        """
        ...
