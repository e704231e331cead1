"""The formats in which clips are taken, with the MIME types that providers are told.

The table is our own: ``mimetypes`` reads the host's files, and says different things of m4a and webm on each.
"""

from collections.abc import Mapping
from enum import StrEnum


class AudioFormat(StrEnum):
    """A container that speech models take; its value is also the suffix of stored clips."""

    MP3 = "mp3"
    WAV = "wav"
    FLAC = "flac"
    M4A = "m4a"
    OGG = "ogg"
    WEBM = "webm"


MIME_TYPES: Mapping[AudioFormat, str] = {
    AudioFormat.MP3: "audio/mpeg",
    AudioFormat.WAV: "audio/wav",
    AudioFormat.FLAC: "audio/flac",
    AudioFormat.M4A: "audio/mp4",
    AudioFormat.OGG: "audio/ogg",
    AudioFormat.WEBM: "audio/webm",
}
FORMAT_NAMES = ", ".join(AudioFormat)


class UnusableClipError(Exception):
    """A file that cannot be a clip: what is wrong with it and what to do; whoever asked knows its name."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")


def damaged(problem: str) -> UnusableClipError:
    """Build the error of a file of a known format whose sound cannot be had."""
    return UnusableClipError(problem, remedy="export or record it again")
