"""What it costs to align the beginnings of two token sequences, in the band that holds every cheapest alignment.

With n and m tokens, an alignment that passes the diagonal ``j - i = k`` has at least abs(k) insertions or deletions
before it and abs(m - n - k) behind it. So if d edits are the fewest, no cheapest alignment leaves the diagonals from
min(0, m - n) - s to max(0, m - n) + s, with s = (d - abs(m - n)) // 2 (Ukkonen 1985). Costs on cheapest alignments are
exact; others can be too high in the band, which no choice among the cheapest can see.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import isqrt
from typing import Final, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance.Levenshtein import distance

from eval_pipeline.core.values import value

EDIT: Final = 1 << 24
SUBSTITUTION: Final = EDIT + 1
"""A substitution costs a little more than another edit, so that the cheapest alignment has the most hits too."""
_OUTSIDE: Final = 1 << 60
_MOST_CELLS: Final = 250_000
"""10 MB. Of larger tables the square root of all rows is kept, and those between are worked out again when they are
needed: 10,000 words of which a third is right take 20 MB and 1.2 s."""
_WIDE: Final = 100
"""From here on numpy takes less time than a loop."""

Numbers: TypeAlias = npt.NDArray[np.int64]
Block: TypeAlias = tuple[int, Sequence[Sequence[int]]]
Row = TypeVar("Row")


@value
class Band:
    """The diagonals that are looked at. A row of costs starts with the lowest and ends with one cell outside."""

    low: int
    width: int


def band_of(reference: Sequence[str], hypothesis: Sequence[str]) -> Band:
    """Return the narrowest band that is known to suffice."""
    longer = len(hypothesis) - len(reference)
    spare = (distance(reference, hypothesis) - abs(longer)) // 2
    return Band(min(0, longer) - spare, abs(longer) + 2 * spare + 1)


def cost_blocks(reference: Sequence[str], hypothesis: Sequence[str], *, band: Band) -> Iterator[Block]:
    """Yield blocks of rows, the last block first: the number of its first row, and the rows.

    Row i holds the costs of the first i reference tokens with as many of the hypothesis as the diagonals say. The last
    row of a block is the first of the block before it.
    """
    ends = range(band.low, band.low + band.width)
    first = [*(EDIT * end if end >= 0 else _OUTSIDE for end in ends), _OUTSIDE]
    if band.width < _WIDE:
        padded = [*[None] * -band.low, *hypothesis, *[None] * (len(reference) + band.width)]
        return _blocks(first, partial(_narrow_rows, reference, padded), rows=len(reference))
    spoken, heard = _numbered(reference, hypothesis, band=band)
    blocks = _blocks(np.array(first, dtype=np.int64), partial(_wide_rows, spoken, heard), rows=len(reference))
    return ((start, [row.data for row in rows]) for start, rows in blocks)


def _blocks(
    first: Row, rows_between: Callable[[Row, int, int], list[Row]], *, rows: int
) -> Iterator[tuple[int, list[Row]]]:
    step = rows if rows * len(first) <= _MOST_CELLS else isqrt(rows)  # type: ignore[arg-type]
    kept = [first]
    for start in range(0, rows - step, step):
        kept.append(rows_between(kept[-1], start, start + step)[-1])
    for number in reversed(range(len(kept))):
        yield number * step, rows_between(kept.pop(), number * step, min(rows, (number + 1) * step))


def _narrow_rows(
    reference: Sequence[str], padded: Sequence[str | None], first: list[int], start: int, end: int
) -> list[list[int]]:
    rows = [first]
    above = first
    width = len(first) - 1
    for i in range(start, end):
        token = reference[i]
        row = []
        left = _OUTSIDE
        for heard, diagonal, over in zip(padded[i : i + width], above, above[1:]):  # noqa: B905 - strict takes time
            if heard == token:
                left = diagonal  # a hit is never worse than what it could be replaced by
            else:
                left = (over if over < left else left) + EDIT  # noqa: FURB136 - min takes seven times as long
                if diagonal + SUBSTITUTION < left:  # noqa: PLR1730 - the same
                    left = diagonal + SUBSTITUTION
            row.append(left)
        row.append(_OUTSIDE)
        rows.append(row)
        above = row
    return rows


def _numbered(reference: Sequence[str], hypothesis: Sequence[str], *, band: Band) -> tuple[Numbers, Numbers]:
    """Return both texts as numbers; behind and before the hypothesis is what is in no reference."""
    numbers: dict[str, int] = {}
    spoken, heard = (
        np.array([numbers.setdefault(token, len(numbers)) for token in tokens], dtype=np.int64)
        for tokens in (reference, hypothesis)
    )
    return spoken, np.pad(heard, (-band.low, len(reference) + band.width), constant_values=-1)


def _wide_rows(spoken: Numbers, padded: Numbers, first: Numbers, start: int, end: int) -> list[Numbers]:
    rows = [first]
    width = len(first) - 1
    inserted = EDIT * np.arange(width, dtype=np.int64)
    for i in range(start, end):
        above = rows[-1]
        row = np.full(width + 1, _OUTSIDE)
        replaced = above[:-1] + np.where(padded[i : i + width] == spoken[i], 0, SUBSTITUTION)
        without = np.minimum(replaced, above[1:] + EDIT) - inserted
        row[:-1] = np.minimum.accumulate(without) + inserted
        rows.append(row)
    return rows
