"""The life of a batch: in progress, perhaps canceling, ended; and the work that its end takes.

Time and looks move it on, never a thread of its own: it is worked off when somebody looks at it and
it is due, so that tests are in command of every step.
"""

import asyncio
from collections import Counter
from http import HTTPStatus

import orjson

from eval_pipeline.standins.anthropic.batch_input import BatchLimits
from eval_pipeline.standins.anthropic.batch_output import Job, RequestWorker, work_off
from eval_pipeline.standins.anthropic.batch_state import Batch, BatchStore, age_s
from eval_pipeline.standins.anthropic.errors import InvalidBodyError
from eval_pipeline.standins.batch_faults import Scenario
from eval_pipeline.standins.pace import LAST_PHASE, Pace

STATUSES = ("in_progress", "canceling", "ended")
_NEVER_DONE = (Scenario.EXPIRED_NO_FILES, Scenario.CANCELLED_NO_FILES)


class Lives:
    """The batches of one stand-in, moved on one at a time."""

    def __init__(self, batches: BatchStore, worker: RequestWorker) -> None:
        self.batches = batches
        self.pace = Pace()
        self.limits = BatchLimits()
        self.billed = Counter[str]()
        self._worker = worker
        self._one_at_a_time = asyncio.Lock()
        for batch in batches.newest_first():
            self._note_billed(batch)

    async def look(self, batch: Batch) -> None:
        """Show a batch to a client."""
        batch.looks += 1
        await self.move_on(batch)
        batch.ended_looks += batch.is_ended
        self.batches.save(batch)

    async def settle(self) -> None:
        """Work off what is due, also what nobody has looked at."""
        for batch in self.batches.newest_first():
            await self.move_on(batch, looks=max(1, batch.looks))

    async def move_on(self, batch: Batch, *, looks: int | None = None) -> None:
        """Bring a batch to the status that it should have by now; a cancelled one ends at the next look."""
        async with self._one_at_a_time:
            if batch.is_ended:
                return
            seen = batch.looks if looks is None else looks
            due = self.pace.phase(age_s=age_s(batch), looks=seen) == LAST_PHASE
            stuck = batch.meets(Scenario.STUCK) and batch.cancelled_ns is None
            wanted = batch.forced or ("ended" if due and not stuck else batch.status)
            if batch.status == "canceling" and not batch.forced:
                wanted = "ended"
            if wanted == "ended":
                await self._end(batch)
            batch.status = wanted
            self.batches.save(batch)

    async def cancel(self, batch: Batch) -> None:
        """Cancel a batch that has not ended; the next look finds it ended."""
        await self.move_on(batch)
        if batch.is_ended:
            message = f"Batch {batch.id} cannot be canceled because it has already ended."
            raise InvalidBodyError(message, status=HTTPStatus.BAD_REQUEST)
        batch.cancelled_ns = self.batches.clock.now_ns()
        batch.status = "canceling"
        self.batches.save(batch)

    async def _end(self, batch: Batch) -> None:
        """Work off what is still to be executed, and end."""
        batch.ended_ns = self.batches.clock.now_ns()
        if batch.meets(*_NEVER_DONE):
            batch.counts = {"expired" if batch.meets(Scenario.EXPIRED_NO_FILES) else "canceled": batch.total}
            return
        job = Job(
            source=self.batches.path(batch.id, "requests"),
            results=self.batches.path(batch.id, "results"),
            billed=self.batches.path(batch.id, "billed"),
            done=_executed(batch),
            undone="canceled" if batch.cancelled_ns is not None else "expired",
            rule=batch.rule,
        )
        result = await asyncio.to_thread(work_off, job, self._worker)
        batch.counts, batch.tokens, batch.has_results = dict(result.counts), dict(result.tokens), True
        if batch.meets(Scenario.RESULT_404):
            job.results.unlink()
        self._note_billed(batch)

    def _note_billed(self, batch: Batch) -> None:
        path = self.batches.path(batch.id, "billed")
        if path.exists():
            with path.open("rb") as lines:
                self.billed.update(orjson.loads(line) for line in lines)


def _executed(batch: Batch) -> int | None:
    """Return how many requests of a batch are executed when it ends; all without."""
    if batch.forced:
        return batch.forced_done
    if batch.rule and batch.meets(Scenario.EXPIRED_PARTIAL, Scenario.STUCK):
        return batch.rule.done
    return None if batch.cancelled_ns is None else 0
