"""The way of one alignment through the table of costs, with ties broken as ``alignment.align`` documents.

The alignment that rapidfuzz traces has fewest edits but not always most hits, and its choices among equals are not
documented; these are sclite's.
"""

from collections.abc import Sequence
from typing import Final

from eval_pipeline.stt_eval.scoring.alignment_costs import EDIT, SUBSTITUTION, band_of, cost_blocks
from eval_pipeline.stt_eval.scoring.edits import Edit

_HIT: Final = Edit.HIT
_SUBSTITUTION: Final = Edit.SUBSTITUTION
_DELETION: Final = Edit.DELETION
_INSERTION: Final = Edit.INSERTION


def path_of(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """Return the edits from left to right, found from the right.

    What both end with is hit: a hit costs nothing and comes first. Of what both begin with that is not certain, but the
    costs there need no table (``_in_beginning``), so the table is that of the middle.
    """
    i, j = len(reference), len(hypothesis)
    shorter = min(i, j)
    path = []
    while shorter and reference[i - 1] == hypothesis[j - 1]:
        path.append(_HIT)
        i, j, shorter = i - 1, j - 1, shorter - 1
    head = 0
    while head < shorter and reference[head] == hypothesis[head]:
        head += 1
    if head < shorter:
        rest = _trace(reference[head:i], hypothesis[head:j], path=path)
        i, j = head + rest[0], head + rest[1]
    _in_beginning(reference, hypothesis, i, j, path=path)
    path.reverse()
    return path


def _trace(reference: Sequence[str], hypothesis: Sequence[str], *, path: list[Edit]) -> tuple[int, int]:
    """Append the edits back to where one side is used up, and return what is left of the other."""
    band = band_of(reference, hypothesis)
    i, j = len(reference), len(hypothesis)
    for start, rows in cost_blocks(reference, hypothesis, band=band):
        while i > start and j:
            if reference[i - 1] == hypothesis[j - 1]:
                edit = _HIT
            else:
                edit = _wrong(rows[i - start], rows[i - start - 1], place=j - i - band.low)
            path.append(edit)
            i -= edit is not _INSERTION
            j -= edit is not _DELETION
    return i, j


def _wrong(row: Sequence[int], above: Sequence[int], *, place: int) -> Edit:
    """Return the edit that led here, where it was not a hit."""
    cost = row[place]
    if cost == above[place] + SUBSTITUTION:
        return _SUBSTITUTION
    return _INSERTION if place and cost == row[place - 1] + EDIT else _DELETION


def _in_beginning(reference: Sequence[str], hypothesis: Sequence[str], i: int, j: int, *, path: list[Edit]) -> None:
    """Append the edits back to the beginning, from a place where one side is used up but for what both begin with.

    One beginning is there a beginning of the other, so that they cost their difference in length.
    """
    while i != j and i and j:
        longer = _INSERTION if i < j else _DELETION
        edit = _HIT if reference[i - 1] == hypothesis[j - 1] else longer
        path.append(edit)
        i -= edit is not _INSERTION
        j -= edit is not _DELETION
    path += [_HIT] * i if i == j else [_INSERTION] * j + [_DELETION] * i
