"""The way of one alignment through the table of costs, with ties broken as ``alignment.align`` documents.

The alignment that rapidfuzz traces has fewest edits but not always most hits, and its choices among equals are not
documented; these are our own.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eval_pipeline.stt_eval.edits import Edit

_EDIT = 1 << 24
_SUBSTITUTION = _EDIT + 1
"""A substitution costs a little more than another edit, so that the cheapest alignment has the most hits too."""
_MOST_CELLS = 250_000
"""Larger tables are halved: 10 MB and 50 ms."""


def path_of(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """Return the edits from left to right: common beginning and end are hits, the middle is worked out."""
    shorter = min(len(reference), len(hypothesis))
    head = 0
    while head < shorter and reference[head] == hypothesis[head]:
        head += 1
    tail = 0
    while tail < shorter - head and reference[-1 - tail] == hypothesis[-1 - tail]:
        tail += 1
    middle = _middle(reference[head : len(reference) - tail], hypothesis[head : len(hypothesis) - tail])
    return [Edit.HIT] * head + middle + [Edit.HIT] * tail


def _middle(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    if not reference or not hypothesis:
        return [Edit.DELETION] * len(reference) + [Edit.INSERTION] * len(hypothesis)
    if len(reference) > 1 and len(reference) * len(hypothesis) > _MOST_CELLS:
        half = len(reference) // 2
        cut = _cut(reference, hypothesis, half=half)
        return path_of(reference[:half], hypothesis[:cut]) + path_of(reference[half:], hypothesis[cut:])
    return _walk(reference, hypothesis)


def _walk(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    costs = _costs(reference, hypothesis)
    path: list[Edit] = []
    i = j = 0
    while i < len(reference) and j < len(hypothesis):
        same = reference[i] == hypothesis[j]
        if costs[i][j] == costs[i + 1][j + 1] + (0 if same else _SUBSTITUTION):
            path.append(Edit.HIT if same else Edit.SUBSTITUTION)
            i, j = i + 1, j + 1
        elif costs[i][j] == costs[i + 1][j] + _EDIT:
            path.append(Edit.DELETION)
            i += 1
        else:
            path.append(Edit.INSERTION)
            j += 1
    return path + [Edit.DELETION] * (len(reference) - i) + [Edit.INSERTION] * (len(hypothesis) - j)


def _costs(reference: Sequence[str], hypothesis: Sequence[str]) -> list[list[int]]:
    """Return what aligning the rest costs, from every pair of positions."""
    width = len(hypothesis)
    below = [_EDIT * (width - j) for j in range(width + 1)]
    rows = [below]
    for token in reversed(reference):
        row = [0] * (width + 1)
        row[width] = right = below[width] + _EDIT
        for j in range(width - 1, -1, -1):
            if hypothesis[j] == token:
                right = below[j + 1]  # a hit is never worse than what it could be replaced by
            else:
                right = min(below[j + 1] + _SUBSTITUTION, below[j] + _EDIT, right + _EDIT)
            row[j] = right
        rows.append(row)
        below = row
    return rows[::-1]


def _cut(reference: Sequence[str], hypothesis: Sequence[str], *, half: int) -> int:
    """Return where the hypothesis divides when the reference does at ``half`` (Hirschberg 1975): memory n + m."""
    numbers: dict[str, int] = {}
    spoken, heard = (
        np.array([numbers.setdefault(token, len(numbers)) for token in tokens], dtype=np.int64)
        for tokens in (reference, hypothesis)
    )
    before = _last_row(spoken[:half], heard)
    after = _last_row(spoken[half:][::-1], heard[::-1])[::-1]
    return int(np.argmin(before + after))


def _last_row(reference: npt.NDArray[np.int64], hypothesis: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return what aligning all of the reference costs with every beginning of the hypothesis."""
    inserted = _EDIT * np.arange(len(hypothesis) + 1, dtype=np.int64)
    row = inserted
    for token in reference:
        without = row + _EDIT
        without[1:] = np.minimum(without[1:], row[:-1] + np.where(hypothesis == token, 0, _SUBSTITUTION))
        row = np.minimum.accumulate(without - inserted) + inserted
    return row
