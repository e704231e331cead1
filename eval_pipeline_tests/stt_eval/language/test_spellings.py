"""Pairs of spellings, each with the level from which on they are one: Unicode's two ways, and people's habits.

``spellings.csv`` names why; its first 22 rows are from trials of the pipeline, the others are our own.
"""

import csv
from pathlib import Path

import pytest

from eval_pipeline.stt_eval.language.normalisation import Level, normalise

ROWS = list(csv.DictReader(Path(__file__).with_name("spellings.csv").read_text(encoding="utf-8").splitlines()))
EQUAL = {"standard": [False, True, True], "lenient": [False, False, True], "never": [False, False, False]}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['language']} {row['why']}")
def test_two_spellings_are_one_from_their_level_on(row: dict[str, str]) -> None:
    one, other = ([normalise(row[side], level, language=row["language"]) for level in Level] for side in ("a", "b"))

    assert [first == second for first, second in zip(one, other, strict=True)] == EQUAL[row["same_at"]]
