"""Lattices too long for one table are searched part by part: a real way, as close as the closest of all."""

import random

import pytest

from eval_pipeline.stt_eval.scoring import lattice_match
from eval_pipeline.stt_eval.scoring.edits import EditCounts
from eval_pipeline.stt_eval.scoring.lattice import Lattice
from eval_pipeline.stt_eval.scoring.lattice_characters import character_lattice
from eval_pipeline.stt_eval.scoring.lattice_match import lattice_edit_counts
from eval_pipeline.stt_eval.scoring.lattice_parts import longest_way
from eval_pipeline_tests.stt_eval.scoring.references import lattice_of, planted_reference


def long_reference(chance: random.Random, *, pieces: int) -> tuple[Lattice, list[str]]:
    planted = [planted_reference(chance) for _ in range(pieces)]
    written, said = (" ".join(texts) for texts in zip(*planted, strict=True))
    return lattice_of(written), said.split()


def by_parts(lattice: Lattice, hypothesis: list[str], *, cells: int) -> EditCounts:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattice_match, "MOST_CELLS", cells)
        patch.setattr(lattice_match, "_MOST_TRIED_CELLS", cells)
        return lattice_edit_counts(lattice, hypothesis)


def test_parts_have_the_counts_of_the_whole() -> None:
    """The small tables fit one part between two rows of hits in most cases, and in some they do not."""
    chance = random.Random(13)  # noqa: S311 - repeatable
    exact = close = 0
    for _ in range(40):
        lattice, said = long_reference(chance, pieces=8)
        whole = lattice_edit_counts(lattice, said)
        parts = by_parts(lattice, said, cells=1_500)
        assert parts.hits + parts.substitutions + parts.insertions == len(said)
        assert whole.edits <= parts.edits <= whole.edits + 3
        exact += parts == whole
        close += by_parts(lattice, said, cells=100).edits <= whole.edits * 1.2 + 3

    assert exact >= 38
    assert close >= 36


def test_alternatives_that_are_long_themselves_are_chosen_part_by_part() -> None:
    first, second = (" ".join(f"{letter}{number}" for number in range(400)) for letter in "ab")
    lattice = lattice_of(f"{{ {first} {{ x / y }} / {second} {{ x / y }} }}")

    assert by_parts(lattice, [*second.split(), "y"], cells=5_000).edits == 0


def test_nothing_alike_and_nothing_heard_come_to_an_end() -> None:
    lattice = lattice_of(" ".join(f"w{number} {{ a / b c / @ }}" for number in range(300)))

    assert by_parts(lattice, ["z"] * 500, cells=1_000).hits == 0
    assert by_parts(lattice, [], cells=1_000) == EditCounts(hits=0, substitutions=0, deletions=300, insertions=0)


def test_a_recording_of_minutes_is_aligned_in_seconds() -> None:
    """The characters of 750 words with alternatives took a minute, and those of an hour never ended."""
    lattice, said = long_reference(random.Random(14), pieces=60)  # noqa: S311 - repeatable
    spelled, heard = character_lattice(lattice), " ".join(said)

    assert longest_way(spelled) * len(heard) > 4 * lattice_match.MOST_CELLS
    assert lattice_edit_counts(lattice, said).edits < len(said) / 3
    assert lattice_edit_counts(spelled, heard).edits < len(heard) / 3
