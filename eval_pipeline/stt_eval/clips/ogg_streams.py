"""Finds which codecs an Ogg file holds, from the pages with which its streams begin: RFC 3533."""

from typing import BinaryIO

_PAGE_BYTES = 27
_BEGINS_STREAM = 2
_MAX_STREAMS = 64
_NAME_BYTES = 8
_CODECS = {
    b"\x01vorbis": "Vorbis",
    b"OpusHead": "Opus",
    b"\x80theora": "Theora",
    b"\x7fFLAC": "FLAC",
    b"Speex   ": "Speex",
    b"BBCD\0": "Dirac",
}
SOUND_CODECS = frozenset({"Vorbis", "Opus"})
PICTURE_CODECS = frozenset({"Theora", "Dirac"})


def ogg_codecs(file: BinaryIO) -> list[str]:
    """Name the codecs of all streams that are known; metadata streams are left out."""
    found = []
    file.seek(0)
    for _ in range(_MAX_STREAMS):
        page = file.read(_PAGE_BYTES)
        if len(page) < _PAGE_BYTES or page[:4] != b"OggS" or not page[5] & _BEGINS_STREAM:
            break
        content = file.read(sum(file.read(page[26])))
        found += [name for start, name in _CODECS.items() if content[:_NAME_BYTES].startswith(start)]
    return found
