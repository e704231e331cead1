"""The life of a batch: which state it should have at a look, and the work that this state takes.

Time and looks move it on, never a thread of its own: it is worked off when somebody looks at it and it is due.
Forty-eight hours after its creation a batch that has not ended expires, without results.
"""

import asyncio
from collections import Counter
from http import HTTPStatus
from pathlib import Path

import orjson

from eval_pipeline.standins.batch_faults import Scenario
from eval_pipeline.standins.gemini.batch_input import GeminiBatchLimits, inspect
from eval_pipeline.standins.gemini.batch_output import GeminiJob, GeminiLineWorker, GeminiResult, work_off
from eval_pipeline.standins.gemini.batch_state import GeminiBatch, GeminiBatchStore
from eval_pipeline.standins.gemini.errors import GeminiError, GeminiRefusedError, unready
from eval_pipeline.standins.gemini.file_store import GeminiFileStore
from eval_pipeline.standins.pace import Clock, Pace

PHASES = ("PENDING", "RUNNING", "RUNNING", "SUCCEEDED")
EXECUTION_S = 48 * 60 * 60
NO_ROOM_MESSAGE = "Resource has been exhausted (e.g. check quota): enqueued tokens of {model} reached their limit."
_RPC_CODES = {
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
}


class GeminiLives:
    """The batches of one stand-in, moved on one at a time."""

    def __init__(
        self, batches: GeminiBatchStore, files: GeminiFileStore, worker: GeminiLineWorker, clock: Clock
    ) -> None:
        self.batches = batches
        self.pace = Pace()
        self.limits = GeminiBatchLimits()
        self.clock = clock
        self.billed = Counter[str]()
        self.billed_inputs = Counter[str]()
        self._files = files
        self._worker = worker
        self._one_at_a_time = asyncio.Lock()
        for path in batches.billed_paths():
            self._note_billed(path)

    async def look(self, batch: GeminiBatch) -> None:
        """Show a batch to a client."""
        batch.looks += 1
        await self.move_on(batch)
        batch.final_looks += batch.is_final
        self.batches.save(batch)

    async def settle(self) -> None:
        """Work off what is due, also what nobody has looked at."""
        for batch in self.batches.newest_first():
            await self.move_on(batch, looks=max(1, batch.looks))

    async def move_on(self, batch: GeminiBatch, *, looks: int | None = None) -> None:
        """Bring a batch to the state that it should have by now."""
        async with self._one_at_a_time:
            if batch.is_final:
                return
            age_s = (self.clock.now_ns() - batch.created_ns) / 1e9
            phase = PHASES[self.pace.phase(age_s=age_s, looks=batch.looks if looks is None else looks)]
            due = "CANCELLED" if batch.cancelling else batch.forced or _state_due(batch, phase)
            await self._reach(batch, "EXPIRED" if age_s >= EXECUTION_S else due)
            self.batches.save(batch)

    async def cancel(self, batch: GeminiBatch) -> None:
        """Cancel a batch that has not ended; the next look finds it cancelled."""
        await self.move_on(batch)
        if batch.is_final:
            raise unready(f"Batch batches/{batch.id} has already ended in state BATCH_STATE_{batch.state}.")
        batch.cancelling = True
        self.batches.save(batch)

    async def _reach(self, batch: GeminiBatch, state: str) -> None:
        now_ns = self.clock.now_ns()
        if state == "EXPIRED":
            batch.enter(state, now_ns=now_ns)
            return
        if state == "PENDING" or (batch.state == "PENDING" and not await self._validate(batch)):
            return
        if state == "FAILED":
            batch.error = _failure(batch)
        elif state != "RUNNING":
            await self._end(batch, state)
        batch.enter(state, now_ns=now_ns)

    async def _validate(self, batch: GeminiBatch) -> bool:
        try:
            batch.total, problem = await asyncio.to_thread(inspect, self._source(batch), self.limits)
        except GeminiRefusedError as error:
            problem = GeminiError(code=HTTPStatus.NOT_FOUND, message=str(error))
        if problem:
            batch.total = 0
            batch.error = problem.rpc_status()
            batch.enter("FAILED", now_ns=self.clock.now_ns())
        return problem is None

    def _source(self, batch: GeminiBatch) -> Path:
        if batch.input_file_id is None:
            return self.batches.path(batch.id, "input")
        return self._files.path(batch.input_file_id)

    async def _end(self, batch: GeminiBatch, state: str) -> None:
        """Work off what is still to be executed, and keep the results."""
        done = _lines_executed(batch, state)
        if done == 0:
            return
        job = GeminiJob(
            source=self._source(batch),
            output=self._files.new_path(),
            billed=self.batches.path(batch.id, "billed"),
            endpoint=batch.endpoint,
            model=batch.model,
            done=done,
            rule=batch.rule,
        )
        try:
            result = await asyncio.to_thread(work_off, job, self._worker)
            await self._keep(batch, job, result)
        finally:
            job.output.unlink(missing_ok=True)

    async def _keep(self, batch: GeminiBatch, job: GeminiJob, result: GeminiResult) -> None:
        batch.succeeded, batch.failed, batch.tokens = result.succeeded, result.failed, dict(result.tokens)
        self._note_billed(job.billed)
        if batch.input_file_id is None:
            job.output.rename(self.batches.path(batch.id, "output"))
            batch.inlined = True
            return
        name = f"batch-{batch.id}"
        await asyncio.to_thread(
            self._files.add, job.output, mime_type="application/jsonl", name=name, display_name=name, generated=True
        )
        batch.output_file_id = name
        if batch.meets(Scenario.RESULT_404):
            self._files.remove(name)

    def _note_billed(self, path: Path) -> None:
        with path.open("rb") as lines:
            for line in lines:
                entry = orjson.loads(line)
                self.billed[entry["line"]] += 1
                self.billed_inputs[entry["asked"]] += 1


