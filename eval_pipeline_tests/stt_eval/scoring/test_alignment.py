"""Counts and alignments against the definition itself and against the programs that the field trusts."""

import random
from collections.abc import Sequence
from itertools import product

import jiwer
import kaldialign
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.stt_eval.scoring.alignment import align, edit_counts
from eval_pipeline.stt_eval.scoring.edits import AlignedToken, Edit, EditCounts
from eval_pipeline_tests.stt_eval.sclite import SCLITE, sclite_counts

quick = settings(deadline=None, derandomize=True)
TOKENS = st.lists(st.sampled_from(["a", "b", "c", "है", "है।"]), max_size=12)
LONG = st.text("abcde", min_size=20, max_size=60)


def by_definition(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    """Go through every alignment: fewest edits, then most hits."""
    row = [(j, 0, EditCounts(hits=0, substitutions=0, deletions=0, insertions=j)) for j in range(len(hypothesis) + 1)]
    for i, spoken in enumerate(reference, 1):
        above, row = row, [(i, 0, EditCounts(hits=0, substitutions=0, deletions=i, insertions=0))]
        for j, heard in enumerate(hypothesis, 1):
            same = spoken == heard
            steps = [
                above[j - 1][2] + EditCounts(hits=same, substitutions=not same, deletions=0, insertions=0),
                above[j][2] + EditCounts(hits=0, substitutions=0, deletions=1, insertions=0),
                row[j - 1][2] + EditCounts(hits=0, substitutions=0, deletions=0, insertions=1),
            ]
            row.append(min(((counts.edits, -counts.hits, counts) for counts in steps), key=lambda step: step[:2]))
    return row[-1][2]


def counted(alignment: Sequence[AlignedToken]) -> EditCounts:
    edits = [token.edit for token in alignment]
    return EditCounts(
        hits=edits.count(Edit.HIT),
        substitutions=edits.count(Edit.SUBSTITUTION),
        deletions=edits.count(Edit.DELETION),
        insertions=edits.count(Edit.INSERTION),
    )


def planted(seed: int, *, utterances: int, share: float) -> list[tuple[list[str], list[str]]]:
    """Return utterances of words that rarely repeat, some replaced, left out or added."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    pairs = []
    for _ in range(utterances):
        reference = [f"w{chance.randrange(3_000)}" for _ in range(chance.randint(1, 25))]
        hypothesis: list[str] = []
        for word in reference:
            lot = chance.random()
            if lot < share / 3:
                hypothesis.append(f"w{chance.randrange(3_000)}")
            elif lot < 2 * share / 3:
                hypothesis += [word, f"w{chance.randrange(3_000)}"]
            elif lot > share:
                hypothesis.append(word)
        pairs.append((reference, hypothesis))
    return pairs


@quick
@given(TOKENS, TOKENS)
def test_counts_have_fewest_edits_and_then_most_hits(reference: list[str], hypothesis: list[str]) -> None:
    assert edit_counts(reference, hypothesis) == by_definition(reference, hypothesis)


def test_the_counts_of_every_short_pair_are_right() -> None:
    texts = ["".join(letters) for length in range(5) for letters in product("abc", repeat=length)]

    for reference, hypothesis in product(texts, texts):
        assert edit_counts(reference, hypothesis) == by_definition(reference, hypothesis), (reference, hypothesis)


@quick
@given(LONG, LONG)
def test_counts_of_long_texts_take_other_routes_to_the_same_numbers(reference: str, hypothesis: str) -> None:
    assert edit_counts(reference, hypothesis) == by_definition(reference, hypothesis)


@quick
@given(LONG, st.lists(st.tuples(st.integers(0, 59), st.sampled_from(["", "a", "ab", "e"])), max_size=6))
def test_counts_of_long_texts_with_few_errors_are_right(reference: str, faults: list[tuple[int, str]]) -> None:
    hypothesis = reference
    for place, written in faults:
        hypothesis = hypothesis[:place] + written + hypothesis[place + 1 :]

    assert edit_counts(reference, hypothesis) == by_definition(reference, hypothesis)


@quick
@given(TOKENS)
def test_a_text_has_no_edits_against_itself(tokens: list[str]) -> None:
    assert edit_counts(tokens, tuple(tokens)) == edit_counts(tokens, tokens)
    assert edit_counts(tokens, tokens) == EditCounts(hits=len(tokens), substitutions=0, deletions=0, insertions=0)


@quick
@given(TOKENS, TOKENS)
def test_what_is_a_deletion_one_way_is_an_insertion_the_other_way(one: list[str], other: list[str]) -> None:
    there, back = edit_counts(one, other), edit_counts(other, one)

    assert (there.deletions, there.insertions) == (back.insertions, back.deletions)
    assert (there.hits, there.substitutions) == (back.hits, back.substitutions)


@quick
@given(TOKENS, TOKENS)
def test_an_alignment_has_the_counts_and_reads_back_as_both_texts(reference: list[str], hypothesis: list[str]) -> None:
    alignment = align(reference, hypothesis)

    assert counted(alignment) == edit_counts(reference, hypothesis)
    assert [token.reference for token in alignment if token.reference is not None] == reference
    assert [token.hypothesis for token in alignment if token.hypothesis is not None] == hypothesis


@quick
@given(TOKENS, TOKENS)
def test_every_aligned_token_agrees_with_its_edit_and_its_places(reference: list[str], hypothesis: list[str]) -> None:
    for token in align(reference, hypothesis):
        assert (token.reference is None) == (token.edit is Edit.INSERTION) == (token.reference_index is None)
        assert (token.hypothesis is None) == (token.edit is Edit.DELETION) == (token.hypothesis_index is None)
        assert token.reference_index is None or reference[token.reference_index] == token.reference
        assert token.hypothesis_index is None or hypothesis[token.hypothesis_index] == token.hypothesis
        assert (token.edit is Edit.HIT) == (token.reference == token.hypothesis)


@quick
@given(TOKENS, TOKENS)
def test_total_edits_are_those_of_kaldialign(reference: list[str], hypothesis: list[str]) -> None:
    assert edit_counts(reference, hypothesis).edits == kaldialign.edit_distance(reference, hypothesis)["total"]


@quick
@given(TOKENS.filter(bool), TOKENS)
def test_total_edits_are_those_of_jiwer(reference: list[str], hypothesis: list[str]) -> None:
    told = jiwer.process_words(" ".join(reference), " ".join(hypothesis))

    assert edit_counts(reference, hypothesis).edits == told.substitutions + told.deletions + told.insertions


def test_a_corpus_of_utterances_has_the_word_error_rate_of_jiwer() -> None:
    pairs = planted(7, utterances=500, share=0.3)
    counts = [edit_counts(reference, hypothesis) for reference, hypothesis in pairs]
    rate = sum(one.edits for one in counts) / sum(one.reference_length for one in counts)

    assert rate == jiwer.wer([" ".join(pair[0]) for pair in pairs], [" ".join(pair[1]) for pair in pairs])


@pytest.mark.skipif(SCLITE is None, reason="sclite is an oracle where it is installed (Debian: sctk)")
def test_realistic_utterances_have_the_counts_of_sclite() -> None:
    """It weighs substitutions 4 and other edits 3; with words that rarely repeat, that is the same optimum."""
    pairs = planted(11, utterances=1_000, share=0.3)
    told = sclite_counts([(" ".join(reference), " ".join(hypothesis)) for reference, hypothesis in pairs])

    for (reference, hypothesis), theirs in zip(pairs, told, strict=True):
        assert edit_counts(reference, hypothesis) == theirs, (reference, hypothesis)


@pytest.mark.skipif(SCLITE is None, reason="sclite is an oracle where it is installed (Debian: sctk)")
def test_on_any_utterances_sclite_never_has_fewer_edits_and_we_never_a_better_sum_of_its_weights() -> None:
    """On two or three different words the optima differ: six substitutions cost sclite as much as eight others."""
    chance = random.Random(12)  # noqa: S311 - repeatable
    pairs = [["".join(chance.choices("abc ", k=chance.randint(1, 30))).split() for _ in range(2)] for _ in range(1_000)]
    told = sclite_counts([(" ".join(reference), " ".join(hypothesis)) for reference, hypothesis in pairs])

    for (reference, hypothesis), theirs in zip(pairs, told, strict=True):
        ours = edit_counts(reference, hypothesis)
        assert ours.edits <= theirs.edits
        assert 3 * ours.edits + ours.substitutions >= 3 * theirs.edits + theirs.substitutions
