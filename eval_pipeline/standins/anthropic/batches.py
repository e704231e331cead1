"""``/v1/messages/batches``: create, list, retrieve, cancel and delete batches, and their results."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import orjson
from starlette.requests import Request

from eval_pipeline.standins.anthropic.batch_input import read_requests
from eval_pipeline.standins.anthropic.batch_life import Lives
from eval_pipeline.standins.anthropic.batch_state import Batch
from eval_pipeline.standins.anthropic.errors import (
    RATE_LIMITED,
    TOO_LARGE,
    AnthropicError,
    InvalidBodyError,
    no_such_batch,
)
from eval_pipeline.standins.anthropic.pages import page
from eval_pipeline.standins.batch_faults import BatchPlan, Scenario
from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.documents import JsonDict
from eval_pipeline.standins.downloads import download
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.serving import Answering, Headers, Reception, Work, json_answer

_ANY = TRANSPORT_FAULTS | {FaultKind.OVERLOADED, FaultKind.FORBIDDEN}
BATCH_FAULTS = {
    "batches.create": _ANY | {FaultKind.ACCEPTED_THEN_RESET, FaultKind.INSUFFICIENT_QUOTA, FaultKind.BILLING},
    "batches.list": _ANY,
    "batches.retrieve": _ANY,
    "batches.cancel": _ANY,
    "batches.delete": _ANY,
    "batches.results": _ANY | {FaultKind.SHORT, FaultKind.RESET_MIDWAY},
}
ENDPOINT = "messages"
Doing = Callable[[Batch, str], Awaitable[JsonDict]]
"""What is done with one batch; returns what is answered."""
_CUT_SHORT = frozenset({FaultKind.CUT, FaultKind.SHORT, FaultKind.RESET_MIDWAY, FaultKind.TRUNCATED_JSON})


class Batches:
    """The endpoints of the batches."""

    def __init__(self, desk: Reception, lives: Lives, plan: BatchPlan) -> None:
        self.plan = plan
        self._desk = desk
        self._lives = lives
        self._batches = lives.batches
        self.created = 0
        """Batches that were made, those that were deleted since included."""

    async def create(self, request: Request) -> Answer:
        """Take a batch."""
        raw = await request.body()
        return await self._desk.serve(request, lambda: self._create_work(raw, _url(request)))

    def _create_work(self, raw: bytes, url: str) -> Work:
        if len(raw) > self._lives.limits.body_bytes:
            raise InvalidBodyError.of(TOO_LARGE)
        requests = read_requests(raw, limits=self._lives.limits)

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            scenario = self.plan.choose(ENDPOINT, lambda text: orjson.dumps(text)[1:-1] in raw)
            if scenario and scenario.scenario is Scenario.TOKEN_LIMIT_ON_CREATE:
                return RATE_LIMITED.response(headers, message=scenario.message)
            batch = Batch(
                id=f"msgbatch_{secrets.token_hex(12)}",
                total=len(requests),
                created_ns=self._batches.clock.now_ns(),
                rule=scenario,
            )
            await asyncio.to_thread(self._keep, batch, requests)
            return json_answer(orjson.dumps(batch.as_json(url)), headers, rule)

        return Work(endpoint="batches.create", texts=[requests[0]["custom_id"]], answer=answer)

    def _keep(self, batch: Batch, requests: list[JsonDict]) -> None:
        with self._batches.path(batch.id, "requests").open("wb") as file:
            for request in requests:
                file.write(orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE))
        self._batches.save(batch)
        self.created += 1

    async def list(self, request: Request) -> Answer:
        """List batches, newest first."""
        return await self._desk.serve(request, lambda: self._list_work(request.query_params, _url(request)))

    def _list_work(self, query: Mapping[str, str], url: str) -> Work:
        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            known = [batch.id for batch in self._batches.newest_first() if not batch.hidden_from(listing=True)]
            document = page(known, query)
            shown = [self._batches[batch_id] for batch_id in document["data"]]
            for batch in shown:
                await self._lives.look(batch)
            document["data"] = [batch.as_json(url) for batch in shown]
            return json_answer(orjson.dumps(document), headers, rule)

        return Work(endpoint="batches.list", texts=[""], answer=answer)

    async def retrieve(self, request: Request) -> Answer:
        """Describe a batch."""
        return await self._of_one(request, "batches.retrieve", self._retrieved)

    async def cancel(self, request: Request) -> Answer:
        """Cancel a batch."""
        return await self._of_one(request, "batches.cancel", self._cancelled)

    async def delete(self, request: Request) -> Answer:
        """Delete a batch that has ended."""
        return await self._of_one(request, "batches.delete", self._deleted)

    async def results(self, request: Request) -> Answer:
        """Send the results of a batch that has ended."""
        return await self._desk.serve(request, lambda: self._results_work(request.path_params["id"]))

    async def _of_one(self, request: Request, endpoint: str, do: Doing) -> Answer:
        def work() -> Work:
            batch = self._batches[request.path_params["id"]]

            async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
                if batch.hidden_from(listing=False):
                    batch.looks += 1
                    raise InvalidBodyError.of(no_such_batch(batch.id))
                return json_answer(orjson.dumps(await do(batch, _url(request))), headers, rule)

            return _work(endpoint, batch.id, answer)

        return await self._desk.serve(request, work)

    async def _retrieved(self, batch: Batch, url: str) -> JsonDict:
        await self._lives.look(batch)
        return batch.as_json(url)

    async def _cancelled(self, batch: Batch, url: str) -> JsonDict:
        await self._lives.cancel(batch)
        return batch.as_json(url)

    async def _deleted(self, batch: Batch, url: str) -> JsonDict:
        del url
        if not batch.is_ended:
            raise InvalidBodyError(f"Batch {batch.id} cannot be deleted while it is in progress.")
        self._batches.delete(batch.id)
        return {"id": batch.id, "type": "message_batch_deleted"}

    def _results_work(self, batch_id: str) -> Work:
        path = self._batches.path(self._batches[batch_id].id, "results")
        if not path.exists():
            message = f"Batch {batch_id} has no available results."
            raise InvalidBodyError(message, kind="not_found_error", status=HTTPStatus.NOT_FOUND)

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            fault = rule.kind if rule is not None and rule.kind in _CUT_SHORT else None
            return download(path, path.stat().st_size, headers, fault)

        return _work("batches.results", batch_id, answer)


def _work(endpoint: str, batch_id: str, answer: Answering) -> Work:
    missing: AnthropicError = no_such_batch(batch_id)
    return Work(endpoint=endpoint, texts=[batch_id], answer=answer, not_found=missing)


def _url(request: Request) -> str:
    """Return where the batches are, as the client reached them."""
    return f"{request.base_url}v1/messages/batches"
