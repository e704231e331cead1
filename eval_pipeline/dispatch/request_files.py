"""Builds the request files of a batch stage as streams: one line an item, cut into shards by the provider's limits.

Only the shard in progress lies on the local disk; nothing grows with the dataset.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import orjson

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

_QUOTES_UP_TO_ID = 4
_BUFFER_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """What one request file may hold."""

    requests: int
    size_bytes: int
    is_providers: bool = False
    """Whether the provider sets the size, so that no setting makes room."""

    def within(self, *, requests: int | None, size_bytes: int | None) -> "ShardLimits":
        """Return the limits as far as the provider takes so much; None where it does not say."""
        return ShardLimits(
            requests=self.requests if requests is None else min(self.requests, requests),
            size_bytes=self.size_bytes if size_bytes is None else min(self.size_bytes, size_bytes),
            is_providers=size_bytes is not None and size_bytes <= self.size_bytes,
        )


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One whole request file on the local disk."""

    path: Path
    requests: int
    size_bytes: int
    sha256: str


def write_shards(lines: Iterable[bytes], *, folder: Path, limits: ShardLimits) -> Iterator[ShardFile]:
    """Write the lines into files, and yield each when it is whole; it is gone when the next one is asked for.

    Args:
        lines: as a provider's ``RequestLines`` make them.
        folder: where the file in progress lies.
        limits: of one file.

    Raises:
        UsageError: ``request_too_large``, for one line that no file can hold.
    """
    path = folder / "requests.jsonl"
    iterator = iter(lines)
    pending = next(iterator, None)
    while pending is not None:
        with path.open("wb") as file:
            shard, pending = _fill(file, path=path, first=pending, rest=iterator, limits=limits)
        yield shard
        path.unlink()


def _fill(
    file: BinaryIO, *, path: Path, first: bytes, rest: Iterator[bytes], limits: ShardLimits
) -> tuple[ShardFile, bytes | None]:
    """Write lines until the file is full; returns it and the line that begins the next one."""
    digest = sha256()
    requests, size_bytes = 0, 0
    line: bytes | None = first
    while line is not None:
        if requests == limits.requests or size_bytes + len(line) > limits.size_bytes:
            break
        file.write(line)
        digest.update(line)
        requests += 1
        size_bytes += len(line)
        line = next(rest, None)
    if requests == 0 and line is not None:
        raise _too_large(line, limits)
    return ShardFile(path, requests, size_bytes, digest.hexdigest()), line


def _too_large(line: bytes, limits: ShardLimits) -> UsageError:
    item = shown(_id_of(line))
    return UsageError(
        f"the request of item {item} has {len(line):,} bytes, a request file may have {limits.size_bytes:,}",
        code="request_too_large",
        hint=f"shorten the question or the instructions{_room(limits)}",
    )


def _room(limits: ShardLimits) -> str:
    if limits.is_providers:
        return "; its provider takes no more"
    return ", or raise EVAL_BATCH_MAX_BYTES if the provider takes more"


def request_ids(path: Path) -> Iterator[str]:
    """Yield the ids of a request file in order."""
    with path.open("rb", buffering=_BUFFER_BYTES) as file:
        yield from map(_id_of, file)


def _id_of(line: bytes) -> str:
    """Read the id, the first value of every provider's line; one that holds an escape is read as JSON."""
    name = line.split(b'"', _QUOTES_UP_TO_ID)[_QUOTES_UP_TO_ID - 1].decode()
    return name if "\\" not in name else str(next(iter(orjson.loads(line).values())))
