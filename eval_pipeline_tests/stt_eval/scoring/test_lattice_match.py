"""The way that is chosen, against trying every way, NIST's examples and sclite."""

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given

from eval_pipeline.stt_eval.language.alternatives import parse_reference
from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring.alignment import edit_counts
from eval_pipeline.stt_eval.scoring.edits import EditCounts
from eval_pipeline.stt_eval.scoring.lattice import build_lattice, tokens_of
from eval_pipeline.stt_eval.scoring.lattice_characters import character_lattice, characters_of
from eval_pipeline.stt_eval.scoring.lattice_match import closest_path, lattice_edit_counts
from eval_pipeline.stt_eval.scoring.lattice_search import search
from eval_pipeline_tests.stt_eval.sclite import SCLITE, sclite_counts
from eval_pipeline_tests.stt_eval.scoring.references import REFERENCES, TOKENS, lattice_of, planted_reference

with Path(__file__).with_name("data").joinpath("nist_alternates.csv").open(encoding="utf-8", newline="") as _file:
    PUBLISHED = list(csv.DictReader(_file))


def chosen(written: str, hypothesis: str) -> str:
    return " ".join(tokens_of(closest_path(lattice_of(written), hypothesis.split())))


def rank(counts: EditCounts) -> tuple[int, int, int]:
    return counts.edits, -counts.hits, counts.reference_length


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["id"])
def test_published_examples_have_the_counts_of_sclite(row: dict[str, str]) -> None:
    counts = lattice_edit_counts(lattice_of(row["reference"]), row["hypothesis"].split())

    assert counts == EditCounts(*(int(row[name]) for name in "HSDI"))


@pytest.mark.parametrize(
    ("written", "hypothesis", "path"),
    [
        ("{ doctor / डॉक्टर } आया", "डॉक्टर आया", "डॉक्टर आया"),
        ("{ 250 / दो सौ पचास } रुपये", "दो सौ पचास रुपये", "दो सौ पचास रुपये"),
        ("{ uh / @ } yes", "yes", "yes"),
        ("{ uh / @ } yes", "uh yes", "uh yes"),
        ("{ a / b } c", "x c", "a c"),
        ("{ b / a } c", "x c", "b c"),
        ("{ a b / b }", "b x", "b"),
        ("{ c / a b }", "a", "a b"),
        ("{ @ / a }", "", ""),
        ("plain text", "anything else", "plain text"),
    ],
)
def test_fewest_edits_then_most_hits_then_fewest_words_then_the_first(written: str, hypothesis: str, path: str) -> None:
    assert chosen(written, hypothesis) == path


@given(REFERENCES, TOKENS)
def test_no_way_is_closer_than_the_one_chosen(written: str, hypothesis: list[str]) -> None:
    lattice = lattice_of(written)
    counts = lattice_edit_counts(lattice, hypothesis)
    paths = list(lattice.paths())

    assert len(paths) == lattice.ways
    assert closest_path(lattice, hypothesis) in paths
    assert rank(counts) == min(rank(edit_counts(tokens_of(path), hypothesis)) for path in paths)


@given(REFERENCES, TOKENS)
def test_searching_and_trying_choose_the_same_way(written: str, hypothesis: list[str]) -> None:
    lattice = lattice_of(written)
    tried = min(lattice.paths(), key=lambda path: rank(edit_counts(tokens_of(path), hypothesis)))

    assert search(lattice, hypothesis) == tried


def test_more_ways_than_can_be_tried_are_searched() -> None:
    written = " ".join(f"{{ a{number} / b{number} c{number} / @ }}" for number in range(60))
    said = [token for number in range(0, 60, 2) for token in (f"b{number}", f"c{number}")]
    lattice = lattice_of(written)

    assert lattice.ways == 3**60
    assert lattice_edit_counts(lattice, said) == EditCounts(hits=60, substitutions=0, deletions=0, insertions=0)


def test_words_that_left_no_token_are_kept_on_the_path_and_never_scored() -> None:
    def mark(text: str) -> list[Word]:
        return [Word(token=word.strip("—"), surface=word) for word in text.split()]

    lattice = build_lattice(parse_reference("{ — doctor / डॉक्टर } —"), mark)

    assert lattice_edit_counts(lattice, ["doctor"]) == EditCounts(hits=1, substitutions=0, deletions=0, insertions=0)
    assert [word.surface for word in closest_path(lattice, ["doctor"])] == ["—", "doctor", "—"]


@given(REFERENCES, TOKENS)
def test_characters_choose_the_closest_spelling_of_all_ways(written: str, hypothesis: list[str]) -> None:
    lattice, heard = lattice_of(written), " ".join(hypothesis)
    spellings = [characters_of(path) for path in lattice.paths()]
    spelled = character_lattice(lattice)

    assert {"".join(tokens_of(path)) for path in spelled.paths()} == set(spellings)
    assert rank(lattice_edit_counts(spelled, heard)) == min(rank(edit_counts(text, heard)) for text in spellings)


def test_spelling_a_reference_that_may_begin_anywhere_takes_no_exponential_time() -> None:
    spelled = character_lattice(lattice_of("{ { a / @ } / { b / @ } } " * 60))

    assert lattice_edit_counts(spelled, "a b").edits == 0


@pytest.mark.skipif(SCLITE is None, reason="sclite is an oracle where it is installed (Debian: sctk)")
def test_random_references_with_alternatives_have_the_counts_of_sclite() -> None:
    chance = random.Random(3)  # noqa: S311 - repeatable
    pairs = [planted_reference(chance) for _ in range(1_000)]

    for (written, said), theirs in zip(pairs, sclite_counts(pairs), strict=True):
        assert lattice_edit_counts(lattice_of(written), said.split()) == theirs, (written, said)
