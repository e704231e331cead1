"""Recordings that players play and decoders refuse; ``files`` holds three from public reports, rewritten small."""

from pathlib import Path

import pytest

from eval_pipeline.stt_eval.clips.audio_facts import audio_facts
from eval_pipeline.stt_eval.clips.audio_formats import AudioFormat, UnusableClipError

FILES = Path(__file__).with_name("files")
WAVE = (FILES / "wav_data_size_0.wav").read_bytes()
WHOLE = WAVE[:40] + (len(WAVE) - 44).to_bytes(4, "little") + WAVE[44:]
MP3 = (FILES / "mp3_600_zero_bytes_first.mp3").read_bytes()[600:]
MP2 = (FILES / "layer2_16khz.mp2").read_bytes()
TAG = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
RF64 = b"RF64" + b"\xff" * 4 + b"WAVEds64" + (28).to_bytes(4, "little")


def written(folder: Path, content: bytes) -> Path:
    path = folder / "clip"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        WAVE,
        WAVE[:4] + bytes(4) + WAVE[8:],
        WAVE[:4] + b"\xff" * 4 + WAVE[8:],
        RF64 + bytes(28) + WAVE[12:40] + b"\xff" * 4 + WAVE[44:],
    ],
    ids=["data size 0", "both sizes 0", "data size 0, RIFF size unknown", "RF64 without sizes"],
)
def test_a_recorder_that_was_stopped_leaves_sound(tmp_path: Path, content: bytes) -> None:
    facts = audio_facts(written(tmp_path, content))

    assert (facts.format, facts.duration_s, facts.sample_rate_hz, facts.channels) == (AudioFormat.WAV, 1.0, 8_000, 1)
    assert "ffmpeg -i FILE OUT.wav" in facts.warnings[0]


@pytest.mark.parametrize(
    "content",
    [
        WHOLE,
        WAVE[:4] + b"\xff" * 4 + WAVE[8:40] + b"\xff" * 4 + WAVE[44:],
        WAVE[:40] + (0x7FFF_F000).to_bytes(4, "little") + WAVE[44:],
    ],
    ids=["whole", "unknown sizes", "streamed"],
)
def test_sizes_that_are_not_known_are_no_trouble(tmp_path: Path, content: bytes) -> None:
    facts = audio_facts(written(tmp_path, content))

    assert (facts.duration_s, facts.warnings) == (1.0, ())


@pytest.mark.parametrize("content", [WAVE[:44], WAVE[:44] + b"LIST\x04\0\0\0abcd"])
def test_a_header_without_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnusableClipError, match="it holds no sound"):
        audio_facts(written(tmp_path, content))


@pytest.mark.parametrize("zeros", [1, 600, 5_000])
def test_an_mp3_behind_zeros_is_found(tmp_path: Path, zeros: int) -> None:
    facts = audio_facts(written(tmp_path, bytes(zeros) + MP3))

    assert (facts.format, facts.duration_s) == (AudioFormat.MP3, 1.152)
    assert facts.warnings == (f"{zeros:,} zero bytes stand before its sound",)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (MP2, "MPEG audio of Layer II (mp2)"),
        (TAG + MP2, "MPEG audio of Layer II (mp2)"),
        (b"\xff\xfd\x90\x04" + bytes(400), "MPEG audio of Layer II (mp2)"),
        (TAG + WHOLE, "a WAVE file with something before it"),
        (bytes(3_000), "not audio but unknown bytes"),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, content: bytes, name: str) -> None:
    with pytest.raises(UnusableClipError) as caught:
        audio_facts(written(tmp_path, content))

    assert f"it is {name}" in str(caught.value)
