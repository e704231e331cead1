"""Small recordings in every format, encoded anew: a tone of 440 Hz."""

from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import soundfile as sf

RATE_HZ = 16_000


def tone(seconds: float = 1.0, *, rate_hz: int = RATE_HZ) -> Any:  # noqa: ANN401 - an array of samples
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)).astype("float32")


@cache
def encoded(audio_format: str, subtype: str | None = None, *, seconds: float = 1.0, endian: str = "FILE") -> bytes:
    """Encode with libsndfile: WAV, RF64, FLAC, OGG, MP3."""
    file = BytesIO()
    sf.write(file, tone(seconds), RATE_HZ, format=audio_format, subtype=subtype, endian=endian)
    return file.getvalue()


@cache
def contained(
    container: str, sound: str | None = None, *, pictures: str | None = None, options: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """Encode one second of sound, pictures or both with FFmpeg at 48,000 Hz."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "recording")  # "faststart" opens it once more
        with av.open(str(path), "w", format=container, options=dict(options)) as output:
            _encode(output, sound=sound, pictures=pictures)
        return path.read_bytes()


def _encode(output: Any, *, sound: str | None, pictures: str | None) -> None:  # noqa: ANN401 - PyAV's own
    audio = None if sound is None else output.add_stream(sound, rate=48_000, layout="mono")
    video = None if pictures is None else output.add_stream(pictures, rate=10, width=64, height=64)
    if video is not None:
        _add_pictures(output, video)
    if audio is not None:
        _add_sound(output, audio)


def _add_pictures(output: Any, stream: Any) -> None:  # noqa: ANN401 - PyAV's own
    stream.pix_fmt = "yuv420p"
    for number in range(10):
        frame = av.VideoFrame.from_ndarray(np.zeros((96, 64), dtype=np.uint8), format="yuv420p")
        frame.pts = number
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _add_sound(output: Any, stream: Any) -> None:  # noqa: ANN401 - PyAV's own
    frame = av.AudioFrame.from_ndarray(tone(rate_hz=48_000).reshape(1, -1), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 48_000, 0
    resampler = av.AudioResampler(format=stream.format, layout="mono", rate=48_000, frame_size=stream.frame_size or 0)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        output.mux(stream.encode(piece))
    output.mux(stream.encode(None))
