"""What the stand-ins know of a clip: its kind by magic bytes, and how long it is said to last.

A wav file says its duration itself; every other kind lasts a second for each 16,000 bytes, a rule that can be
recomputed anywhere, unless the recordings know better.
"""

import math
import struct
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

BYTES_PER_SECOND = 16_000
HEAD_BYTES = 4096
_MP3_SYNC = 0xE0
_RATE_AT, _DATA_HEAD_BYTES = 12, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip as the stand-ins know it; ``kind`` is None when it is no audio."""

    sha256: str
    kind: str | None
    size_bytes: int
    seconds: float


def read_clip(data: bytes) -> Clip:
    """Look at a clip in memory."""
    return _clip(sha256(data).hexdigest(), data[:HEAD_BYTES], len(data))


def read_clip_file(path: Path) -> Clip:
    """Look at a clip on disk without holding it whole in memory."""
    digest = sha256()
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        digest.update(head)
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return _clip(digest.hexdigest(), head, path.stat().st_size)


def _clip(digest: str, head: bytes, size_bytes: int) -> Clip:
    kind = kind_of(head)
    per_second = _wav_bytes_per_second(head) if kind == "wav" else None
    return Clip(sha256=digest, kind=kind, size_bytes=size_bytes, seconds=size_bytes / (per_second or BYTES_PER_SECOND))


def kind_of(head: bytes) -> str | None:
    """Return the kind of audio that these first bytes begin."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "m4a"
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & _MP3_SYNC == _MP3_SYNC):  # noqa: PLR2004
        return "mp3"
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


_MAGIC = {b"fLaC": "flac", b"OggS": "ogg", b"\x1a\x45\xdf\xa3": "webm"}


def _wav_bytes_per_second(head: bytes) -> int | None:
    at = head.find(b"fmt ")
    rate = head[at + _DATA_HEAD_BYTES : at + _DATA_HEAD_BYTES + _RATE_AT]
    if at < 0 or len(rate) < _RATE_AT:
        return None
    return int(struct.unpack("<HHII", rate)[3])


def audio_tokens(seconds: float, *, per_second: int) -> int:
    """Return the tokens of so many seconds, begun ones counted whole."""
    return max(1, math.ceil(round(seconds * per_second, 6)))
