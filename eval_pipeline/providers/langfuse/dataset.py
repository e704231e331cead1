"""The Langfuse dataset of a run: made if need be, its items written only where they differ.

The server keeps a version of an item for every write and allows few writes a minute: an unchanged item is left alone.
"""

import json
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from itertools import count
from typing import Any

from langfuse.api import Dataset, PaginatedDatasetItems

from eval_pipeline.core.tracing import ItemTrace, TraceRun
from eval_pipeline.providers.langfuse.connection import ONCE, CallFailedError, Connection

PAGE_ITEMS = 100
_CANNOT_LIST = frozenset({404, 405, 501})


def put_dataset(connection: Connection, run: TraceRun) -> Dataset:
    """Make or update the dataset; its name is its identity."""
    create = connection.api.datasets.create
    dataset: Dataset = connection.call(
        lambda: create(name=run.dataset_name, metadata=dict(run.dataset_metadata), request_options=ONCE)
    )
    return dataset


class DatasetItems:
    """The items that the dataset had when the delivery began, as digests: 130 bytes each."""

    def __init__(self, connection: Connection, dataset_name: str) -> None:
        self._connection = connection
        self._dataset_name = dataset_name
        self._digests = self._read()

    def missing(self, item: ItemTrace) -> bool:
        """Tell whether the item has to be written."""
        return self._digests.get(item.dataset_item_id) != _digest(
            item.question, item.golden_answer, dict(item.dataset_metadata)
        )

    def put(self, item: ItemTrace) -> Callable[[], None]:
        """Return the call that writes the item."""

        def write() -> None:
            self._connection.api.dataset_items.create(
                dataset_name=self._dataset_name,
                id=item.dataset_item_id,
                input=item.question,
                expected_output=item.golden_answer,
                metadata=dict(item.dataset_metadata),
                request_options=ONCE,
            )

        return write

    def _read(self) -> dict[str, bytes]:
        try:
            return self._read_pages()
        except CallFailedError as failure:
            if failure.refusal.status in _CANNOT_LIST:  # then every item is written, which changes nothing
                return {}
            raise

    def _read_pages(self) -> dict[str, bytes]:
        digests: dict[str, bytes] = {}
        for page in count(1):
            found = self._connection.call(partial(self._page, page))
            digests |= {item.id: _digest(item.input, item.expected_output, item.metadata) for item in found.data}
            if page >= found.meta.total_pages:
                break
        return digests

    def _page(self, page: int) -> PaginatedDatasetItems:
        found: PaginatedDatasetItems = self._connection.api.dataset_items.list(
            dataset_name=self._dataset_name, page=page, limit=PAGE_ITEMS, request_options=ONCE
        )
        return found


def _digest(question: Any, golden_answer: Any, metadata: Any) -> bytes:  # noqa: ANN401 - a JSON boundary
    canonical = json.dumps([question, golden_answer, metadata], sort_keys=True)
    return sha256(canonical.encode()).digest()
