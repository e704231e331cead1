"""Chunks of any iterable."""

import pytest

from eval_pipeline.core.chunks import chunks


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3])])
def test_every_item_is_in_one_chunk_and_none_is_empty(count: int, sizes: list[int]) -> None:
    found = list(chunks(range(count), size=3))

    assert [len(chunk) for chunk in found] == sizes
    assert [item for chunk in found for item in chunk] == list(range(count))


def test_items_are_drawn_as_they_are_needed() -> None:
    """A million rows must not lie in memory for the first chunk."""
    items = iter(range(10))

    assert next(chunks(items, size=3)) == [0, 1, 2]
    assert next(items) == 3
