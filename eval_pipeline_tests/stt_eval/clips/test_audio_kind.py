from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.stt_eval.clips.audio_formats import MIME_TYPES, AudioFormat, UnusableClipError
from eval_pipeline.stt_eval.clips.audio_kind import audio_kind
from eval_pipeline.stt_eval.clips.mp3_frames import read_header
from eval_pipeline_tests.stt_eval.recordings import contained, encoded

LIVE = (("live", "1"),)
PICTURES = ("it holds video beside the sound, and is sent as it is",)


def id3(content: bytes, *, padding: int = 0) -> bytes:
    """Put an ID3v2.4 tag of 300 bytes in front."""
    return b"ID3\x04\x00\x00" + bytes([0, 0, 300 >> 7, 300 & 0x7F]) + bytes(300) + bytes(padding) + content


def mp3_without_header() -> bytes:
    return contained("mp3", "libmp3lame", options=(("id3v2_version", "0"), ("write_xing", "0")))


TAKEN = {
    "wav": (encoded("WAV"), AudioFormat.WAV),
    "wav, extensible": (encoded("WAVEX"), AudioFormat.WAV),
    "wav, big-endian (RIFX)": (encoded("WAV", endian="BIG"), AudioFormat.WAV),
    "wav, 64-bit (RF64)": (encoded("RF64"), AudioFormat.WAV),
    "flac": (encoded("FLAC"), AudioFormat.FLAC),
    "flac behind an ID3 tag": (id3(encoded("FLAC")), AudioFormat.FLAC),
    "mp3 with a Xing header": (encoded("MP3"), AudioFormat.MP3),
    "mp3 with an ID3 tag": (contained("mp3", "libmp3lame"), AudioFormat.MP3),
    "mp3 with a tag and padding": (id3(mp3_without_header(), padding=700), AudioFormat.MP3),
    "mp3, frames alone": (mp3_without_header(), AudioFormat.MP3),
    "ogg vorbis": (encoded("OGG", "VORBIS"), AudioFormat.OGG),
    "ogg opus": (encoded("OGG", "OPUS"), AudioFormat.OGG),
    "m4a, brand M4A": (contained("ipod", "aac"), AudioFormat.M4A),
    "m4a, brand isom": (contained("mp4", "aac"), AudioFormat.M4A),
    "m4a, brand mp42": (contained("mp4", "aac", options=(("brand", "mp42"),)), AudioFormat.M4A),
    "m4a, index first": (contained("mp4", "aac", options=(("movflags", "faststart"),)), AudioFormat.M4A),
    "m4a, fragmented": (contained("mp4", "aac", options=(("movflags", "frag_keyframe+empty_moov"),)), AudioFormat.M4A),
    "webm opus": (contained("webm", "libopus"), AudioFormat.WEBM),
    "webm, live": (contained("webm", "libopus", options=LIVE), AudioFormat.WEBM),
}
REFUSED = {
    "nothing": (b"", "it is empty (0 bytes)"),
    "text": ("नमस्ते, this is text\n".encode(), "it is not audio but text"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "it is not audio but image/png"),
    "a document": (b"%PDF-1.7\n" + bytes(range(256)), "it is not audio but application/pdf"),
    "zeros": (bytes(5_000), "it is not audio but unknown bytes"),
    "text in UTF-16": ("hello".encode("utf-16"), "it is not audio but unknown bytes"),
    "aac without a container": (contained("adts", "aac"), "it is AAC without a container (ADTS)"),
    "aac behind an ID3 tag": (id3(contained("adts", "aac")), "it is AAC without a container (ADTS)"),
    "mp2": (contained("mp2", "mp2"), "it is MPEG audio of Layer II (mp2), a format that is not taken"),
    "aiff": (contained("aiff", "pcm_s16be"), "it is audio/x-aiff, a format that is not taken"),
    "ogg flac": (contained("ogg", "flac"), "it is Ogg with FLAC, not with Vorbis or Opus"),
    "ogg theora alone": (
        b"OggS\0\2" + bytes(20) + b"\1\7" + b"\x80theora",
        "it is a video without sound",
    ),
    "quicktime": (contained("mov", "aac"), "it is a QuickTime movie, a format that is not taken"),
    "3gp": (contained("3gp", "aac"), "it is a 3GP recording, a format that is not taken"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(40), "it is a picture (HEIC), a format that is not taken"),
    "matroska": (contained("matroska", "libopus"), "it is Matroska, not WebM"),
    "mp4 without sound": (contained("mp4", pictures="mpeg4"), "it is a video without sound"),
    "webm without sound": (contained("webm", pictures="libvpx"), "it is a video without sound"),
    "mp4 that was cut": (contained("mp4", "aac")[:3_000], "it is an MP4 file without its index"),
    "webm that was cut": (contained("webm", "libopus")[:60], "it is a WebM file that does not say which tracks"),
    "mp3 that was cut in its first frame": (encoded("MP3")[:90], "it begins as an MP3 but has no whole frame"),
    "an ID3 tag alone": (id3(b""), "it begins as an MP3 but has no whole frame"),
    "an ID3 tag longer than the file": (id3(b"")[:100], "it begins as an MP3 but has no whole frame"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_bytes_decide_what_a_clip_is(name: str) -> None:
    content, expected = TAKEN[name]
    kind = audio_kind(BytesIO(content))

    assert (kind.format, kind.warnings) == (expected, ())


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_clip_is_named_with_a_remedy(name: str) -> None:
    content, problem = REFUSED[name]
    with pytest.raises(UnusableClipError) as caught:
        audio_kind(BytesIO(content))

    told, _, remedy = str(caught.value).partition("; ")
    assert told.startswith(problem)
    assert remedy


@pytest.mark.parametrize(
    "content",
    [contained("mp4", "aac", pictures="mpeg4"), contained("webm", "libopus", pictures="libvpx")],
    ids=["mp4", "webm"],
)
def test_a_video_with_sound_is_taken_with_a_warning(content: bytes) -> None:
    assert audio_kind(BytesIO(content)).warnings == PICTURES


def test_every_format_has_its_own_mime_type_whatever_the_host_says() -> None:
    assert {str(audio_format): mime for audio_format, mime in MIME_TYPES.items()} == {
        "mp3": "audio/mpeg",
        "wav": "audio/wav",
        "flac": "audio/flac",
        "m4a": "audio/mp4",
        "ogg": "audio/ogg",
        "webm": "audio/webm",
    }
    assert set(MIME_TYPES) == set(AudioFormat)


@pytest.mark.parametrize("head", [b"\xff\xfb\x00\xc4", b"\xff\xfb\xf4\xc4", b"\xff\xfb\x5c\xc4", b"\xff\xeb\x54\xc4"])
def test_reserved_values_are_no_frame(head: bytes) -> None:
    assert read_header(b"\xff\xfb\x54\xc4") is not None
    assert read_header(head) is None


BEGINNINGS = st.sampled_from([b"", b"RIFF....WAVE", b"OggS\0\2", b"\0\0\0\x1cftypM4A ", b"\x1aE\xdf\xa3", b"ID3\4\0\0"])


@settings(derandomize=True, max_examples=300, deadline=None, database=None)
@given(begin=BEGINNINGS, rest=st.binary(max_size=400), cut=st.integers(0, 20_000), name=st.sampled_from([*TAKEN]))
def test_whatever_the_bytes_the_answer_is_a_format_or_a_reason(begin: bytes, rest: bytes, cut: int, name: str) -> None:
    for content in (begin + rest, TAKEN[name][0][:cut] + rest):
        with suppress(UnusableClipError):
            assert audio_kind(BytesIO(content)).format in AudioFormat
