"""Measures a clip: duration, sample rate and channels, and whether its sound ends before its header says.

wav, flac and ogg are read by libsndfile, mp3 frame by frame; m4a and webm need PyAV, 100 MB that not everyone wants:
without it their facts stay unknown. Compressed sound is decoded once (5,000 times as fast as it plays), because a
header goes on promising what was cut off.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import Any, BinaryIO, assert_never

from eval_pipeline.stt_eval.clips.audio_formats import AudioFormat, UnusableClipError, damaged
from eval_pipeline.stt_eval.clips.audio_kind import AudioKind, audio_kind
from eval_pipeline.stt_eval.clips.mp3_frames import read_frames
from eval_pipeline.stt_eval.clips.wav_chunks import promises_more, stopped_recording

NEEDS_PYAV = frozenset({AudioFormat.M4A, AudioFormat.WEBM})
_BLOCK_FRAMES = 4_096
_UNKNOWN_FRAMES = 1 << 62
_NO_SIZE = (
    "its header says that it holds no sound, as a recorder leaves it that was stopped: {seconds:.2f} s were found;"
    " 'ffmpeg -i FILE OUT.wav' writes it anew for models that believe the header"
)
_EARLY_S = 0.5  # containers round, and pad the last packet


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What is known of a clip from its bytes."""

    format: AudioFormat
    duration_s: float | None
    sample_rate_hz: int | None
    channels: int | None
    warnings: tuple[str, ...]


def audio_facts(path: Path, *, most_s: float = inf) -> AudioFacts:
    """Measure a clip; one without sound that can be heard, or that lasts for too long, raises ``UnusableClipError``."""
    facts = _facts(path, most_s=most_s)
    if facts.duration_s is not None and facts.duration_s > most_s:
        raise _too_long(most_s)
    return facts


def _too_long(most_s: float) -> UnusableClipError:
    return UnusableClipError(
        f"it lasts longer than the {most_s:,g} s that are allowed", remedy="cut it, or raise EVAL_STT_MAX_AUDIO_SECONDS"
    )


def _facts(path: Path, *, most_s: float) -> AudioFacts:
    with path.open("rb") as file:
        kind = audio_kind(file)
        match kind.format:
            case AudioFormat.MP3:
                return _mp3(file, kind)
            case AudioFormat.WAV:
                return _wav(path, file, kind=kind)
            case AudioFormat.FLAC | AudioFormat.OGG:
                return _decoded(path, kind, most_s=most_s)
            case AudioFormat.M4A | AudioFormat.WEBM:
                return _contained(path, kind)
            case _:
                assert_never(kind.format)


def can_measure(audio_format: AudioFormat) -> bool:
    """Tell whether durations of this format can be had here."""
    return audio_format not in NEEDS_PYAV or find_spec("av") is not None


def _mp3(file: BinaryIO, kind: AudioKind) -> AudioFacts:
    facts = read_frames(file, start=kind.start)
    duration_s = _duration(facts.samples, facts.sample_rate_hz)
    early = _ends_early(duration_s) if facts.ends_early else ()
    return AudioFacts(kind.format, duration_s, facts.sample_rate_hz, facts.channels, (*kind.warnings, *early))


def _wav(path: Path, file: BinaryIO, *, kind: AudioKind) -> AudioFacts:
    stopped = stopped_recording(file)
    if stopped is not None:
        told = (_NO_SIZE.format(seconds=stopped.duration_s),)
        return AudioFacts(kind.format, stopped.duration_s, stopped.sample_rate_hz, stopped.channels, told)
    with _sound_file(path) as sound:
        duration_s = _duration(sound.frames, sound.samplerate)
        early = _ends_early(duration_s) if promises_more(file) else ()
        return AudioFacts(kind.format, duration_s, sound.samplerate, sound.channels, (*kind.warnings, *early))


def _decoded(path: Path, kind: AudioKind, *, most_s: float) -> AudioFacts:
    with _sound_file(path) as sound:
        frames = _count_frames(sound, most=most_s * sound.samplerate)
        if frames > most_s * sound.samplerate:  # silence is packed so well that counting on takes minutes
            raise _too_long(most_s)
        duration_s = _duration(frames, sound.samplerate)
        early = _ends_early(duration_s) if frames < sound.frames < _UNKNOWN_FRAMES else ()
        return AudioFacts(kind.format, duration_s, sound.samplerate, sound.channels, (*kind.warnings, *early))


def _count_frames(sound: Any, *, most: float) -> int:  # noqa: ANN401 - soundfile ships no types
    """Decode everything, up to so many frames; what can be heard before the first broken frame counts."""
    import soundfile  # noqa: PLC0415 - as above

    frames = 0
    try:
        while frames <= most and (count := len(sound.read(_BLOCK_FRAMES, dtype="int16", always_2d=True))):
            frames += count
    except soundfile.LibsndfileError:
        return frames
    return frames


def _sound_file(path: Path) -> Any:  # noqa: ANN401 - soundfile ships no types
    import soundfile  # noqa: PLC0415 - it brings numpy, 0.4 s: not for whoever only lists datasets

    class Streamed(soundfile.SoundFile):  # type: ignore[misc] # no types
        """Is not sought in after every block, which fails in a file that is cut or does not know its length."""

        def seekable(self) -> bool:
            return False

    try:
        return Streamed(path)
    except soundfile.LibsndfileError as error:
        raise damaged(f"it cannot be decoded ({str(error.error_string).rstrip('.')})") from error


def _contained(path: Path, kind: AudioKind) -> AudioFacts:
    if not can_measure(kind.format):
        return AudioFacts(kind.format, None, None, None, kind.warnings)
    import av  # noqa: PLC0415 - the extra 'audio'

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            return _measured(container, kind)
    except (av.FFmpegError, IndexError) as error:
        reason = getattr(error, "strerror", None) or error
        raise damaged(f"it cannot be decoded ({reason})") from error


def _measured(container: Any, kind: AudioKind) -> AudioFacts:  # noqa: ANN401 - PyAV is optional
    stream = container.streams.audio[0]
    promised_s = container.duration / 1_000_000 if container.duration else None
    ended_s = _packets_end(container, stream)
    duration_s = ended_s if promised_s is None else min(ended_s, promised_s)
    if duration_s <= 0:
        raise damaged("it holds no sound: its duration is 0 s")
    early = _ends_early(duration_s) if promised_s is not None and ended_s < promised_s - _EARLY_S else ()
    context = stream.codec_context
    return AudioFacts(kind.format, duration_s, context.sample_rate, context.channels, (*kind.warnings, *early))


def _packets_end(container: Any, stream: Any) -> float:  # noqa: ANN401 - PyAV is optional
    """Return where the last packet ends; what a cut file promises behind it is not there."""
    end = 0
    for packet in container.demux(stream):
        if packet.pts is not None:
            end = max(end, packet.pts + (packet.duration or 0))
    return float(end * stream.time_base)


def _duration(frames: int, sample_rate_hz: int) -> float:
    if frames <= 0:
        raise damaged("it holds no sound: its duration is 0 s")
    return frames / sample_rate_hz


def _ends_early(duration_s: float) -> tuple[str, ...]:
    return (f"it ends early, after {duration_s:.2f} s: its header promises more",)
