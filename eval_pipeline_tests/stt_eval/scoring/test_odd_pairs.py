"""References and transcripts from public reports and trials, each with what is right at ``lenient``.

``cases/stt_pairs.jsonl`` holds them; each stands for a kind, such as markers, data in cells, subtitles, thinking.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.stt_eval.clips.references import reference_text
from eval_pipeline.stt_eval.language.cleaning import clean_transcript
from eval_pipeline.stt_eval.scoring.scores import DAMAGED, NOT_UNDERSTOOD, score_sample

LINES = (Path(__file__).with_name("cases") / "stt_pairs.jsonl").read_text(encoding="utf-8").splitlines()
PAIRS = {pair["id"]: pair for pair in map(json.loads, LINES)}
RIGHT = ["t01", "t04", "t05", "s06", "s26", "s02", "s04", "s01", "s31", "s19"]


def scored(name: str) -> dict[str, Any]:
    return score_of(PAIRS[name])


def score_of(pair: dict[str, Any]) -> dict[str, Any]:
    cleaned = clean_transcript(pair["transcript"])
    heard = {
        **dict.fromkeys(("item_id", "sample_id", "model"), "x"),
        "status": "completed",
        "outcome": "ok",
        "transcript": cleaned.text,
        "cleaned": list(cleaned.removed),
    }
    sample = {"sample_id": "x", "reference": reference_text(pair["reference"])}
    return score_sample(sample, (heard,), language=pair["language"]).rows[-1]


@pytest.mark.parametrize("name", RIGHT)
def test_what_was_said_is_found_whatever_stands_around_it(name: str) -> None:
    row = scored(name)

    assert row["wer"] == 0
    assert row["flags"] == (["thinking"] if name == "s31" else [])


def test_what_cannot_be_scored_says_why_and_what_is_odd_is_flagged() -> None:
    assert scored("s11")["unscored_reason"] == NOT_UNDERSTOOD
    assert scored("s13")["unscored_reason"] == DAMAGED
    assert scored("t10")["insertions_on_silence"] == 2
    assert scored("s09")["flags"] == ["loop"]


def test_whatever_models_put_around_a_transcript_is_taken_off() -> None:
    """Times, speakers, tokens, thinking, JSON, introductions, translations, in the languages of users."""
    lines = (Path(__file__).with_name("cases") / "wrapped_transcripts.jsonl").read_text(encoding="utf-8").splitlines()
    wrong = {pair["transcript"]: row for pair in map(json.loads, lines) if (row := score_of(pair))["wer"] != 0}

    assert len(lines) > 40
    assert wrong == {}


@pytest.mark.parametrize(
    "reference",
    ["*inaudible*", "Inaudible.", "xxx", "[???]", "[not clear]", "[आवाज़ साफ़ नहीं]", "(స్పష్టంగా లేదు)"],
)
def test_a_reference_that_nobody_understood_has_no_score(reference: str) -> None:
    row = score_of({"language": "hi", "reference": reference, "transcript": "कुछ"})

    assert row["unscored_reason"] == NOT_UNDERSTOOD


def test_what_says_that_nothing_was_said_is_silence() -> None:
    assert score_of({"language": "en", "reference": "[no speech]", "transcript": "hello"})["insertions_on_silence"] == 1
    assert score_of({"language": "en", "reference": "", "transcript": "[NO SPEECH]"})["insertions_on_silence"] == 0
