"""Asks what is missing of a stage, live: the one implementation for every stage whose items are asked one by one.

A stage says what it asks of which model and what an answer costs. What is answered is read from its journal, what is
missing is asked once, recorded before the next call begins, counted and paid for; a run that is cancelled, interrupted
or out of money stops in order. Embeddings have their own way: several texts go into one call.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Asks
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.dispatch.budget import Purse
from eval_pipeline.dispatch.gate import StopReason
from eval_pipeline.dispatch.live import LiveOutcome, LiveRequest, run_live
from eval_pipeline.dispatch.records import RecordIndex, encode
from eval_pipeline.dispatch.refusals import refuses_everything
from eval_pipeline.runs.at_work import StageAtWork, out_of_budget, run_cancelled
from eval_pipeline.runs.endpoints import require_endpoint
from eval_pipeline.runs.interruption import Interruption
from eval_pipeline.runs.live_progress import LiveProgress
from eval_pipeline.runs.task import Task
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint

Item = TypeVar("Item")
Body = TypeVar("Body")
OK: frozenset[ItemStatus] = frozenset({ItemStatus.OK})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveModel(Generic[Item, Body]):
    """What a stage asks one model, and how."""

    endpoint: str
    """Its name."""
    name: str
    concurrency: int
    shown_as: str
    """What the progress is told of: the stage, and the model where there are several."""
    total: int
    items: Callable[[], Iterable[Item]]
    """All items of the model, in order; read twice."""
    id_of: Callable[[Item], str]
    body_of: Callable[[Item], Body]
    open: Callable[[Endpoint, FileHost | None], AbstractAsyncContextManager[Asks[Body]]]
    """Opens the adapter at its endpoint, and on what keeps its files."""
    price: Callable[[ItemRecord], ItemCost]
    answered: frozenset[ItemStatus] = OK
    """What does not count as failed."""
    purse: Callable[[Decimal], Purse[Body] | None] = lambda _: None
    """Opens what pays, given what is spent already; None where the run has no budget."""
    keeps_files: bool = False
    """Whether something too large for a request is uploaded first."""


def ask_missing(task: Task, stage: StageAtWork, model: LiveModel[Item, Body]) -> int:
    """Ask a model every item without a finished record; returns the calls made.

    Raises:
        IncompleteError: ``run_cancelled``, ``budget_exceeded`` or ``provider_refuses_all``.
        EvalPipelineError: the account, the key or the address is at fault.
        WorkInterrupted: somebody ended the process's work.
    """
    with stage.journal.spool() as spool:
        asking = _Asking(task, stage, model, RecordIndex(spool))
        progress = asking.resume()
        if progress.left == 0:
            return 0
        interruption = Interruption()
        outcome = interruption.run(asking.ask(progress, interruption))
    stage.lease.check()
    if outcome.stopped is StopReason.BUDGET:
        raise out_of_budget(stage, spent_usd=progress.usd, done=progress.done, total=progress.total)
    if outcome.refusal is not None:
        asked = models.asked_model(task.endpoints.find(model.endpoint), model.name)
        raise refuses_everything(stage.run.key, outcome.refusal, endpoint=asked)
    if outcome.stopped is not None:
        raise run_cancelled(stage.run.key)
    return outcome.calls


@dataclass(frozen=True, slots=True)
class _Asking(Generic[Item, Body]):
    """One model being asked."""

    task: Task
    stage: StageAtWork
    model: LiveModel[Item, Body]
    index: RecordIndex

    def resume(self) -> LiveProgress:
        """Count what earlier attempts left."""
        model = self.model
        progress = LiveProgress(
            self.task.progress, stage=model.shown_as, total=model.total, price=model.price, answered=model.answered
        )
        progress.resume(map(model.id_of, model.items()), self.index)
        return progress

    async def ask(self, progress: LiveProgress, interruption: Interruption) -> LiveOutcome:
        """Call the model until all is answered, or there is a reason to stop."""
        model, settings = self.model, self.task.deployment.settings
        accept = self.task.endpoint_changed
        require_endpoint(self.task.deployment, self.stage.run, model.endpoint, accept=accept)
        endpoint = self.task.endpoints.find(model.endpoint)
        with self._host(endpoint) as host, self.stage.journal.writer(self.stage.lease.token) as journal:

            async def record(item: ItemRecord) -> None:
                await journal.record(encode(item))

            async with model.open(endpoint, host) as answerer:
                return await run_live(
                    self._requests(),
                    answerer=answerer,
                    record=record,
                    policy=models.retry_policy(settings),
                    concurrency=endpoint.most_at_once(model.concurrency),
                    endpoint=models.asked_model(endpoint, model.name),
                    purse=model.purse(progress.usd),
                    should_stop=lambda: StopReason.CANCELLED if self.stage.should_stop() else interruption.reason,
                    on_progress=progress.add,
                    proven=progress.done > 0,
                )

    @contextmanager
    def _host(self, endpoint: Endpoint) -> Iterator[FileHost | None]:
        """Open what keeps files for the model's requests, where there are any and its endpoint wants that."""
        settings = self.task.deployment.settings
        host = models.open_file_host(endpoint, settings=settings) if self.model.keeps_files else None
        try:
            yield host
        finally:
            if host is not None:
                host.close()

    def _requests(self) -> Iterator[LiveRequest[Body]]:
        model = self.model
        for item in model.items():
            item_id = model.id_of(item)
            if not self.index.finished(item_id):
                yield LiveRequest.after(self.index.find(item_id), item_id=item_id, body=model.body_of(item))
