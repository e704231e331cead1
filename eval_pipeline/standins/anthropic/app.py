"""The Anthropic stand-in: messages, models and message batches over HTTP.

Order of judgement, as at the real API: key, version, body, rate limit; then latency, then the faults.
"""

import shutil
import tempfile
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.anthropic.asks import Ask, read_ask
from eval_pipeline.standins.anthropic.batch_control import AnthropicDesk
from eval_pipeline.standins.anthropic.batch_input import BatchLimits
from eval_pipeline.standins.anthropic.batch_life import Lives
from eval_pipeline.standins.anthropic.batch_output import RequestWorker
from eval_pipeline.standins.anthropic.batch_state import BatchStore
from eval_pipeline.standins.anthropic.batches import BATCH_FAULTS, Batches
from eval_pipeline.standins.anthropic.errors import AnthropicError
from eval_pipeline.standins.anthropic.messages import MESSAGE_FAULTS, Writer
from eval_pipeline.standins.anthropic.serving import AnthropicManners
from eval_pipeline.standins.batch_control import BatchControls
from eval_pipeline.standins.batch_faults import BatchPlan
from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.control import Controls, Standin
from eval_pipeline.standins.counts import CountedEndpoint
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultRule
from eval_pipeline.standins.judge_answers import Judge
from eval_pipeline.standins.judge_asks import looked_in, passed_over
from eval_pipeline.standins.judge_script import JudgeControls
from eval_pipeline.standins.options import StandinOptions
from eval_pipeline.standins.pace import Clock, Pace
from eval_pipeline.standins.serving import Headers, Reception, Work, json_answer

_LISTED_MODELS = ("claude-haiku-4-5", "claude-sonnet-5")
LIVE_TIER = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicOptions(StandinOptions):
    """How an Anthropic stand-in starts; faults, latency and limits can be changed while it runs.

    Args:
        batch_limits: How large a batch may be.
    """

    batch_limits: BatchLimits = field(default_factory=BatchLimits)


def create_app(options: AnthropicOptions | None = None) -> Starlette:
    """Build the application; ``app.state.standin`` is its state."""
    options = options or AnthropicOptions()
    standin = Standin(
        kinds={"messages": MESSAGE_FAULTS, "models": TRANSPORT_FAULTS, **BATCH_FAULTS},
        rules=options.faults,
        latency_s=options.latency_s,
        limits=options.limits,
    )
    desk = Reception(standin, AnthropicManners(options.accepted_keys))
    writer = Writer(options.recordings, Judge(options.judge_script))
    api = _Anthropic(options, standin, desk, writer)
    live = [
        _route(standin, "POST /v1/messages", "messages", api.answer),
        _route(standin, "GET /v1/models", "models", api.list_models),
    ]
    # a folder that nobody named goes when the application is collected, or at the end of the process
    folder = options.state_folder or Path(tempfile.mkdtemp(prefix="standin-"))
    batches = _batch_routes(options, standin, desk, writer, folder=folder)
    controls = [*JudgeControls(options.judge_script).routes(), *Controls(standin).routes()]
    app = Starlette(routes=[*live, *batches, *controls], exception_handlers={404: unknown_url})
    app.state.standin = standin
    if options.state_folder is None:
        weakref.finalize(app, shutil.rmtree, folder, ignore_errors=True)
    return app


def _batch_routes(
    options: AnthropicOptions, standin: Standin, desk: Reception, writer: Writer, *, folder: Path
) -> list[Route]:
    """Return the routes of batches, and of what controls them."""
    lives = Lives(BatchStore(folder / "message_batches", Clock()), RequestWorker(standin, writer))
    lives.pace = Pace(seconds=options.batch_seconds, polls=options.batch_polls)
    lives.limits = options.batch_limits
    batches = Batches(desk, lives, BatchPlan(options.batch_faults))
    path = "/v1/messages/batches"
    return [
        _route(standin, f"POST {path}", "batches.create", batches.create),
        _route(standin, f"GET {path}", "batches.list", batches.list),
        _route(standin, f"GET {path}/{{id}}", "batches.retrieve", batches.retrieve),
        _route(standin, f"DELETE {path}/{{id}}", "batches.delete", batches.delete),
        _route(standin, f"POST {path}/{{id}}/cancel", "batches.cancel", batches.cancel),
        _route(standin, f"GET {path}/{{id}}/results", "batches.results", batches.results),
        *BatchControls(standin, AnthropicDesk(batches, lives)).routes(),
    ]


def _route(standin: Standin, url: str, name: str, answer: Callable[[Request], Awaitable[Answer]]) -> Route:
    """Return the route to one endpoint, counted."""
    method, _, path = url.partition(" ")
    return Route(path, CountedEndpoint(name, counts=standin.counts, answer=answer), methods=[method])


async def unknown_url(request: Request, error: Exception) -> Response:
    """Answer a URL that does not exist as Anthropic does."""
    del error, request
    return AnthropicError(status=HTTPStatus.NOT_FOUND, type="not_found_error", message="Not Found").response({})


class _Anthropic:
    """The endpoints that answer at once."""

    def __init__(self, options: AnthropicOptions, standin: Standin, desk: Reception, writer: Writer) -> None:
        self._options = options
        self._standin = standin
        self._desk = desk
        self._writer = writer

    async def answer(self, request: Request) -> Answer:
        """Answer a question."""
        raw = await request.body()
        return await self._desk.serve(request, lambda: self._message_work(read_ask(raw)))

    def _message_work(self, ask: Ask) -> Work:
        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            fault = None if rule is None else rule.kind
            message, tokens = self._writer.message(ask, fault, tier=LIVE_TIER)
            counts = self._standin.counts["messages"]
            counts.note_tokens(tokens)
            counts.billed[ask.name] += 1
            return json_answer(orjson.dumps(message), headers, rule)

        return Work(
            endpoint="messages",
            model=ask.model,
            texts=[ask.name],
            tokens=ask.input_tokens,
            answer=answer,
            within=looked_in(ask.judged),
            passed_over=passed_over(ask.judged),
        )

    async def list_models(self, request: Request) -> Answer:
        """List the recorded models and a few that clients look for."""
        names = sorted({*_LISTED_MODELS, *self._options.recordings.models})
        created = "2025-01-01T00:00:00Z"
        models = [{"type": "model", "id": name, "display_name": name, "created_at": created} for name in names]
        document = {"data": models, "has_more": False, "first_id": names[0], "last_id": names[-1]}

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            return json_answer(orjson.dumps(document), headers, rule)

        return await self._desk.serve(request, lambda: Work(endpoint="models", texts=[""], answer=answer))
