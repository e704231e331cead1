"""Finds which kinds of tracks an MP4 or M4A file has, without decoding it: ISO/IEC 14496-12."""

from collections.abc import Iterator
from typing import BinaryIO

from eval_pipeline.stt_eval.clips.audio_formats import damaged
from eval_pipeline.stt_eval.clips.tracks import Track

_HANDLERS = {b"soun": Track.SOUND, b"vide": Track.PICTURES}
_MAX_BOXES = 10_000
_HANDLER_BYTES = 12


def mp4_tracks(file: BinaryIO, *, size_bytes: int) -> frozenset[Track]:
    """Return the kinds of tracks; a file without its index (``moov``), as one that was cut off, is refused."""
    indexes = [span for name, span in _boxes(file, (0, size_bytes)) if name == b"moov"]
    if not indexes:
        raise damaged("it is an MP4 file without its index ('moov'), as when it was cut off or never finished")
    handlers = [handler for index in indexes for handler in _handlers(file, index)]
    return frozenset(_HANDLERS[handler] for handler in handlers if handler in _HANDLERS)


def _handlers(file: BinaryIO, index: tuple[int, int]) -> Iterator[bytes]:
    for track in _named(file, index, b"trak"):
        for media in _named(file, track, b"mdia"):
            for start, _ in _named(file, media, b"hdlr"):
                file.seek(start)
                yield file.read(_HANDLER_BYTES)[8:]


def _named(file: BinaryIO, span: tuple[int, int], name: bytes) -> list[tuple[int, int]]:
    return [inner for found, inner in _boxes(file, span) if found == name]


def _boxes(file: BinaryIO, span: tuple[int, int]) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield name and content of each box that lies whole in a span."""
    position, end = span
    for _ in range(_MAX_BOXES):
        file.seek(position)
        head = file.read(16)
        if len(head) < 8 or position + 8 > end:  # noqa: PLR2004 - size and name
            return
        size, content = int.from_bytes(head[:4]), position + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16]), position + 16
        following = end if size == 0 else position + size
        if following < content or following > end:
            return
        yield head[4:8], (content, following)
        position = following
