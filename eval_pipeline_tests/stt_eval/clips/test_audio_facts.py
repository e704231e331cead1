import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
import soundfile as sf

from eval_pipeline.stt_eval.clips.audio_facts import AudioFacts, audio_facts
from eval_pipeline.stt_eval.clips.audio_formats import UnusableClipError
from eval_pipeline_tests.stt_eval.recordings import RATE_HZ, contained, encoded

EXAMPLES = Path(__file__).parents[3] / "examples" / "speech"
EARLY = "it ends early, after"


def facts(folder: Path, content: bytes) -> AudioFacts:
    path = folder / "clip"
    path.write_bytes(content)
    return audio_facts(path)


@pytest.mark.parametrize(
    "content",
    [
        encoded("WAV"),
        encoded("WAV", "FLOAT"),
        encoded("WAV", "ULAW"),
        encoded("WAVEX"),
        encoded("RF64"),
        encoded("WAV", endian="BIG"),
        encoded("FLAC"),
        encoded("OGG", "VORBIS"),
        encoded("OGG", "OPUS"),
        encoded("MP3"),
    ],
    ids=["wav", "float", "ulaw", "extensible", "rf64", "rifx", "flac", "vorbis", "opus", "mp3"],
)
def test_a_second_of_sound_is_measured_exactly(tmp_path: Path, content: bytes) -> None:
    measured = facts(tmp_path, content)

    assert (measured.duration_s, measured.sample_rate_hz, measured.channels) == (1.0, RATE_HZ, 1)
    assert measured.warnings == ()


@pytest.mark.parametrize(
    "content",
    [
        contained("ipod", "aac"),
        contained("mp4", "aac", options=(("movflags", "frag_keyframe+empty_moov"),)),
        contained("webm", "libopus"),
        contained("webm", "libopus", options=(("live", "1"),)),
    ],
    ids=["m4a", "fragmented", "webm", "live"],
)
def test_containers_are_measured_up_to_the_padding_of_their_codec(tmp_path: Path, content: bytes) -> None:
    measured = facts(tmp_path, content)

    assert measured.duration_s == pytest.approx(1, abs=0.05)
    assert (measured.sample_rate_hz, measured.channels, measured.warnings) == (48_000, 1, ())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.*[3vc]")), ids=lambda path: path.name)
def test_real_recordings_are_measured_as_libsndfile_measures_them(path: Path) -> None:
    info = sf.info(path)
    measured = audio_facts(path)

    assert measured.duration_s == pytest.approx(info.duration, abs=1e-6)
    assert (measured.sample_rate_hz, measured.channels) == (info.samplerate, info.channels)
    assert measured.warnings == ()


def test_an_mp3_without_a_header_of_its_length_is_counted_not_guessed_from_its_size(tmp_path: Path) -> None:
    """The tag counts as sound for libsndfile."""
    frames = contained("mp3", "libmp3lame", options=(("id3v2_version", "0"), ("write_xing", "0")))
    tag = b"ID3\x04\x00\x00" + bytes([0, 1, 0, 0]) + bytes(1 << 14)
    bare, tagged = facts(tmp_path, frames), facts(tmp_path, tag + frames)

    assert bare.duration_s == tagged.duration_s == pytest.approx(1, abs=0.06)
    assert sf.info(BytesIO(tag + frames)).duration > 2


@pytest.mark.parametrize(
    ("content", "share"),
    [(encoded("WAV"), 0.5), (encoded("FLAC"), 0.5), (contained("mp3", "libmp3lame"), 0.5), (encoded("MP3"), 0.6)],
    ids=["wav", "flac", "mp3", "mp3 by libsndfile"],
)
def test_a_clip_that_was_cut_keeps_what_can_be_heard_and_says_so(tmp_path: Path, content: bytes, share: float) -> None:
    measured = facts(tmp_path, content[: int(share * len(content))])

    assert measured.duration_s is not None
    assert 0.1 < measured.duration_s < 0.8
    assert [warning[: len(EARLY)] for warning in measured.warnings] == [EARLY]


def test_a_container_that_was_cut_is_measured_by_its_packets(tmp_path: Path) -> None:
    content = contained("mp4", "aac", options=(("movflags", "frag_keyframe+empty_moov+default_base_moof"),))
    whole = contained("webm", "libopus")
    measured = facts(tmp_path, whole[: len(whole) // 4])

    assert facts(tmp_path, content).warnings == ()
    assert measured.duration_s is not None
    assert measured.duration_s < 0.5
    assert [warning[: len(EARLY)] for warning in measured.warnings] == [EARLY]


def test_a_stream_that_does_not_know_its_length_is_counted(tmp_path: Path) -> None:
    """What ``ffmpeg … -f flac -`` and ``-f wav -`` write into a pipe."""
    flac = bytearray(encoded("FLAC"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    wav = bytearray(encoded("WAV"))
    wav[40:44] = b"\xff\xff\xff\xff"

    for content in (flac, wav):
        measured = facts(tmp_path, bytes(content))
        assert (measured.duration_s, measured.warnings) == (1.0, ())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (encoded("WAV")[:44], "it holds no sound: its duration is 0 s"),
        (encoded("WAV")[:20], "it cannot be decoded"),
        (encoded("OGG", "VORBIS")[:200], "it cannot be decoded"),
        (encoded("FLAC")[:60], "it "),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x99\x99\1\0" + bytes(100), "it cannot be decoded"),
        (contained("mp3", "libmp3lame")[:330], "it holds no sound: its duration is 0 s"),
    ],
    ids=["header alone", "half a header", "ogg", "flac", "unknown codec", "mp3"],
)
def test_a_clip_in_which_nothing_can_be_heard_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(UnusableClipError, match=f"^{problem}.*; export or record it again$"):
        facts(tmp_path, content)


def test_without_the_extra_the_length_of_a_container_is_unknown_and_the_rest_is_measured(tmp_path: Path) -> None:
    (tmp_path / "a.webm").write_bytes(contained("webm", "libopus"))
    (tmp_path / "a.wav").write_bytes(encoded("WAV"))
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from pathlib import Path\n"
        "from eval_pipeline.stt_eval.clips.audio_facts import audio_facts\n"
        f"print(*(audio_facts(Path({str(tmp_path)!r}) / name).duration_s for name in ('a.webm', 'a.wav')))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.split() == ["None", "1.0"]
