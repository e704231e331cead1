"""What is shown of an audio dataset: counts, durations, languages, formats."""

from collections.abc import Mapping

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.stt_eval.clips.stored_manifest import AudioManifest


def audio_json(manifest: AudioManifest) -> JsonDict:
    """Return the JSON form of what a stored version holds."""
    return {
        "samples": manifest.samples,
        "clips": manifest.clips,
        "size_bytes": manifest.size_bytes,
        "duration_s": manifest.duration_s,
        "unknown_durations": manifest.unknown_durations,
        "labelled": manifest.labelled,
        "unlabelled": manifest.unlabelled,
        "silent": manifest.silent,
        "languages": dict(manifest.languages),
        "formats": dict(manifest.formats),
    }


def audio_lines(manifest: AudioManifest) -> list[str]:
    """Return the same for people."""
    unknown = f" and {manifest.unknown_durations:,} of unknown duration" if manifest.unknown_durations else ""
    clips = f"{counted(manifest.clips, 'clip')}, {counted(manifest.size_bytes, 'byte')}"
    return [
        f"{_clock(manifest.duration_s)} of sound{unknown} in {clips}",
        f"{manifest.labelled:,} labelled ({manifest.silent:,} as silence), {manifest.unlabelled:,} unlabelled",
        f"languages {_counts(manifest.languages)}; formats {_counts(manifest.formats)}",
    ]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _clock(seconds: float) -> str:
    """Write a duration as people read it.

    >>> _clock(3_725.4)
    '1:02:05'
    """
    whole = round(seconds)
    return f"{whole // 3_600}:{whole // 60 % 60:02}:{whole % 60:02}"
