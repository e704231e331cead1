"""Tells by its bytes what a file is; neither its name nor the host's tables are asked.

``filetype`` names what is no audio. It is not asked about what is taken: it calls every WebM and most M4A files video,
every Ogg file audio, knows no RIFX and RF64, and takes ADTS behind an ID3 tag for MP3.
"""

import io
from dataclasses import dataclass
from typing import BinaryIO

from eval_pipeline.stt_eval.clips.audio_formats import FORMAT_NAMES, AudioFormat, UnusableClipError, damaged
from eval_pipeline.stt_eval.clips.mp3_frames import first_frame, read_header
from eval_pipeline.stt_eval.clips.mp4_tracks import mp4_tracks
from eval_pipeline.stt_eval.clips.ogg_streams import PICTURE_CODECS, SOUND_CODECS, ogg_codecs
from eval_pipeline.stt_eval.clips.tracks import Track, check_tracks
from eval_pipeline.stt_eval.clips.webm_tracks import doc_type, webm_tracks

_HEAD_BYTES = 4_096
_PADDING_BYTES = 4_096  # between an ID3 tag and the first frame
_ZEROS_BYTES = 1 << 20
_WAVES = (b"RIFF", b"RIFX", b"RF64")
_OTHER_BRANDS = {
    b"qt  ": "a QuickTime movie",
    b"3gp": "a 3GP recording",
    b"3g2": "a 3GP recording",
    b"heic": "a picture (HEIC)",
    b"heix": "a picture (HEIC)",
    b"mif1": "a picture (HEIF)",
    b"avif": "a picture (AVIF)",
}
_CONVERT = f"give {FORMAT_NAMES}; 'ffmpeg -i FILE OUT.flac' converts most recordings"


@dataclass(frozen=True, slots=True)
class AudioKind:
    """What a file is."""

    format: AudioFormat
    start: int = 0
    """Where its sound begins: behind the ID3 tag of an MP3, or behind zeros."""
    warnings: tuple[str, ...] = ()


