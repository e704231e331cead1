"""Measures against the published numbers of jiwer, Hugging Face evaluate, kaldialign, speechbrain and Morris et al."""

import csv
from pathlib import Path

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.stt_eval.scoring.alignment import edit_counts
from eval_pipeline.stt_eval.scoring.edits import EditCounts
from eval_pipeline.stt_eval.scoring.measures import (
    Pooled,
    error_rate,
    information_preserved,
    insertions_on_silence,
    match_error_rate,
    pool,
)

with Path(__file__).with_name("data").joinpath("wer.csv").open(encoding="utf-8", newline="") as _file:
    PUBLISHED = list(csv.DictReader(_file))
COUNTS = st.builds(
    EditCounts,
    hits=st.integers(0, 50),
    substitutions=st.integers(0, 50),
    deletions=st.integers(0, 50),
    insertions=st.integers(0, 50),
)


def counts_of(hits: int = 0, substitutions: int = 0, deletions: int = 0, insertions: int = 0) -> EditCounts:
    return EditCounts(hits=hits, substitutions=substitutions, deletions=deletions, insertions=insertions)


def published_counts(row: dict[str, str]) -> Pooled:
    texts = zip(row["reference"].split("|||"), row["hypothesis"].split("|||"), strict=True)
    words = [(reference.split(), hypothesis.split()) for reference, hypothesis in texts]
    if row["level"].endswith("word"):
        return pool(edit_counts(reference, hypothesis) for reference, hypothesis in words)
    return pool(edit_counts(" ".join(reference), " ".join(hypothesis)) for reference, hypothesis in words)


def agrees(ours: float | None, told: str) -> bool:
    """Compare to as many decimals as were published."""
    decimals = min(len(told.partition(".")[2]), 12)
    return ours is not None and round(ours, decimals) == round(float(told), decimals)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['level']}: {row['reference']} / {row['hypothesis']}")
def test_published_rows_come_out_the_same(row: dict[str, str]) -> None:
    """Where a text is empty we have no value and the sources a convention, which is checked in our own terms."""
    pooled = published_counts(row)
    counts = pooled.counts
    rate = row["wer"] or row["cer"]
    if counts.reference_length:
        assert agrees(error_rate(counts), rate)
    else:
        assert error_rate(counts) is None
        assert pooled.insertions_on_silence == int(rate)
    preserved = information_preserved(counts)
    lost = None if preserved is None else 1 - preserved
    for name, ours in (("mer", match_error_rate(counts)), ("wil", lost)):
        both_empty = not counts.reference_length and not counts.hypothesis_length
        assert not row[name] or (row[name] == "0" and ours is None if both_empty else agrees(ours, row[name])), name
    if row["H"]:
        assert counts == EditCounts(*(int(row[name]) for name in "HSDI"))


def test_every_published_row_was_looked_at() -> None:
    assert len(PUBLISHED) == 43
    assert {row["level"] for row in PUBLISHED} == {"word", "char", "corpus-word", "corpus-char"}


@pytest.mark.parametrize(
    ("counts", "rate", "silence", "mer", "wip"),
    [
        (counts_of(), None, 0, None, None),
        (counts_of(insertions=3), None, 3, 1.0, 0.0),
        (counts_of(deletions=3), 1.0, None, 1.0, 0.0),
        (counts_of(substitutions=2), 1.0, None, 1.0, 0.0),
        (counts_of(hits=4), 0.0, None, 0.0, 1.0),
        (counts_of(hits=1, insertions=3), 3.0, None, 0.75, 0.25),
        (counts_of(hits=3, substitutions=1), 0.25, None, 0.25, 0.5625),
    ],
)
def test_what_has_no_value_is_null_and_not_zero(
    counts: EditCounts, rate: float | None, silence: int | None, mer: float | None, wip: float | None
) -> None:
    assert error_rate(counts) == rate
    assert insertions_on_silence(counts) == silence
    assert match_error_rate(counts) == mer
    assert information_preserved(counts) == wip


@given(COUNTS)
def test_shares_stay_between_zero_and_one(counts: EditCounts) -> None:
    for share in (match_error_rate(counts), information_preserved(counts)):
        assert share is None or 0.0 <= share <= 1.0


@given(st.lists(COUNTS), st.lists(COUNTS))
def test_parts_of_a_corpus_add_up_to_the_whole(one: list[EditCounts], other: list[EditCounts]) -> None:
    whole = pool(one + other)

    assert pool(one) + pool(other) == whole
    assert whole.counts.edits == sum(counts.edits for counts in one + other)
    assert whole.insertions_on_silence == sum(insertions_on_silence(counts) or 0 for counts in one + other)
    assert whole.silent_samples == sum(not counts.reference_length for counts in one + other)
    assert whole.samples == len(one + other)


def test_what_is_heard_in_silence_counts_in_a_corpus_as_it_does_in_jiwer() -> None:
    references, hypotheses = ["a b c d", ""], ["a b c x", "thank you"]
    pooled = pool(edit_counts(one.split(), other.split()) for one, other in zip(references, hypotheses, strict=True))

    assert error_rate(pooled.counts) == jiwer.wer(references, hypotheses) == 0.75
    assert (pooled.silent_samples, pooled.insertions_on_silence) == (1, 2)