def _state_due(batch: GeminiBatch, phase: str) -> str:
    """Return what the scenario makes of a phase."""
    if phase != "PENDING":
        if batch.meets(Scenario.TOKEN_LIMIT, Scenario.VALIDATION_FAILED, Scenario.FAILED):
            return "FAILED"
        if batch.meets(Scenario.STUCK):
            return "RUNNING"
    if phase == "SUCCEEDED" and batch.rule:
        return _ENDS.get(batch.rule.scenario, phase)
    return phase


_ENDS = {
    Scenario.EXPIRED_NO_FILES: "EXPIRED",
    Scenario.CANCELLED_NO_FILES: "CANCELLED",
    Scenario.PARTIALLY_SUCCEEDED: "PARTIALLY_SUCCEEDED",
}


def _lines_executed(batch: GeminiBatch, state: str) -> int | None:
    """Return how many lines of a batch were executed when it ended; all without."""
    if state == "SUCCEEDED":
        return None
    if batch.meets(Scenario.CANCELLED_NO_FILES):
        return 0
    if batch.forced:
        return batch.forced_done
    return batch.rule.done if batch.rule and batch.meets(Scenario.STUCK, Scenario.PARTIALLY_SUCCEEDED) else 0


def _failure(batch: GeminiBatch) -> dict[str, object]:
    """Return the error of an operation that fails as its scenario says."""
    words = batch.rule.message if batch.rule else None
    if batch.rule and batch.meets(Scenario.FAILED):
        return {"code": _RPC_CODES.get(batch.rule.code, _RPC_CODES["INTERNAL"]), "message": words or "Internal error."}
    if batch.meets(Scenario.TOKEN_LIMIT):
        usual = NO_ROOM_MESSAGE.format(model=batch.model)
        return {"code": _RPC_CODES["RESOURCE_EXHAUSTED"], "message": words or usual}
    if batch.rule and batch.meets(Scenario.VALIDATION_FAILED):
        usual = f"Failed to parse line {batch.rule.line} of the input file."
        return {"code": _RPC_CODES["INVALID_ARGUMENT"], "message": words or usual}
    return {"code": _RPC_CODES["INTERNAL"], "message": "Internal error."}
