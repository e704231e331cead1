"""Asks what is missing of a stage, live: the one implementation for every stage whose items are asked one by one.

A stage says what it asks of which model and what an answer costs. What is answered is read from its journal, what is
missing is asked once, recorded before the next call begins, counted and paid for; a run that is cancelled, interrupted
or out of money stops in order. Embeddings have their own way: several texts go into one call.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from eval_pipeline.core.cost import NOTHING
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Asks
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.dispatch.budget import Purse
from eval_pipeline.dispatch.calls import run_workers
from eval_pipeline.dispatch.gate import StopReason
from eval_pipeline.dispatch.live import LiveOutcome, LiveRequest, run_live
from eval_pipeline.dispatch.records import RecordIndex, encode
from eval_pipeline.dispatch.refusals import refuses_everything
from eval_pipeline.runs.at_work import StageAtWork, out_of_budget, run_cancelled
from eval_pipeline.runs.endpoints import require_endpoint
from eval_pipeline.runs.interruption import Interruption
from eval_pipeline.runs.live_progress import LiveProgress
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import JournalWriter
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
    [asked] = ask_together(task, stage, [model])
    if isinstance(asked, EvalPipelineError):
        raise asked
    return asked


def ask_together(
    task: Task, stage: StageAtWork, models_asked: Sequence[LiveModel[Item, Body]]
) -> list[int | EvalPipelineError]:
    """Ask several models at once, each every item of its own without a finished record.

    What is wrong with the account of one, or that it refuses everything, does not keep the others from answering.

    Returns:
        of each the calls made, or what kept it from being asked.

    Raises:
        IncompleteError: ``run_cancelled`` or ``budget_exceeded``.
        WorkInterrupted: somebody ended the process's work.
    """
    with stage.journal.spool() as spool:
        index = RecordIndex(spool)
        askings = [_Asking(task, stage, model, index) for model in models_asked]
        progresses = [asking.resume() for asking in askings]
        if all(progress.left == 0 for progress in progresses):
            return [0] * len(askings)
        interruption = Interruption()
        with stage.journal.writer(stage.lease.token) as journal:
            outcomes = interruption.run(_ask_all(askings, progresses, journal, interruption))
    stage.lease.check()
    if any(isinstance(one, LiveOutcome) and one.stopped is StopReason.BUDGET for one in outcomes):
        done, total = sum(one.done for one in progresses), sum(one.total for one in progresses)
        raise out_of_budget(stage, spent_usd=sum((one.usd for one in progresses), NOTHING), done=done, total=total)
    return [_result(asking, outcome) for asking, outcome in zip(askings, outcomes, strict=True)]


async def _ask_all(
    askings: Sequence["_Asking[Item, Body]"],
    progresses: Sequence[LiveProgress],
    journal: JournalWriter,
    interruption: Interruption,
) -> list[LiveOutcome | EvalPipelineError]:
    outcomes: dict[int, LiveOutcome | EvalPipelineError] = {}

    async def ask(place: int) -> None:
        asking, progress = askings[place], progresses[place]
        if progress.left == 0:
            outcomes[place] = LiveOutcome(recorded=0, ok=0, calls=0, stopped=None)
            return
        try:
            outcomes[place] = await asking.ask(progress, interruption, journal)
        except EvalPipelineError as error:
            outcomes[place] = error

    if len(askings) == 1:  # without a task of its own there is one less to break off
        await ask(0)
    else:
        await run_workers(ask(place) for place in range(len(askings)))
    return [outcomes[place] for place in range(len(askings))]


def _result(asking: "_Asking[Item, Body]", outcome: LiveOutcome | EvalPipelineError) -> int | EvalPipelineError:
    if isinstance(outcome, EvalPipelineError):
        return outcome
    key, model = asking.stage.run.key, asking.model
    if outcome.refusal is not None:
        asked = models.asked_model(asking.task.endpoints.find(model.endpoint), model.name)
        return refuses_everything(key, outcome.refusal, endpoint=asked)
    if outcome.stopped is not None:
        raise run_cancelled(key)
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

    async def ask(self, progress: LiveProgress, interruption: Interruption, journal: JournalWriter) -> LiveOutcome:
        """Call the model until all is answered, or there is a reason to stop."""
        model, settings = self.model, self.task.deployment.settings
        accept = self.task.endpoint_changed
        require_endpoint(self.task.deployment, self.stage.run, model.endpoint, accept=accept)
        endpoint = self.task.endpoints.find(model.endpoint)
        with self._host(endpoint) as host:

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
