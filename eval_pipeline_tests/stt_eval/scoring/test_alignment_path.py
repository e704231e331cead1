"""Which alignment is chosen among equals, against the definition written out and against sclite."""

import random
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.stt_eval.scoring.alignment import edit_counts
from eval_pipeline.stt_eval.scoring.alignment_path import path_of
from eval_pipeline_tests.stt_eval.sc_stats import EDITS
from eval_pipeline_tests.stt_eval.sclite import SCLITE, sclite_codes

LETTERS = {edit: letter for letter, edit in EDITS.items()}
quick = settings(deadline=None, derandomize=True)
TEXTS = st.text("abcd", max_size=14)
FAULTS = st.lists(st.tuples(st.integers(0, 39), st.sampled_from(["", "a", "ab", "e"])), max_size=6)


def codes(reference: Sequence[str], hypothesis: Sequence[str]) -> str:
    return "".join(LETTERS[edit] for edit in path_of(reference, hypothesis))


def by_definition(reference: Sequence[str], hypothesis: Sequence[str]) -> str:
    """Cost every pair of beginnings, then go back from the end: diagonal, insertion, deletion."""
    costs: dict[tuple[int, int], tuple[int, int]] = {(0, 0): (0, 0)}

    def step(code: str, i: int, j: int) -> tuple[int, int]:
        edits, replaced = costs.get((i, j), (1_000_000, 0))
        return edits + (code != "C"), replaced + (code == "S")

    def steps(i: int, j: int) -> list[tuple[str, int, int]]:
        diagonal = "C" if i and j and reference[i - 1] == hypothesis[j - 1] else "S"
        return [(diagonal, i - 1, j - 1), ("I", i, j - 1), ("D", i - 1, j)]

    for i, j in list(product(range(len(reference) + 1), range(len(hypothesis) + 1)))[1:]:
        costs[i, j] = min(step(*before) for before in steps(i, j))
    path, place = "", (len(reference), len(hypothesis))
    while place != (0, 0):
        code, *before = next(before for before in steps(*place) if step(*before) == costs[place])
        path, place = code + path, (before[0], before[1])
    return path


@pytest.mark.parametrize(
    ("reference", "hypothesis", "path"),
    [
        ("a", "aa", "IC"),
        ("aa", "a", "DC"),
        ("a", "xy", "IS"),
        ("ab", "x", "DS"),
        ("ax", "aay", "ICS"),
        ("ab", "ba", "DCI"),
        ("", "xy", "II"),
        ("xy", "", "DD"),
        ("", "", ""),
    ],
)
def test_ties_are_broken_from_the_end(reference: str, hypothesis: str, path: str) -> None:
    assert codes(reference, hypothesis) == path


@quick
@given(TEXTS, TEXTS)
def test_the_path_is_that_of_the_definition(reference: str, hypothesis: str) -> None:
    assert codes(reference, hypothesis) == by_definition(reference, hypothesis)


@quick
@given(st.text("abcde", min_size=20, max_size=40), FAULTS)
def test_the_path_of_texts_with_few_errors_is_that_of_the_definition(
    reference: str, faults: list[tuple[int, str]]
) -> None:
    hypothesis = reference
    for place, written in faults:
        hypothesis = hypothesis[:place] + written + hypothesis[place + 1 :]

    assert codes(reference, hypothesis) == by_definition(reference, hypothesis)


def test_the_path_of_every_short_pair_is_that_of_the_definition() -> None:
    texts = ["".join(letters) for length in range(5) for letters in product("ab", repeat=length)]

    for reference, hypothesis in product(texts, texts):
        assert codes(reference, hypothesis) == by_definition(reference, hypothesis), (reference, hypothesis)


def test_a_table_too_large_to_keep_has_the_path_of_the_definition() -> None:
    chance = random.Random(4)  # noqa: S311 - repeatable
    reference, hypothesis = ([f"w{chance.randrange(40)}" for _ in range(length)] for length in (600, 700))
    path = codes(reference, hypothesis)

    assert path == by_definition(reference, hypothesis)
    assert path.count("C") == edit_counts(reference, hypothesis).hits


def test_a_long_text_with_few_errors_has_the_only_path_that_there_is() -> None:
    """Of 4,000 different words every 40th is replaced, left out or followed by another; the band is narrow."""
    reference = [f"w{number}" for number in range(4_000)]
    hypothesis: list[str] = []
    path = ""
    for number, word in enumerate(reference):
        code = "SDI"[number // 40 % 3] if number % 40 == 5 else "C"
        hypothesis += {"C": [word], "S": [f"x{number}"], "D": [], "I": [word, f"x{number}"]}[code]
        path += "CI" if code == "I" else code

    assert codes(reference, hypothesis) == path


@pytest.mark.skipif(SCLITE is None, reason="sclite is an oracle where it is installed (Debian: sctk)")
@pytest.mark.parametrize("letters", ["abc", "abcdefgh"])
def test_where_sclite_has_the_fewest_edits_too_its_alignment_is_ours(letters: str) -> None:
    """Where it has more (about one pair of random letters in a hundred), three substitutions cost it as much."""
    chance = random.Random(13)  # noqa: S311 - repeatable
    pairs = [tuple(chance.choices(letters, k=chance.randint(1, 12)) for _ in range(2)) for _ in range(1_000)]
    told = sclite_codes([(" ".join(reference), " ".join(hypothesis)) for reference, hypothesis in pairs])
    same = [
        (codes(*pair), theirs)
        for pair, theirs in zip(pairs, told, strict=True)
        if len(theirs) - theirs.count("C") == edit_counts(*pair).edits
    ]

    assert [ours for ours, _ in same] == [theirs for _, theirs in same]
    assert len(same) > 970
