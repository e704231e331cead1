"""Builds the request files of a batch stage as streams: one line an item, cut into shards by the provider's limits.

Only the shard in progress lies on the local disk; nothing grows with the dataset.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

_BEFORE_ID, _AFTER_ID = b'{"custom_id":"', b'","method":'


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """What one request file may hold."""

    requests: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One whole request file on the local disk."""

    path: Path
    requests: int
    size_bytes: int
    sha256: str


class LineTemplate:
    """Lines of a request file that differ in id and input alone: the rest is written as JSON once.

    Args:
        endpoint: such as ``/v1/responses``.
        body: what every request has besides its ``input``.
    """

    def __init__(self, *, endpoint: str, body: Mapping[str, Any]) -> None:
        shared = orjson.dumps({**body, "input": None})
        self._middle = b',"method":"POST","url":%b,"body":%b' % (orjson.dumps(endpoint), shared.removesuffix(b"null}"))

    def line(self, custom_id: str, given: str) -> bytes:
        """Return the line of one item, with its line break."""
        return b'{"custom_id":%b%b%b}}\n' % (_json_text(custom_id), self._middle, _json_text(given))


def _json_text(text: str) -> bytes:
    """Write a string; half a surrogate pair, which orjson refuses, as an escape."""
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:
        return json.dumps(text).encode()


def write_shards(
    lines: Iterable[bytes], *, folder: Path, limits: ShardLimits, deliver: Callable[[int, ShardFile], None]
) -> int:
    """Write the lines into files, hand each over when it is whole, remove it then; returns how many there were.

    Args:
        lines: as ``LineTemplate`` makes them.
        folder: where the file in progress lies.
        limits: of one file.
        deliver: takes the shard's number and its file.

    Raises:
        UsageError: ``request_too_large``, for one line that no file can hold.
    """
    path = folder / "requests.jsonl"
    number = 0
    for number, shard in enumerate(_cut(lines, path=path, limits=limits), start=1):
        deliver(number - 1, shard)
        path.unlink()
    return number


def _cut(lines: Iterable[bytes], *, path: Path, limits: ShardLimits) -> Iterator[ShardFile]:
    iterator = iter(lines)
    pending = next(iterator, None)
    while pending is not None:
        with path.open("wb") as file:
            shard, pending = _fill(file, path=path, first=pending, rest=iterator, limits=limits)
        yield shard


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
    item = shown(str(orjson.loads(line)["custom_id"]))
    return UsageError(
        f"the request of item {item} has {len(line):,} bytes, a request file may have {limits.size_bytes:,}",
        code="request_too_large",
        hint="shorten the question or the instructions, or raise EVAL_BATCH_MAX_BYTES if the provider takes more",
    )


def request_ids(path: Path) -> Iterator[str]:
    """Yield the ids of a request file in order."""
    with path.open("rb") as file:
        for line in file:
            yield _id_of(line)


def _id_of(line: bytes) -> str:
    """Read the id, which ``LineTemplate`` writes first; one that holds an escape is read as JSON."""
    start, end = len(_BEFORE_ID), line.index(_AFTER_ID)
    name = line[start:end]
    if line.startswith(_BEFORE_ID) and b"\\" not in name:
        return name.decode()
    return str(orjson.loads(line)["custom_id"])
