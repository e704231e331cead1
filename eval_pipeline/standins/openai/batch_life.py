"""The life of a batch: which status it should have at a look, and the work that this status takes.

Time and looks move it on, never a thread of its own: it is worked off when somebody looks at it and
it is due, so that tests are in command of every step.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus

import orjson

from eval_pipeline.standins.batch_faults import Scenario
from eval_pipeline.standins.openai.batch_input import BatchLimits, inspect
from eval_pipeline.standins.openai.batch_output import CANCELLED, EXPIRED, Job, LineWorker, Result, work_off
from eval_pipeline.standins.openai.batch_state import Batch, BatchStore
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.file_store import FileStore
from eval_pipeline.standins.pace import Pace

PHASES = ("validating", "in_progress", "finalizing", "completed")
QUEUE_FULL_MESSAGE = (
    "Enqueued token limit reached for {model} in organization org-stand-in. Limit: 90,000 enqueued tokens. "
    "Please try again once some in_progress batches have been completed."
)


class Lives:
    """The batches of one stand-in, moved on one at a time."""

    def __init__(self, batches: BatchStore, files: FileStore, worker: LineWorker) -> None:
        self.batches = batches
        self.pace = Pace()
        self.limits = BatchLimits()
        self.billed = Counter[str]()
        self._files = files
        self._worker = worker
        self._one_at_a_time = asyncio.Lock()
        for batch in batches.newest_first():
            self._note_billed(batch)

    async def look(self, batch: Batch) -> None:
        """Show a batch to a client."""
        batch.looks += 1
        if batch.status == "cancelling":
            async with self._one_at_a_time:
                await self._end(batch, "cancelled")
        await self.move_on(batch)
        batch.final_looks += batch.is_final
        self.batches.save(batch)

    async def settle(self) -> None:
        """Work off what is due, also what nobody has looked at."""
        for batch in self.batches.newest_first():
            await self.move_on(batch, looks=max(1, batch.looks))

    async def move_on(self, batch: Batch, *, looks: int | None = None) -> None:
        """Bring a batch to the status that it should have by now."""
        async with self._one_at_a_time:
            if batch.is_final or batch.status == "cancelling":
                return
            age_s = (time.time_ns() - batch.created_ns) / 1e9
            phase = PHASES[self.pace.phase(age_s=age_s, looks=batch.looks if looks is None else looks)]
            await self._reach(batch, batch.forced or _status_due(batch, phase))
            self.batches.save(batch)

    async def cancel(self, batch: Batch) -> None:
        """Cancel a batch that has not ended; the next look finds it cancelled."""
        await self.move_on(batch)
        if batch.is_final:
            raise InvalidBodyError(f"Cannot cancel a batch with status '{batch.status}'.", status=HTTPStatus.CONFLICT)
        batch.enter("cancelling")
        self.batches.save(batch)

    async def _reach(self, batch: Batch, status: str) -> None:
        if status == "validating":
            return
        if batch.status == "validating" and not await self._validate(batch):
            return
        if status == "failed":
            _fail(batch)
            return
        batch.enter("in_progress")
        batch.completed = batch.total // 2
        if status in ("finalizing", "completed"):
            batch.enter("finalizing")
            batch.completed = batch.total
        if status == "cancelling":
            batch.enter(status)
        if status in ("completed", "expired", "cancelled"):
            await self._end(batch, status)

    async def _validate(self, batch: Batch) -> bool:
        try:
            path = self._files.path(batch.input_file_id)
        except InvalidBodyError as error:
            problem: dict[str, object] = {
                "code": "input_file_not_found",
                "message": str(error),
                "param": "input_file_id",
                "line": None,
            }
            batch.problems = [problem]
        else:
            found = await asyncio.to_thread(inspect, path, batch.endpoint, limits=self.limits)
            batch.total, batch.model, batch.problems = found.lines, found.model, found.problems
        if batch.problems:
            batch.total = 0
            batch.enter("failed")
        return not batch.problems

    async def _end(self, batch: Batch, status: str) -> None:
        """Work off what is still to be executed, and end."""
        job = self._job(batch, status)
        if job is None:
            batch.completed = batch.failed = 0
        else:
            try:
                result = await asyncio.to_thread(work_off, job, self._worker)
                self._keep(batch, job, result)
            finally:
                job.output.unlink(missing_ok=True)
                job.errors.unlink(missing_ok=True)
        batch.enter(status)
        self.batches.save(batch)

    def _job(self, batch: Batch, status: str) -> Job | None:
        done = _lines_executed(batch, status)
        if not batch.total or batch.meets(Scenario.EXPIRED_NO_FILES, Scenario.CANCELLED_NO_FILES):
            return None
        if done == 0 and not batch.meets(Scenario.EXPIRED_PARTIAL):
            return None
        return Job(
            source=self._files.path(batch.input_file_id),
            output=self._files.new_path(),
            errors=self._files.new_path(),
            billed=self.batches.path(batch.id, "billed"),
            endpoint=batch.endpoint,
            done=done,
            undone=EXPIRED if status == "expired" else CANCELLED,
            rule=batch.rule,
        )

    def _keep(self, batch: Batch, job: Job, result: Result) -> None:
        batch.completed, batch.failed = result.completed, result.failed + result.undone
        batch.tokens = dict(result.tokens)
        expires_after_s = batch.output_expires_after_s
        for kind, path in (("output", job.output), ("error", job.errors)):
            if path.stat().st_size:
                name = f"{batch.id}_{kind}.jsonl"
                file = self._files.add(path, filename=name, purpose="batch_output", expires_after_s=expires_after_s)
                setattr(batch, f"{kind}_file_id", file.id)
        if batch.meets(Scenario.RESULT_404) and batch.output_file_id:
            self._files.remove(batch.output_file_id)
        self._note_billed(batch)

    def _note_billed(self, batch: Batch) -> None:
        path = self.batches.path(batch.id, "billed")
        if path.exists():
            with path.open("rb") as lines:
                self.billed.update(_keys(lines))


def _keys(lines: Iterable[bytes]) -> Iterable[str]:
    return (orjson.loads(line) for line in lines)


def _status_due(batch: Batch, phase: str) -> str:
    """Return what the scenario makes of a phase."""
    if phase != "validating":
        if batch.meets(Scenario.TOKEN_LIMIT, Scenario.VALIDATION_FAILED):
            return "failed"
        if batch.meets(Scenario.STUCK):
            return "in_progress"
    if phase == "completed":
        if batch.meets(Scenario.EXPIRED_PARTIAL, Scenario.EXPIRED_NO_FILES):
            return "expired"
        if batch.meets(Scenario.CANCELLED_NO_FILES):
            return "cancelled"
    return phase


def _lines_executed(batch: Batch, status: str) -> int | None:
    """Return how many lines of a batch were executed when it ended; all without."""
    if status == "completed":
        return None
    if batch.forced:
        return batch.forced_done
    if batch.rule and batch.meets(Scenario.EXPIRED_PARTIAL, Scenario.STUCK):
        return batch.rule.done
    return batch.completed


def _fail(batch: Batch) -> None:
    """Fail a batch as its scenario says."""
    words = batch.rule.message if batch.rule else None
    if batch.rule and batch.meets(Scenario.VALIDATION_FAILED):
        code, line, usual = batch.rule.code, batch.rule.line, f"Line {batch.rule.line} is not valid."
    elif batch.meets(Scenario.TOKEN_LIMIT):
        code, line, usual = "token_limit_exceeded", None, QUEUE_FULL_MESSAGE.format(model=batch.model)
    else:
        code, line, usual = "server_error", None, "The batch failed."
    batch.problems = [{"code": code, "message": words or usual, "param": None, "line": line}]
    batch.total = batch.completed = 0
    batch.enter("failed")
