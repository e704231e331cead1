"""The closest way through a lattice that has too many ways to try each: a table of costs, backwards over its tree.

A cell holds what the rest costs from one place of the lattice and of the hypothesis, and which alternatives it takes.
Cells compare as ``lattice_match`` ranks ways: by edits, hits, words, then by the alternatives in their order.
"""

from collections.abc import Iterator, Sequence

from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring.lattice import Fork, Lattice

_WORD = 1
_HIT = (1 << 24) * -1 + _WORD
"""A hit weighs more than all words of a reference, an edit more than all hits."""
_INSERTION = 1 << 48
_DELETION = _SUBSTITUTION = _INSERTION + _WORD

_Cell = tuple[int, tuple[int, ...]]


def search(lattice: Lattice, hypothesis: Sequence[str]) -> tuple[Word, ...]:
    """Return the words of the closest way."""
    width = len(hypothesis)
    end: list[_Cell] = [(_INSERTION * (width - j), ()) for j in range(width + 1)]
    _, choices = _before(lattice, end, hypothesis)[0]
    return tuple(_follow(lattice, iter(choices)))


def _before(lattice: Lattice, row: list[_Cell], hypothesis: Sequence[str]) -> list[_Cell]:
    """Return the cells at the begin of a lattice from those behind its end."""
    for segment in reversed(lattice.segments):
        if isinstance(segment, Fork):
            row = _before_fork(segment, row, hypothesis)
        else:
            for word in reversed(segment):
                row = _before_word(word.token, row, hypothesis) if word.token else row
    return row


def _before_fork(fork: Fork, row: list[_Cell], hypothesis: Sequence[str]) -> list[_Cell]:
    rows = (
        [(cost, (index, *choices)) for cost, choices in _before(option, row, hypothesis)]
        for index, option in enumerate(fork.options)
    )
    return [min(cells) for cells in zip(*rows, strict=True)]


def _before_word(token: str, row: list[_Cell], hypothesis: Sequence[str]) -> list[_Cell]:
    cost, choices = row[-1]
    cell = (cost + _DELETION, choices)
    cells = [cell]
    for j in range(len(hypothesis) - 1, -1, -1):
        (cost, choices), (without, its_choices) = row[j + 1], row[j]
        matched = (cost + (_HIT if hypothesis[j] == token else _SUBSTITUTION), choices)
        cell = min(matched, (without + _DELETION, its_choices), (cell[0] + _INSERTION, cell[1]))
        cells.append(cell)
    return cells[::-1]


def _follow(lattice: Lattice, choices: Iterator[int]) -> Iterator[Word]:
    for segment in lattice.segments:
        if isinstance(segment, Fork):
            yield from _follow(segment.options[next(choices)], choices)
        else:
            yield from segment
