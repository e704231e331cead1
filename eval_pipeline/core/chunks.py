"""Anything in chunks of a size: what ``itertools.batched`` does from Python 3.12 on."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], *, size: int) -> Iterator[list[T]]:
    """Yield the items in lists of the size, the last one shorter; nothing of no items.

    >>> list(chunks("abcde", size=2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
