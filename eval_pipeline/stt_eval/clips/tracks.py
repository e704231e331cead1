"""What a container can hold, as far as a speech model cares."""

from collections.abc import Set as AbstractSet
from enum import StrEnum

from eval_pipeline.stt_eval.clips.audio_formats import UnusableClipError


class Track(StrEnum):
    """A kind of track."""

    SOUND = "sound"
    PICTURES = "pictures"


def check_tracks(tracks: AbstractSet[Track]) -> tuple[str, ...]:
    """Refuse a container without sound; warn of one with pictures."""
    if Track.SOUND not in tracks:
        problem = "it is a video without sound" if tracks else "it has no audio track"
        raise UnusableClipError(problem, remedy="give a recording with sound, or leave it out")
    if Track.PICTURES in tracks:
        return ("it holds video beside the sound, and is sent as it is",)
    return ()
