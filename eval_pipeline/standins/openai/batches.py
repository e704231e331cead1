"""``/v1/batches``: create, list, retrieve and cancel batches."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import orjson
from starlette.requests import Request

from eval_pipeline.standins.batch_faults import BatchPlan, BatchRule, Scenario, contains
from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.openai.batch_input import Order, read_order
from eval_pipeline.standins.openai.batch_life import QUEUE_FULL_MESSAGE, Lives
from eval_pipeline.standins.openai.batch_state import Batch
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.errors import OpenAIError, no_such_batch
from eval_pipeline.standins.openai.file_store import FileStore
from eval_pipeline.standins.openai.pages import page
from eval_pipeline.standins.serving import Answering, Headers, Reception, Work, json_answer

BATCH_FAULTS = {
    "batches.create": TRANSPORT_FAULTS | {FaultKind.ACCEPTED_THEN_RESET, FaultKind.INSUFFICIENT_QUOTA},
    "batches.list": TRANSPORT_FAULTS,
    "batches.retrieve": TRANSPORT_FAULTS,
    "batches.cancel": TRANSPORT_FAULTS,
}
_MAX_LISTED, _USUALLY_LISTED = 100, 20


class Batches:
    """The endpoints of the batches."""

    def __init__(self, desk: Reception, lives: Lives, files: FileStore, plan: BatchPlan) -> None:
        self.plan = plan
        self._desk = desk
        self._lives = lives
        self._batches = lives.batches
        self._files = files

    async def create(self, request: Request) -> Answer:
        """Take a batch."""
        raw = await request.body()
        return await self._desk.serve(request, lambda: self._create_work(read_order(raw)))

    def _create_work(self, order: Order) -> Work:
        path = self._files.path(order.input_file_id)
        metadata = orjson.dumps(order.metadata or {}).decode()

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            scenario = await asyncio.to_thread(self._scenario, order, path, metadata)
            if scenario and scenario.scenario is Scenario.TOKEN_LIMIT_ON_CREATE:
                return _token_limit(scenario).response(headers)
            batch = _new_batch(order, scenario)
            self._batches.save(batch)
            return json_answer(orjson.dumps(batch.as_json()), headers, rule)

        return Work(endpoint="batches.create", texts=[metadata, order.input_file_id], answer=answer)

    def _scenario(self, order: Order, path: Path, metadata: str) -> BatchRule | None:
        return self.plan.choose(order.endpoint, lambda text: text in metadata or contains(path, text))

    async def list(self, request: Request) -> Answer:
        """List batches, newest first."""
        return await self._desk.serve(request, lambda: self._list_work(request.query_params))

    def _list_work(self, query: Mapping[str, str]) -> Work:
        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            known = [batch for batch in self._batches.newest_first() if not batch.hidden_from(listing=True)]
            document = page([{"id": batch.id} for batch in known], query, most=_MAX_LISTED, usual=_USUALLY_LISTED)
            shown = [self._batches[entry["id"]] for entry in document["data"]]
            for batch in shown:
                await self._lives.look(batch)
            document["data"] = [batch.as_json() for batch in shown]
            return json_answer(orjson.dumps(document), headers, rule)

        return Work(endpoint="batches.list", texts=[""], answer=answer)

    async def retrieve(self, request: Request) -> Answer:
        """Describe a batch."""
        return await self._desk.serve(request, lambda: self._retrieve_work(request.path_params["id"]))

    def _retrieve_work(self, batch_id: str) -> Work:
        batch = self._batches[batch_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            hidden = batch.hidden_from(listing=False)
            await self._lives.look(batch)
            if hidden:
                return no_such_batch(batch_id).response(headers)
            return json_answer(orjson.dumps(batch.as_json()), headers, rule)

        return self._work("batches.retrieve", batch_id, answer)

    async def cancel(self, request: Request) -> Answer:
        """Cancel a batch."""
        return await self._desk.serve(request, lambda: self._cancel_work(request.path_params["id"]))

    def _cancel_work(self, batch_id: str) -> Work:
        batch = self._batches[batch_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            if batch.hidden_from(listing=False):
                raise InvalidBodyError.of(no_such_batch(batch_id))
            await self._lives.cancel(batch)
            return json_answer(orjson.dumps(batch.as_json()), headers, rule)

        return self._work("batches.cancel", batch_id, answer)

    def _work(self, endpoint: str, batch_id: str, answer: Answering) -> Work:
        return Work(endpoint=endpoint, texts=[batch_id], answer=answer, not_found=no_such_batch(batch_id))


def _new_batch(order: Order, rule: BatchRule | None) -> Batch:
    return Batch(
        id=f"batch_{secrets.token_hex(16)}",
        endpoint=order.endpoint,
        input_file_id=order.input_file_id,
        metadata=order.metadata,
        output_expires_after_s=order.output_expires_after_s,
        created_ns=time.time_ns(),
        rule=rule,
    )


def _token_limit(rule: BatchRule) -> OpenAIError:
    message = rule.message or f"RESOURCE_EXHAUSTED: {QUEUE_FULL_MESSAGE.format(model='this model')}"
    status = HTTPStatus.TOO_MANY_REQUESTS
    return OpenAIError(status=status, message=message, type="tokens", code="token_limit_exceeded")
