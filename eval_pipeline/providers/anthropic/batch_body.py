"""The body that creates a batch: our request file as one JSON document, made while it goes out.

However large the file, one piece of it is in memory. Its length is announced, so that a body that breaks off is none:
until its last piece goes out, nothing can have been created.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from eval_pipeline.providers.anthropic.custom_ids import custom_id
from eval_pipeline.providers.batch_calls import CHUNK_BYTES

_HEAD, _BETWEEN, _TAIL = b'{"requests":[', b",", b"]}"
_BEFORE_ID: Final = b'{"custom_id":'
_AFTER_ID: Final = b',"params":'


class TooSlowError(Exception):
    """A body that did not go out in the time that it had."""


class BatchBody:
    """The requests of one submission on their way.

    Args:
        path: of the request file, a line a request.
        key: names the submission.
        time_left: seconds that the body may still take.
    """

    def __init__(self, path: Path, *, key: str, time_left: Callable[[], float]) -> None:
        self._path = path
        self._key = key
        self._time_left = time_left
        self.was_sent = False
        """Whether the last piece was handed over, so that the server may have all of it."""

    @property
    def size_bytes(self) -> int:
        """How long it is; the file is read once for that."""
        return sum(map(len, self._requests())) + len(_HEAD) + len(_TAIL)

    def __iter__(self) -> Iterator[bytes]:
        """Yield it piece by piece."""
        piece = bytearray(_HEAD)
        for request in self._requests():
            if len(piece) >= CHUNK_BYTES:
                yield self._in_time(piece)
                piece = bytearray()
            piece += request
        self.was_sent = True
        yield self._in_time(piece + _TAIL)

    def _in_time(self, piece: bytearray) -> bytes:
        if self._time_left() <= 0:
            self.was_sent = False
            raise TooSlowError("the requests did not go out in time")
        return bytes(piece)

    def _requests(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            yield from self._renamed(file)

    def _renamed(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield every request under the id that it goes out with, a comma before all but the first."""
        for number, line in enumerate(file):
            end = line.index(_AFTER_ID)
            item_id = orjson.loads(line[len(_BEFORE_ID) : end])
            renamed = b'%b"%b"%b' % (_BEFORE_ID, custom_id(self._key, item_id).encode(), line[end:].rstrip(b"\n"))
            yield _BETWEEN + renamed if number else renamed