def audio_kind(file: BinaryIO) -> AudioKind:
    """Return the format of a file with sound, else raise ``UnusableClipError``."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head[:4] in _WAVES and head[8:12] == b"WAVE":
        return AudioKind(AudioFormat.WAV)
    if head[:4] == b"OggS":
        return _ogg(file)
    if head[4:8] == b"ftyp":
        return _mp4(file, brand=head[8:12])
    if head[:4] == b"\x1aE\xdf\xa3":
        return _webm(file)
    zeros = _leading_zeros(file)
    return _behind_tags(file, start=_id3_bytes(file, start=zeros), head=head, zeros=zeros)


def _ogg(file: BinaryIO) -> AudioKind:
    codecs = ogg_codecs(file)
    sound = [codec for codec in codecs if codec in SOUND_CODECS]
    pictures = {Track.PICTURES} if PICTURE_CODECS.intersection(codecs) else set()
    if not sound and not pictures:
        problem = f"it is Ogg with {' and '.join(codecs) or 'an unknown codec'}, not with Vorbis or Opus"
        raise UnusableClipError(problem, remedy=_CONVERT)
    return AudioKind(AudioFormat.OGG, warnings=check_tracks({Track.SOUND, *pictures} if sound else pictures))


def _mp4(file: BinaryIO, *, brand: bytes) -> AudioKind:
    other = next((name for start, name in _OTHER_BRANDS.items() if brand.startswith(start)), None)
    if other is not None:
        raise UnusableClipError(f"it is {other}, a format that is not taken", remedy=_CONVERT)
    return AudioKind(AudioFormat.M4A, warnings=check_tracks(mp4_tracks(file, size_bytes=_size(file))))


def _webm(file: BinaryIO) -> AudioKind:
    kind = doc_type(file, size_bytes=_size(file))
    if kind != "webm":
        raise UnusableClipError("it is Matroska, not WebM", remedy=_CONVERT)
    return AudioKind(AudioFormat.WEBM, warnings=check_tracks(webm_tracks(file, size_bytes=_size(file))))


def _behind_tags(file: BinaryIO, *, start: int, head: bytes, zeros: int) -> AudioKind:
    """Tell what begins behind ID3 tags, or behind zeros, which players pass over."""
    file.seek(start)
    begin = file.read(12)
    if begin[:4] == b"fLaC" and not zeros:
        return AudioKind(AudioFormat.FLAC, start=start)
    if start and begin[:4] in _WAVES and begin[8:12] == b"WAVE":
        raise UnusableClipError("it is a WAVE file with something before it", remedy="ffmpeg -i FILE OUT.wav mends it")
    if _is_adts(begin):
        raise UnusableClipError(
            "it is AAC without a container (ADTS)", remedy="put it into one: ffmpeg -i FILE -c copy OUT.m4a"
        )
    if layer := _other_layer(begin):
        raise UnusableClipError(f"it is MPEG audio of Layer {layer}, a format that is not taken", remedy=_CONVERT)
    frame = first_frame(file, start=start, searched_bytes=_PADDING_BYTES if start else 0)
    if frame is not None:
        skipped = (f"{zeros:,} zero bytes stand before its sound",) if zeros else ()
        return AudioKind(AudioFormat.MP3, start=frame, warnings=skipped)
    if start > zeros or read_header(begin):
        raise damaged("it begins as an MP3 but has no whole frame")
    raise UnusableClipError(_problem(head), remedy=_CONVERT)


def _leading_zeros(file: BinaryIO) -> int:
    """Count the zero bytes at the beginning, as far as they are looked at; a file of nothing else has none to skip."""
    file.seek(0)
    begin = file.read(_ZEROS_BYTES)
    zeros = len(begin) - len(begin.lstrip(b"\0"))
    return 0 if zeros == len(begin) else zeros


def _id3_bytes(file: BinaryIO, *, start: int) -> int:
    """Return where ID3 tags end that begin at ``start``; their sizes are written in 7 bits a byte."""
    position = start
    while True:
        file.seek(position)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10 or max(head[6:10]) > 0x7F:  # noqa: PLR2004 - the header of a tag
            return position
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        position += 10 + length + (10 if head[5] & 0x10 else 0)


def _other_layer(begin: bytes) -> str | None:
    """Name the layer of an MPEG frame that is not of Layer III; the second byte 0xFE is that of a UTF-16 mark."""
    if len(begin) < 4 or begin[0] != 0xFF or begin[1] & 0xE0 != 0xE0 or begin[1] == 0xFE:  # noqa: PLR2004 - eleven bits of sync
        return None
    version, layer = begin[1] >> 3 & 3, begin[1] >> 1 & 3
    if version == 1 or begin[2] >> 4 in {0, 15} or begin[2] >> 2 & 3 == 3:  # noqa: PLR2004 - the standard's reserved values
        return None
    return {2: "II (mp2)", 3: "I (mp1)"}.get(layer)


def _is_adts(begin: bytes) -> bool:
    return len(begin) > 1 and begin[0] == 0xFF and begin[1] & 0xF6 == 0xF0  # noqa: PLR2004 - twelve bits of sync, layer 0


def _problem(head: bytes) -> str:
    """Say what the bytes of something else are."""
    import filetype  # noqa: PLC0415 - only what is refused is looked up

    if not head:
        return "it is empty (0 bytes)"
    known = filetype.guess(head)
    if known is not None and known.mime.startswith(("audio/", "video/")):
        return f"it is {known.mime}, a format that is not taken"
    return f"it is not audio but {known.mime if known else 'text' if _is_text(head) else 'unknown bytes'}"


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and bool(head.strip()) and all(byte >= 32 or byte in b"\t\n\r\f" for byte in head[:512])  # noqa: PLR2004 - control characters


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)
