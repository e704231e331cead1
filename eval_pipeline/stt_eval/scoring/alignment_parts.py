"""Very long texts cut into parts that are aligned one by one, so that time and memory grow with length, not its square.

Up to ``MOST_CELLS`` nothing is cut. Up to ``_MOST_BITS`` the cuts lie on one alignment with the fewest edits, which
bit-parallel arithmetic finds in linear memory: the parts together have exactly as few edits, and only which of equally
short alignments has most hits is decided part by part. Beyond that the texts are first cut where the same words in a
row stand once in both; texts that share none are cut at equal shares of their lengths.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

from rapidfuzz.distance.Levenshtein import opcodes

from eval_pipeline.core.values import value

MOST_CELLS: Final = 100_000_000
"""Tokens of one text times tokens of the other: 10,000 words each."""
_MOST_BITS: Final = 2_500_000_000
"""50,000 words each: some three seconds."""
_PART: Final = 1_000
"""Tokens of a part, of either text."""
_WORDS_IN_A_ROW: Final = 8
_CHARACTERS_IN_A_ROW: Final = 24


@value
class Part:
    """Where a part lies in both texts."""

    reference: slice
    hypothesis: slice


def too_long(reference: Sequence[str], hypothesis: Sequence[str]) -> bool:
    """Tell whether two texts are aligned by parts."""
    return len(reference) * len(hypothesis) > MOST_CELLS


def parts_of(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[Part]:
    """Yield the parts from left to right; together they are both texts."""
    if len(reference) * len(hypothesis) <= _MOST_BITS:
        cuts = _on_shortest(reference, hypothesis)
    else:
        cuts = _between(_anchors(reference, hypothesis), ends=(len(reference), len(hypothesis)))
    i = j = 0
    for next_i, next_j in (*cuts, (len(reference), len(hypothesis))):
        if (next_i, next_j) != (i, j):
            yield Part(slice(i, next_i), slice(j, next_j))
        i, j = next_i, next_j


def _on_shortest(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield places on an alignment with the fewest edits, ``_PART`` tokens apart."""
    last_i = last_j = 0
    for block in opcodes(reference, hypothesis):
        i, j = block.src_start, block.dest_start
        while block.src_end - last_i > _PART or block.dest_end - last_j > _PART:
            room = min(last_i + _PART - i, last_j + _PART - j)
            i = min(block.src_end, i + max(0, room))
            j = min(block.dest_end, j + max(0, room))
            yield i, j
            last_i, last_j = i, j


def _anchors(reference: Sequence[str], hypothesis: Sequence[str]) -> list[tuple[int, int]]:
    """Return places of tokens in a row that stand once in both texts, as many as stand in the same order."""
    length = _CHARACTERS_IN_A_ROW if isinstance(reference, str) else _WORDS_IN_A_ROW
    mine, theirs = _once(reference, length), _once(hypothesis, length)
    both = sorted((place, theirs[row]) for row, place in mine.items() if row in theirs)
    return _longest_rising(both)


def _once(tokens: Sequence[str], length: int) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    again: set[Hashable] = set()
    for place in range(len(tokens) - length + 1):
        row = hash(tokens[place : place + length] if isinstance(tokens, str) else tuple(tokens[place : place + length]))
        if row in found:
            again.add(row)
        else:
            found[row] = place
    for repeated in again:
        del found[repeated]
    return found


def _longest_rising(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest series of places that rise in the second text, too (patience sorting)."""
    ends: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for number, (_, second) in enumerate(places):
        position = bisect_left(ends, second)
        if position == len(ends):
            ends.append(second)
            at.append(number)
        else:
            ends[position], at[position] = second, number
        before.append(at[position - 1] if position else -1)
    series = []
    number = at[-1] if at else -1
    while number >= 0:
        series.append(places[number])
        number = before[number]
    return series[::-1]


def _between(anchors: Sequence[tuple[int, int]], *, ends: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield anchors that are at most ``_PART`` tokens apart, and equal shares where none lies between."""
    last = anchor = (0, 0)
    for place in (*anchors, ends):
        if _apart(last, place) > _PART and anchor != last:
            yield anchor
            last = anchor
        pieces = -(-_apart(last, place) // _PART)
        for piece in range(1, pieces):
            yield (_share(last[0], place[0], piece, pieces), _share(last[1], place[1], piece, pieces))
        if pieces > 1 and place != ends:
            yield place
            last = place
        anchor = place


def _apart(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(other[0] - one[0], other[1] - one[1])


def _share(start: int, end: int, piece: int, pieces: int) -> int:
    return start + (end - start) * piece // pieces
