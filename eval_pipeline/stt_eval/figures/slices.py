"""Cuts the labelled samples by language, duration and every metadata column that groups them."""

from array import array
from collections.abc import Iterator

import numpy as np
import orjson
from numpy.typing import NDArray

from eval_pipeline.core.documents import Row

MOST_VALUES = 20
"""A column with more values is an id or a text, not a group."""
MOST_COLUMNS = 20
MOST_VALUE_CHARACTERS = 100
UNKNOWN = "(unknown)"
_DURATIONS = ((2.0, "under 2 s"), (5.0, "2 to 5 s"), (10.0, "5 to 10 s"), (30.0, "10 to 30 s"))
_LONGEST = "30 s and more"


def duration_bucket(duration_s: float | None) -> str:
    """Name the length of a clip.

    >>> [duration_bucket(value) for value in (1.99, 2, 31, None)]
    ['under 2 s', '2 to 5 s', '30 s and more', '(unknown)']
    """
    if duration_s is None:
        return UNKNOWN
    return next((name for most, name in _DURATIONS if duration_s < most), _LONGEST)


_PLACES = {name: place for place, name in enumerate([*(name for _, name in _DURATIONS), _LONGEST, UNKNOWN])}


def _place(value: str) -> int:
    """Return where a value stands among others: lengths by length, everything else by the alphabet."""
    return _PLACES.get(value, -1)


class _Column:
    """The values of one column by number; given up when there are too many."""

    def __init__(self, missing: int) -> None:
        self.names: dict[str, int] = {}
        self.values = array("q", [-1]) * missing
        self.given_up = False

    def add(self, value: str | None, *, at: int) -> None:
        if self.given_up:
            return
        self.values.extend([-1] * (at - len(self.values)))
        if value is None or not value.strip():
            return
        name = value.strip()[:MOST_VALUE_CHARACTERS]
        self.values.append(self.names.setdefault(name, len(self.names)))
        if len(self.names) > MOST_VALUES:
            self.given_up = True
            self.names, self.values = {}, array("q")


class Slices:
    """Collects what groups the samples."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._samples = 0

    def add(self, sample: Row, *, language: str | None) -> None:
        """Take in a row of ``tables.DATASET``."""
        metadata: dict[str, str] = orjson.loads(sample["metadata"])
        known = {"language": language or UNKNOWN, "duration": duration_bucket(sample["duration_s"])}
        for name, value in (known | metadata | known).items():  # what is always there comes first, and wins
            if name not in self._columns:
                if len(self._columns) >= MOST_COLUMNS + len(known):
                    continue
                self._columns[name] = _Column(missing=self._samples)
            self._columns[name].add(str(value), at=self._samples)
        self._samples += 1

    def groups(self) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
        """Yield column, value and which samples have it; of every column with at least two values."""
        for name in sorted(self._columns, key=lambda column: (column not in {"language", "duration"}, column)):
            column = self._columns[name]
            if column.given_up or len(column.names) < 2:  # noqa: PLR2004 - one group is all samples
                continue
            values = np.array(column.values, dtype=np.int64)
            values = np.concatenate([values, np.full(self._samples - len(values), -1, dtype=np.int64)])
            for value, number in sorted(column.names.items(), key=lambda named: (_place(named[0]), named[0])):
                yield name, value, values == number
