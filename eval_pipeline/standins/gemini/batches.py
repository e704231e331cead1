"""``/v1/batches``: create, list, describe, cancel and delete batches of questions or of texts to embed."""

import asyncio
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import orjson
from starlette.requests import Request

from eval_pipeline.standins.batch_faults import BatchPlan, BatchRule, Scenario, contains
from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.gemini.batch_input import GeminiOrder, read_order
from eval_pipeline.standins.gemini.batch_life import NO_ROOM_MESSAGE, GeminiLives
from eval_pipeline.standins.gemini.batch_state import GeminiBatch
from eval_pipeline.standins.gemini.errors import (
    HTTP_FAULTS,
    NOT_FOUND,
    GeminiError,
    GeminiRefusedError,
    no_such_model,
    unready,
)
from eval_pipeline.standins.gemini.file_store import GeminiFileStore
from eval_pipeline.standins.gemini.pages import page
from eval_pipeline.standins.serving import Answering, Headers, Reception, Work, json_answer

BATCH_FAULTS = {
    "batches.create": TRANSPORT_FAULTS | HTTP_FAULTS | {FaultKind.ACCEPTED_THEN_RESET},
    "batches.list": TRANSPORT_FAULTS | HTTP_FAULTS,
    "batches.get": TRANSPORT_FAULTS | HTTP_FAULTS,
    "batches.cancel": TRANSPORT_FAULTS | HTTP_FAULTS,
    "batches.delete": TRANSPORT_FAULTS | HTTP_FAULTS,
}


class GeminiBatches:
    """The endpoints of the batches."""

    def __init__(
        self,
        desk: Reception,
        lives: GeminiLives,
        files: GeminiFileStore,
        *,
        plan: BatchPlan,
        models: frozenset[str],
    ) -> None:
        self.plan = plan
        self._models = models
        self._desk = desk
        self._lives = lives
        self._batches = lives.batches
        self._files = files

    async def create(self, request: Request, endpoint: str, *, model: str) -> Answer:
        """Take a batch of an endpoint, ``generate`` or ``embed``."""
        raw = await request.body()
        return await self._desk.serve(
            request, lambda: self._create_work(read_order(raw, self._lives.limits), endpoint, model=model)
        )

    def _create_work(self, order: GeminiOrder, endpoint: str, *, model: str) -> Work:
        if self._models and model not in self._models:
            raise GeminiRefusedError(no_such_model(model, method="batchGenerateContent"))
        if order.file_id is not None and self._files[order.file_id].state != "ACTIVE":
            raise unready(f"The File {order.file_id} is not in an ACTIVE state and usage is not allowed.")
        self._check_room()

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            batch = self._new_batch(order, endpoint, model=model)
            source = self._keep_input(batch, order)
            batch.rule = await asyncio.to_thread(self._scenario, batch, source)
            if batch.meets(Scenario.TOKEN_LIMIT_ON_CREATE):
                self._batches.delete(batch.id)
                return _no_room(batch).response(headers)
            self._batches.save(batch)
            return json_answer(orjson.dumps(self._batches.document(batch)), headers, rule)

        texts = [order.display_name or "", order.file_id or ""]
        return Work(endpoint="batches.create", texts=texts, answer=answer, model=model)

    def _check_room(self) -> None:
        under_way = sum(not batch.is_final for batch in self._batches.newest_first())
        if under_way >= self._lives.limits.open_batches:
            message = f"Resource has been exhausted (e.g. check quota): {under_way} batches are under way."
            raise GeminiRefusedError(GeminiError(code=HTTPStatus.TOO_MANY_REQUESTS, message=message))

    def _new_batch(self, order: GeminiOrder, endpoint: str, *, model: str) -> GeminiBatch:
        now_ns = self._lives.clock.now_ns()
        return GeminiBatch(
            id=secrets.token_hex(16),
            endpoint=endpoint,
            model=model,
            display_name=order.display_name,
            input_file_id=order.file_id,
            created_ns=now_ns,
            updated_ns=now_ns,
        )

    def _keep_input(self, batch: GeminiBatch, order: GeminiOrder) -> Path:
        if order.file_id is not None:
            return self._files.path(order.file_id)
        path = self._batches.path(batch.id, "input")
        path.write_bytes(b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in order.requests))
        return path

    def _scenario(self, batch: GeminiBatch, source: Path) -> BatchRule | None:
        name = batch.display_name or ""
        return self.plan.choose(batch.endpoint, lambda text: text in name or contains(source, text))

    async def list(self, request: Request) -> Answer:
        """List batches, newest first."""
        return await self._desk.serve(request, lambda: self._list_work(request.query_params))

    def _list_work(self, query: Mapping[str, str]) -> Work:
        found = page([b for b in self._batches.newest_first() if not b.hidden_from(listing=True)], query)

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            for batch in found.entries:
                await self._lives.look(batch)
            shown = [self._batches.document(batch) for batch in found.entries]
            return json_answer(orjson.dumps(found.document("operations", shown)), headers, rule)

        return Work(endpoint="batches.list", texts=[""], answer=answer)

    async def get(self, request: Request) -> Answer:
        """Describe a batch."""
        return await self._desk.serve(request, lambda: self._get_work(request.path_params["id"]))

    def _get_work(self, batch_id: str) -> Work:
        batch = self._batches[batch_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            hidden = batch.hidden_from(listing=False)
            await self._lives.look(batch)
            if hidden:
                return NOT_FOUND.response(headers)
            return json_answer(orjson.dumps(self._batches.document(batch)), headers, rule)

        return self._work("batches.get", batch, answer)

    async def cancel(self, request: Request) -> Answer:
        """Cancel a batch."""
        return await self._desk.serve(request, lambda: self._cancel_work(request.path_params["id"]))

    def _cancel_work(self, batch_id: str) -> Work:
        batch = self._batches[batch_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            if batch.hidden_from(listing=False):
                raise GeminiRefusedError(NOT_FOUND)
            await self._lives.cancel(batch)
            return json_answer(b"{}", headers, rule)

        return self._work("batches.cancel", batch, answer)

    async def delete(self, request: Request) -> Answer:
        """Delete a batch; its result file stays until it expires."""
        return await self._desk.serve(request, lambda: self._delete_work(request.path_params["id"]))

    def _delete_work(self, batch_id: str) -> Work:
        batch = self._batches[batch_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            self._batches.delete(batch_id)
            return json_answer(b"{}", headers, rule)

        return self._work("batches.delete", batch, answer)

    def _work(self, endpoint: str, batch: GeminiBatch, answer: Answering) -> Work:
        texts = [batch.id, batch.display_name or ""]
        return Work(endpoint=endpoint, texts=texts, answer=answer, not_found=NOT_FOUND)


def _no_room(batch: GeminiBatch) -> GeminiError:
    words = batch.rule.message if batch.rule else None
    message = words or NO_ROOM_MESSAGE.format(model=batch.model)
    return GeminiError(code=HTTPStatus.TOO_MANY_REQUESTS, message=message)
