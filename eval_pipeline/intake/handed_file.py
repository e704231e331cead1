"""Opens what people hand in: a file, or a pipe such as a shell's ``<(…)``; nothing that never ends or never begins.

What it is, is asked before a byte is read: a device, or a pipe that nobody writes into, would hold a command for ever.
"""

import os
import select
import stat
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

SIZE_VARIABLE: Final = "EVAL_MAX_FILE_BYTES"
SMALL_BYTES: Final = 1_000_000
"""Of a configuration or credentials file: a person wrote it."""
PIPE_PATIENCE_S: Final = 60.0
"""Between two pieces of a pipe."""
_CHUNK_BYTES: Final = 1 << 20
_NO_FILES: Final = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
    (stat.S_ISSOCK, "it is a socket"),
)


def read_chunks(path: Path, *, limit_bytes: int, patience_s: float = PIPE_PATIENCE_S) -> Iterator[bytes]:
    """Yield the bytes of a file or pipe; raises ``file_unreadable``, or ``file_too_large`` with the setting's name.

    Args:
        path: what was handed in.
        limit_bytes: that it may have.
        patience_s: how long a pipe may be silent.
    """
    read_bytes = 0
    for chunk in _chunks(path, limit_bytes=limit_bytes, patience_s=patience_s):
        read_bytes += len(chunk)
        if read_bytes > limit_bytes:
            raise _too_large(path, f"more than {limit_bytes:,} bytes", limit_bytes=limit_bytes)
        yield chunk


def read_small_file(path: Path) -> bytes:
    """Return the bytes of a file that a person wrote."""
    return b"".join(read_chunks(path, limit_bytes=SMALL_BYTES))


def _chunks(path: Path, *, limit_bytes: int, patience_s: float) -> Iterator[bytes]:
    try:
        mode = os.stat(path)  # noqa: PTH116 - pathlib raises ValueError for a NUL, as this does
        if told := next((words for is_kind, words in _NO_FILES if is_kind(mode.st_mode)), None):
            raise _unreadable(path, told)
        if stat.S_ISREG(mode.st_mode) and mode.st_size > limit_bytes:
            raise _too_large(path, f"{mode.st_size:,} bytes", limit_bytes=limit_bytes)
        waits = os.O_NONBLOCK if stat.S_ISFIFO(mode.st_mode) else 0  # else opening waits for somebody who writes
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | waits)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(path, (error.strerror if isinstance(error, OSError) else None) or str(error)) from None
    try:
        yield from _piped(path, descriptor, patience_s=patience_s) if waits else _stored(path, descriptor)
    finally:
        os.close(descriptor)


def _stored(path: Path, descriptor: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            yield chunk
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None


def _piped(path: Path, descriptor: int, *, patience_s: float) -> Iterator[bytes]:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    until = monotonic() + patience_s
    while monotonic() < until:
        if not poll.poll(max(0.0, until - monotonic()) * 1000):
            continue
        try:
            chunk = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            continue
        except OSError as error:
            raise _unreadable(path, error.strerror or str(error)) from None
        if not chunk:  # whoever wrote has closed it
            return
        yield chunk
        until = monotonic() + patience_s
    raise _unreadable(path, f"it is a pipe into which nobody wrote for {patience_s:g} s")


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"cannot read {shown(str(path))}: {why}",
        code="file_unreadable",
        hint="give the path of a file that you may read",
    )


def _too_large(path: Path, size: str, *, limit_bytes: int) -> UsageError:
    remedy = f"give a smaller file, or raise {SIZE_VARIABLE} (now {limit_bytes:,})"
    return UsageError(
        f"{shown(str(path))} has {size}, more than the {limit_bytes:,} that are allowed",
        code="file_too_large",
        hint=remedy if limit_bytes != SMALL_BYTES else "give the file that was meant: people write smaller ones",
    )
