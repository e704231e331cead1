"""The chunks of a WAVE file: whether its sound is as long as its header says.

Separate because libsndfile believes the header: a recorder that was stopped leaves sizes of zero before sound that
every player plays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_STREAMED_BYTES = 0x7FFF_F000  # what recorders write as a size that they do not know yet
_IN_LONG_SIZES = 0xFFFF_FFFF  # in RF64, whose chunk ds64 has the size
_HEAD_BYTES = 12
_FORMAT_BYTES = 16


@dataclass(frozen=True, slots=True)
class StoppedRecording:
    """Sound whose length the header does not know."""

    duration_s: float
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    start: int
    """Of its content."""
    length: int
    left: int
    """Bytes of the file from ``start`` on."""


def promises_more(file: BinaryIO) -> bool:
    """Tell whether the data chunk of a little-endian WAVE file says more bytes than there are."""
    file.seek(0)
    if file.read(4) != b"RIFF":
        return False
    data = next((chunk for chunk in _chunks(file, "little") if chunk.name == b"data"), None)
    return data is not None and data.left < data.length < _STREAMED_BYTES


def stopped_recording(file: BinaryIO) -> StoppedRecording | None:
    """Measure sound behind a data chunk whose size is zero, by its bytes; None for every other file."""
    file.seek(0)
    order = "big" if file.read(4) == b"RIFX" else "little"
    form = long_sizes = b""
    for chunk in _chunks(file, order):
        if chunk.name == b"fmt ":
            form = _content(file, chunk)
        elif chunk.name == b"ds64":
            long_sizes = _content(file, chunk)
        elif chunk.name == b"data":
            is_unknown = chunk.length == 0 or (chunk.length == _IN_LONG_SIZES and long_sizes[8:16] == bytes(8))
            if not is_unknown or len(form) < _FORMAT_BYTES or not _is_sound(file, chunk, order=order):
                return None
            return _measured(form, chunk.left, order=order)
    return None


def _content(file: BinaryIO, chunk: _Chunk) -> bytes:
    file.seek(chunk.start)
    return file.read(_FORMAT_BYTES)


def _chunks(file: BinaryIO, order: str) -> Iterator[_Chunk]:
    size_bytes, position = file.seek(0, 2), _HEAD_BYTES
    while position + 8 <= size_bytes:
        file.seek(position)
        head = file.read(8)
        length = int.from_bytes(head[4:], "big" if order == "big" else "little")
        yield _Chunk(head[:4], start=position + 8, length=length, left=size_bytes - position - 8)
        position += 8 + length + length % 2


def _is_sound(file: BinaryIO, data: _Chunk, *, order: str) -> bool:
    """Tell sound from further chunks, which follow each other to the end of the file."""
    if not data.left:
        return False
    file.seek(data.start)
    head = file.read(8)
    length = int.from_bytes(head[4:8], "big" if order == "big" else "little")
    is_chunk = len(head) == 8 and head[:4].isascii() and head[:4].decode("latin-1").isprintable()  # noqa: PLR2004 - a name and a size
    return not (is_chunk and 8 + length <= data.left)


def _measured(form: bytes, left: int, *, order: str) -> StoppedRecording | None:
    def number(start: int, end: int) -> int:
        return int.from_bytes(form[start:end], "big" if order == "big" else "little")

    channels, sample_rate_hz, bytes_a_second = number(2, 4), number(4, 8), number(8, 12)
    if not channels or not sample_rate_hz or not bytes_a_second:
        return None
    return StoppedRecording(left / bytes_a_second, sample_rate_hz, channels)
