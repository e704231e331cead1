"""Walks the frames of an MP3: what they are, how many there are, and whether the file ends early.

Decoders estimate the length of a file without a Xing header from its size, tags included, and believe the header of a
file that was cut. The layout of headers is that of ISO/IEC 11172-3 and 13818-3; that of the Xing and LAME tags is what
their encoders write.
"""

import io
from dataclasses import dataclass
from typing import BinaryIO

_HEADER_BYTES = 4
_SEARCHED_BYTES = 8_192
_SYNC = 0x7FF
_LAYER_3 = 1
_MPEG_1 = 3
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MONO = 3
_DELAYS_OFFSET = 21  # in the LAME tag: 12 bits of delay, 12 of padding


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What the four bytes before every frame say."""

    size_bytes: int
    samples: int
    sample_rate_hz: int
    channels: int
    side_bytes: int


@dataclass(frozen=True, slots=True)
class Mp3Facts:
    """What the frames of a file amount to."""

    samples: int
    sample_rate_hz: int
    channels: int
    ends_early: bool
    """The last frame is cut, or there are fewer than the file's own header promises."""


@dataclass(frozen=True, slots=True)
class _Promise:
    """What the Xing header of a file says: frames, and samples at both ends that are no sound."""

    frames: int | None
    silent_samples: int


def read_header(head: bytes) -> FrameHeader | None:
    """Read a frame header of Layer III, or return None when the bytes are none."""
    if len(head) < _HEADER_BYTES or int.from_bytes(head[:2]) >> 5 != _SYNC:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    kbits_index, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if layer != _LAYER_3 or version not in _RATES_HZ or rate_index > 2 or not 1 <= kbits_index <= 14:  # noqa: PLR2004 - the standard's reserved values
        return None
    first = version == _MPEG_1
    samples = 1_152 if first else 576
    rate_hz = _RATES_HZ[version][rate_index]
    kbits = (_KBITS_1 if first else _KBITS_2)[kbits_index - 1]
    channels = 1 if head[3] >> 6 == _MONO else 2
    return FrameHeader(
        size_bytes=samples // 8 * kbits * 1_000 // rate_hz + (head[2] >> 1 & 1),
        samples=samples,
        sample_rate_hz=rate_hz,
        channels=channels,
        side_bytes=((17, 32) if first else (9, 17))[channels - 1],
    )


def first_frame(file: BinaryIO, *, start: int, searched_bytes: int = 0) -> int | None:
    """Return where the first of two frames that follow each other begins, or a single one that ends the file.

    Args:
        file: open for reading.
        start: where to look.
        searched_bytes: how far behind ``start`` it may begin.
    """
    file.seek(start)
    window = file.read(searched_bytes + _HEADER_BYTES)
    for offset in range(len(window) - _HEADER_BYTES + 1):
        header = read_header(window[offset : offset + _HEADER_BYTES])
        if header is not None and _goes_on(file, start + offset + header.size_bytes):
            return start + offset
    return None


def _goes_on(file: BinaryIO, end: int) -> bool:
    file.seek(end)
    following = file.read(_HEADER_BYTES)
    return (
        read_header(following) is not None or following[:3] == b"TAG" or (not following and file.tell() == _size(file))
    )


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)


def read_frames(file: BinaryIO, *, start: int) -> Mp3Facts:
    """Count the frames from ``start``, where one begins, to the end; what is no frame is passed over."""
    size_bytes = _size(file)
    file.seek(start)
    header = read_header(file.read(_HEADER_BYTES))
    if header is None:
        raise ValueError(f"no frame begins at byte {start}")
    file.seek(start)
    promise = _read_promise(file.read(header.size_bytes), header)
    position = start if promise is None else start + header.size_bytes
    frames, end = _count(file, position, size_bytes=size_bytes)
    cut = end > size_bytes or (promise is not None and promise.frames is not None and frames < promise.frames)
    silent = 0 if promise is None or cut else promise.silent_samples
    return Mp3Facts(
        samples=max(0, frames * header.samples - silent),
        sample_rate_hz=header.sample_rate_hz,
        channels=header.channels,
        ends_early=cut,
    )


def _count(file: BinaryIO, position: int, *, size_bytes: int) -> tuple[int, int]:
    """Return how many whole frames there are, and where the last one ends or should have ended."""
    frames = 0
    while position < size_bytes:
        file.seek(position)
        header = read_header(file.read(_HEADER_BYTES))
        if header is None:
            found = first_frame(file, start=position, searched_bytes=_SEARCHED_BYTES)
            if found is None:
                return frames, position
            position = found
            continue
        position += header.size_bytes
        frames += position <= size_bytes
    return frames, position


def _read_promise(frame: bytes, header: FrameHeader) -> _Promise | None:
    tag = frame[_HEADER_BYTES + header.side_bytes :]
    if tag[:4] not in {b"Xing", b"Info"}:
        return None
    flags = int.from_bytes(tag[4:8])
    frames = int.from_bytes(tag[8:12]) if flags & 1 else None
    encoder = tag[8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1) :]
    delays = int.from_bytes(encoder[_DELAYS_OFFSET : _DELAYS_OFFSET + 3]) if encoder[:1].isalpha() else 0
    return _Promise(frames=frames, silent_samples=(delays >> 12) + (delays & 0xFFF))
