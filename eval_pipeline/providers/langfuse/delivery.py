"""A run on its way to Langfuse: dataset items, then spans, then scores of some hundred items at a time.

Calls run side by side: dataset items go one by one (the API takes no list of them), and a call waits for the network.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

from eval_pipeline.core.tracing import (
    DeliveredTrace,
    DeliveryCounts,
    ItemTrace,
    SessionScore,
    TraceDelivery,
    TraceRun,
)
from eval_pipeline.providers.langfuse.connection import CONCURRENT_CALLS, ONCE, CallFailedError, Connection
from eval_pipeline.providers.langfuse.dataset import DatasetItems, put_dataset
from eval_pipeline.providers.langfuse.failures import explained
from eval_pipeline.providers.langfuse.scores import Score, check_accepted, score_requests, session_score_requests
from eval_pipeline.providers.langfuse.spans import export_requests

Made = TypeVar("Made")


class LangfuseDelivery(TraceDelivery):
    """What was confirmed is counted; the first call that fails ends the delivery."""

    def __init__(self, connection: Connection, run: TraceRun) -> None:
        self._connection = connection
        self._run = run
        self._delivered: Counter[str] = Counter()
        self._dataset = self._explaining(lambda: put_dataset(connection, run))
        self._items = self._explaining(lambda: DatasetItems(connection, run.dataset_name))
        self._pool = ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="langfuse")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def _project_url(self) -> str:
        return f"{self._connection.base_url}/project/{self._dataset.project_id}"

    @property
    def url(self) -> str:
        """The experiment's page."""
        return f"{self._project_url}/experiments/results?baseline={quote(self._run.experiment_id, safe='')}"

    @property
    def counts(self) -> DeliveryCounts:
        """What was confirmed so far."""
        return DeliveryCounts(**self._delivered)

    def send(self, items: Sequence[ItemTrace]) -> Sequence[DeliveredTrace]:
        """Deliver some hundred items and wait until all of them are confirmed."""
        self._put("dataset_items", ((1, self._items.put(item)) for item in items if self._items.missing(item)))
        requests = export_requests(self._run, items, dataset_id=self._dataset.id)
        self._put("traces", ((count, self._export(request)) for count, request in requests))
        self._put("scores", ((len(request), self._score(request)) for request in score_requests(items)))
        return [
            DeliveredTrace(item.item_id, item.trace_id, f"{self._project_url}/traces/{item.trace_id}") for item in items
        ]

    def _export(self, request: bytes) -> Callable[[], None]:
        return lambda: self._connection.export(request)

    def _score(self, request: list[Score]) -> Callable[[], None]:
        create = self._connection.api.scores.create
        # plain mappings, as the SDK's own score consumer sends them
        return lambda: check_accepted(create(request=request, request_options=ONCE))

    def _put(self, kind: str, calls: Iterable[tuple[int, Callable[[], None]]]) -> None:
        """Make the calls side by side; count those that succeed, raise for the first that does not."""
        futures = {self._pool.submit(self._connection.call, call): count for count, call in calls}
        wait(futures, return_when=FIRST_EXCEPTION)
        for future in futures:
            future.cancel()
        wait(futures)
        self._delivered[kind] += sum(count for future, count in futures.items() if _succeeded(future))
        for future in futures:
            if not future.cancelled():
                self._explaining(future.result)

    def _explaining(self, act: Callable[[], Made]) -> Made:
        try:
            return act()
        except CallFailedError as failure:
            raise explained(failure, base_url=self._connection.base_url, delivered=self.counts) from None


def _succeeded(future: Future[None]) -> bool:
    return not future.cancelled() and future.exception() is None


def send_session_scores(connection: Connection, scores: Iterable[SessionScore]) -> int:
    """Deliver scores of sessions, request by request; returns how many were confirmed."""
    delivered = 0
    for request in session_score_requests(scores):
        create = partial(connection.api.scores.create, request=request, request_options=ONCE)
        try:
            connection.call(lambda create=create: check_accepted(create()))  # type: ignore[misc]  # as the SDK answers
        except CallFailedError as failure:
            told = DeliveryCounts(scores=delivered)
            raise explained(failure, base_url=connection.base_url, delivered=told) from None
        delivered += len(request)
    return delivered
