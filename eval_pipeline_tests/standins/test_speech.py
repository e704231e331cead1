"""What is heard is told, so that a test can compare counts exactly; and what is recorded is read or refused."""

from pathlib import Path

import httpx
import jiwer
import pytest

from eval_pipeline.standins.audio import kind_of, read_clip, read_clip_file
from eval_pipeline.standins.replay import RecordingError
from eval_pipeline.standins.speech import ErrorRatesError, Speech, read_rates, read_speech
from eval_pipeline.standins.speech_errors import ErrorRates
from eval_pipeline_tests.standins.speaking import CLIPS, NAMES, RECORDED_CLIPS, REFERENCES, clip

MODEL = "gemini-2.5-flash"


def test_the_control_url_tells_the_errors_of_every_clip_and_model(gemini_api: httpx.Client) -> None:
    gemini_api.post("/__standin__/error_rates", json={"*": {"substitutions": 0.5, "deletions": 0.3}})

    told = gemini_api.get("/__standin__/transcripts", params={"model": ["a", "b"]}).json()

    assert [(entry["model"], entry["sha256"]) for entry in told] == [(m, name) for m in ("a", "b") for name in NAMES]
    for entry in told[:2]:
        counted = jiwer.process_words(entry["reference"], entry["transcript"])
        assert counted.substitutions == entry["substitutions"] > 0
        assert (counted.deletions, counted.insertions) == (entry["deletions"], entry["insertions"])


def test_a_model_can_have_rates_of_its_own() -> None:
    speech = Speech(RECORDED_CLIPS, {"good": ErrorRates(substitutions=0, deletions=0, insertions=0), "*": ErrorRates()})

    assert speech.hear("good", read_clip(CLIPS[0])) == REFERENCES[0]


def test_an_unknown_clip_is_heard_as_words_of_its_own_and_nothing_is_told_of_it() -> None:
    unknown = read_clip(clip(99))

    assert unknown.sha256[:12] in Speech(RECORDED_CLIPS).hear(MODEL, unknown)
    assert Speech(RECORDED_CLIPS).planted(MODEL, unknown.sha256) is None


def test_recordings_are_read_with_what_may_be_absent(tmp_path: Path) -> None:
    path = tmp_path / "clips.jsonl"
    path.write_text(f'{{"sha256": "{NAMES[0]}", "reference": "नमस्ते", "language": "hi", "duration_s": 2.5}}\n')

    speech = Speech(read_speech(path))

    assert speech.seconds(read_clip(CLIPS[0])) == 2.5
    assert speech.language(read_clip(CLIPS[0])) == "hi"
    assert speech.language(read_clip(CLIPS[1])) == "en"


@pytest.mark.parametrize(
    "line",
    ["nonsense", "[]", '{"reference": "x"}', '{"sha256": "short"}', f'{{"sha256": "{"0" * 64}", "reference": 5}}'],
)
def test_a_line_that_is_no_recording_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "clips.jsonl"
    path.write_text(f"{line}\n")

    with pytest.raises(RecordingError, match="line 1 is no recorded clip"):
        read_speech(path)


@pytest.mark.parametrize("document", [[], {"m": 1}, {"m": {"subs": 0.1}}, {"m": {"deletions": 2}}])
def test_rates_that_make_no_sense_are_refused(gemini_api: httpx.Client, document: object) -> None:
    with pytest.raises(ErrorRatesError):
        read_rates(document)
    assert gemini_api.post("/__standin__/error_rates", json=document).status_code == 400


def test_a_wav_file_says_how_long_it_lasts_in_memory_and_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "clip"
    path.write_bytes(clip(5, seconds=1.5))

    assert read_clip_file(path) == read_clip(path.read_bytes())
    assert read_clip_file(path).seconds == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (CLIPS[0], "wav"),
        (b"fLaC\0", "flac"),
        (b"OggS\0", "ogg"),
        (b"ID3\x04", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"\0\0\0\x20ftypM4A ", "m4a"),
        (b"\x1a\x45\xdf\xa3", "webm"),
        (b"Dear sirs", None),
        (b"", None),
    ],
)
def test_kinds_are_told_by_their_first_bytes(head: bytes, kind: str | None) -> None:
    assert kind_of(head) == kind
