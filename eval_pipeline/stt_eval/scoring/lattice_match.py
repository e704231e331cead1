"""The way through a lattice that a hypothesis comes closest to, with its counts and alignment.

A lattice only chooses: with its way chosen, reference and hypothesis are two plain sequences, counted and aligned like
all others. Of all ways it is the one with fewest edits, then most hits, then fewest words, then the alternatives that
are written first. (With edits and hits equal, deletions are too, and fewer words are fewer substitutions and more
insertions: what the weights of sclite prefer as well.)
"""

from collections.abc import Sequence
from typing import Final

from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring.alignment import edit_counts
from eval_pipeline.stt_eval.scoring.edits import EditCounts
from eval_pipeline.stt_eval.scoring.lattice import Lattice, tokens_of
from eval_pipeline.stt_eval.scoring.lattice_parts import by_parts, longest_way
from eval_pipeline.stt_eval.scoring.lattice_search import search

_MOST_TRIED: Final = 64
"""So many ways are simply tried, some 5 µs each; a search through the table of a larger lattice takes milliseconds."""


MOST_CELLS: Final = 4_000_000
"""Words of the lattice times words of the hypothesis that are searched at once, in some four seconds."""
_MOST_TRIED_CELLS: Final = 500_000_000
"""The same times the ways, where each is tried."""


def closest_path(lattice: Lattice, hypothesis: Sequence[str]) -> tuple[Word, ...]:
    """Choose the way that the hypothesis comes closest to; free of cost where there is but one.

    Very long texts are chosen for part by part: see ``lattice_parts``.
    """
    ways = lattice.ways
    if ways == 1:
        return next(lattice.paths())
    cells = longest_way(lattice) * len(hypothesis)
    if cells > MOST_CELLS and (ways > _MOST_TRIED or ways * cells > _MOST_TRIED_CELLS):
        return by_parts(lattice, hypothesis, choose=_closest, is_short=_is_short)
    return _closest(lattice, hypothesis)


def _is_short(words: int, heard: int) -> bool:
    return words * heard <= MOST_CELLS


def _closest(lattice: Lattice, hypothesis: Sequence[str]) -> tuple[Word, ...]:
    ways = lattice.ways
    if ways == 1:
        return next(lattice.paths())
    if ways > _MOST_TRIED:
        return search(lattice, hypothesis)
    return min(lattice.paths(), key=lambda path: _rank(tokens_of(path), hypothesis))


def _rank(tokens: tuple[str, ...], hypothesis: Sequence[str]) -> tuple[int, int, int]:
    counts = edit_counts(tokens, hypothesis)
    return counts.edits, -counts.hits, len(tokens)


def lattice_edit_counts(lattice: Lattice, hypothesis: Sequence[str]) -> EditCounts:
    """Count the edits against the closest way."""
    return edit_counts(tokens_of(closest_path(lattice, hypothesis)), hypothesis)
