"""Texts too long for one table are aligned by parts: nothing is lost, and the edits stay the fewest."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance.Levenshtein import distance

from eval_pipeline.stt_eval.scoring import alignment, alignment_parts
from eval_pipeline.stt_eval.scoring.alignment import align, edit_counts
from eval_pipeline.stt_eval.scoring.alignment_parts import parts_of
from eval_pipeline.stt_eval.scoring.edits import Edit
from eval_pipeline_tests.stt_eval.spoken_corpus import spoken_corpus

texts = st.lists(st.sampled_from("abcd"), max_size=80)
repeatable = settings(max_examples=150, deadline=None, derandomize=True)


@contextmanager
def short_parts(*, exact: bool) -> Iterator[None]:
    """Make everything too long, and parts short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "MOST_CELLS", 600)
        patch.setattr(alignment_parts, "MOST_CELLS", 600)
        patch.setattr(alignment_parts, "_PART", 5)
        patch.setattr(alignment_parts, "_WORDS_IN_A_ROW", 2)
        patch.setattr(alignment_parts, "_MOST_BITS", 10_000 if exact else 0)
        yield


@repeatable
@given(first=texts, second=texts, exact=st.booleans())
def test_parts_are_both_texts_and_their_edits_are_those_of_the_alignment(
    first: list[str], second: list[str], exact: bool
) -> None:
    with short_parts(exact=exact):
        parts = list(parts_of(first, second))
        counts, aligned = edit_counts(first, second), align(first, second)

    assert [token for part in parts for token in first[part.reference]] == first
    assert [token for part in parts for token in second[part.hypothesis]] == second
    assert counts.edits >= distance(first, second)
    if exact:
        assert counts.edits == distance(first, second)
    assert [token.reference for token in aligned if token.edit is not Edit.INSERTION] == first
    assert [token.hypothesis for token in aligned if token.edit is not Edit.DELETION] == second
    assert sum(token.edit is Edit.HIT for token in aligned) == counts.hits
    assert sum(token.edit is not Edit.HIT for token in aligned) == counts.edits


def test_an_hour_of_speech_and_more_is_aligned_with_the_fewest_edits() -> None:
    """100,000 words on either side take some ten seconds; they never ended."""
    corpus = spoken_corpus(3, utterances=1_000, error_rates=(0.2, 0.2))
    first, second = " ".join(corpus.references).split(), " ".join(corpus.first).split()

    counts = edit_counts(first, second)

    assert len(first) * len(second) > alignment_parts.MOST_CELLS
    assert counts.edits == distance(first, second)
    assert sum(token.edit is Edit.HIT for token in align(first, second)) == counts.hits


def test_texts_beyond_that_are_cut_where_words_in_a_row_stand_once_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment_parts, "_MOST_BITS", 0)
    monkeypatch.setattr(alignment, "MOST_CELLS", 2_000_000)
    corpus = spoken_corpus(3, utterances=400, error_rates=(0.1, 0.1))
    first, second = " ".join(corpus.references).split(), " ".join(corpus.first).split()

    parts = list(parts_of(first, second))

    assert len(parts) > 3
    assert max(part.reference.stop - part.reference.start for part in parts) < 1_500
    assert edit_counts(first, second).edits == distance(first, second)
