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
    pair = PAIRS[name]
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
