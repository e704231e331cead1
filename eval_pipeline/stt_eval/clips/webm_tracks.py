"""Finds which kinds of tracks a WebM file has, without decoding it: EBML, RFC 8794, and Matroska, RFC 9559."""

from collections.abc import Iterator
from typing import BinaryIO

from eval_pipeline.stt_eval.clips.audio_formats import damaged
from eval_pipeline.stt_eval.clips.tracks import Track

_EBML, _DOC_TYPE = 0x1A45DFA3, 0x4282
_SEGMENT, _CLUSTER, _TRACKS, _ENTRY, _TYPE = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0x83
_KINDS = {1: Track.PICTURES, 2: Track.SOUND}
_MAX_ELEMENTS = 10_000
_MAX_TEXT_BYTES = 64


def doc_type(file: BinaryIO, *, size_bytes: int) -> str:
    """Return what the EBML header says the file is: ``webm``, ``matroska`` or something else."""
    for header in _named(file, (0, size_bytes), _EBML):
        for start, end in _named(file, header, _DOC_TYPE):
            file.seek(start)
            return file.read(min(end - start, _MAX_TEXT_BYTES)).rstrip(b"\0").decode("ascii", "replace")
    return ""


def webm_tracks(file: BinaryIO, *, size_bytes: int) -> frozenset[Track]:
    """Return the kinds of tracks that are announced before the first sound."""
    kinds = set()
    for segment in _named(file, (0, size_bytes), _SEGMENT):
        for tracks in _named(file, segment, _TRACKS):
            kinds |= {_KINDS.get(kind) for kind in _track_types(file, tracks)}
            return frozenset(kind for kind in kinds if kind is not None)
    raise damaged("it is a WebM file that does not say which tracks it has, as when it was cut off")


def _track_types(file: BinaryIO, tracks: tuple[int, int]) -> Iterator[int]:
    for entry in _named(file, tracks, _ENTRY):
        for start, end in _named(file, entry, _TYPE):
            file.seek(start)
            yield int.from_bytes(file.read(min(end - start, 8)))


def _named(file: BinaryIO, span: tuple[int, int], wanted: int) -> Iterator[tuple[int, int]]:
    return (content for name, content in _elements(file, span) if name == wanted)


def _elements(file: BinaryIO, span: tuple[int, int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield name and content of each element up to the first cluster, behind which there is sound alone."""
    position, end = span
    for _ in range(_MAX_ELEMENTS):
        file.seek(position)
        name, name_bytes = _number(file.read(8), keep_mark=True)
        file.seek(position + name_bytes)
        size, size_bytes = _number(file.read(8), keep_mark=False)
        content = position + name_bytes + size_bytes
        if not (name_bytes and size_bytes) or content > end or name == _CLUSTER:
            return
        unknown = size == (1 << 7 * size_bytes) - 1  # a live recording: everything to the end
        position = end if unknown else min(end, content + size)
        yield name, (content, position)


def _number(head: bytes, *, keep_mark: bool) -> tuple[int, int]:
    """Read a number of variable length; return it with its length, which is 0 when there is none."""
    length = 9 - head[0].bit_length() if head else 0
    if not 1 <= length <= min(8, len(head)):
        return 0, 0
    value = int.from_bytes(head[:length])
    return (value if keep_mark else value & ((1 << 7 * length) - 1)), length
