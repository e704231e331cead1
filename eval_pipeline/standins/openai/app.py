"""The OpenAI stand-in: responses, chat completions, embeddings, transcriptions, models, files and batches over HTTP.

Order of judgement, as at the real API: key, body, rate limit; then latency, then the faults.
"""

import shutil
import tempfile
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.batch_control import BatchControls
from eval_pipeline.standins.batch_faults import BatchPlan
from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.control import Controls, Standin
from eval_pipeline.standins.counts import CountedEndpoint
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultRule
from eval_pipeline.standins.judge_answers import Judge
from eval_pipeline.standins.judge_asks import looked_in, passed_over
from eval_pipeline.standins.judge_script import JudgeControls
from eval_pipeline.standins.openai import embeddings
from eval_pipeline.standins.openai.answers import Make, completion_maker, embedding_maker, response_maker
from eval_pipeline.standins.openai.asks import Ask, read_ask
from eval_pipeline.standins.openai.batch_control import OpenAIDesk
from eval_pipeline.standins.openai.batch_input import BatchLimits
from eval_pipeline.standins.openai.batch_life import Lives
from eval_pipeline.standins.openai.batch_output import LineWorker
from eval_pipeline.standins.openai.batch_state import BatchStore
from eval_pipeline.standins.openai.batches import BATCH_FAULTS, Batches
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.chat_asks import ChatAsk, read_chat
from eval_pipeline.standins.openai.completions import CHAT_FAULTS
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.openai.file_store import FileStore
from eval_pipeline.standins.openai.files import FILE_FAULTS, Files
from eval_pipeline.standins.openai.responses import RESPONSE_FAULTS
from eval_pipeline.standins.openai.serving import OpenAIManners
from eval_pipeline.standins.openai.transcriptions import (
    TRANSCRIPTION_FAULTS,
    Transcription,
    receive_transcription,
    transcribe,
    transcription_answer,
)
from eval_pipeline.standins.options import StandinOptions
from eval_pipeline.standins.pace import Pace
from eval_pipeline.standins.serving import Answering, Headers, Reception, Work, json_answer
from eval_pipeline.standins.speech import Speech, SpeechControls

_LISTED_MODELS = ("gpt-4o", "gpt-4o-mini", *embeddings.WIDTHS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIOptions(StandinOptions):
    """How an OpenAI stand-in starts; faults, latency and limits can be changed while it runs.

    Args:
        speech: What is heard in clips, and how well.
        batch_limits: How large a batch may be.
        dialect: Which server it resembles.
    """

    speech: Speech = field(default_factory=Speech)
    batch_limits: BatchLimits = field(default_factory=BatchLimits)
    dialect: Dialect = Dialect.OPENAI


def create_app(options: OpenAIOptions | None = None) -> Starlette:
    """Build the application; ``app.state.standin`` is its state."""
    options = options or OpenAIOptions()
    standin = Standin(
        kinds={
            "responses": RESPONSE_FAULTS,
            "chat": CHAT_FAULTS,
            "embeddings": embeddings.EMBEDDING_FAULTS,
            "transcriptions": TRANSCRIPTION_FAULTS,
            "models": TRANSPORT_FAULTS,
            **FILE_FAULTS,
            **BATCH_FAULTS,
        },
        rules=options.faults,
        latency_s=options.latency_s,
        limits=options.limits,
    )
    dialect = options.dialect
    desk = Reception(standin, OpenAIManners(options.accepted_keys, asks_for_key=dialect.asks_for_key))
    api = _OpenAI(options, standin, desk)
    live = [
        _route(standin, "POST /v1/responses", "responses", api.respond),
        _route(standin, "POST /v1/chat/completions", "chat", api.complete),
        _route(standin, "POST /v1/embeddings", "embeddings", api.embed),
        _route(standin, "POST /v1/audio/transcriptions", "transcriptions", api.transcribe),
        _route(standin, "GET /v1/models", "models", api.list_models),
    ]
    # a folder that nobody named goes when the application is collected, or at the end of the process
    folder = options.state_folder or Path(tempfile.mkdtemp(prefix="standin-"))
    offered = [
        route for route in [*live, *_batch_routes(options, standin, desk, folder)] if _is_offered(route, dialect)
    ]
    controls = [*SpeechControls(options.speech).routes(), *JudgeControls(options.judge_script).routes()]
    routes = [*controls, *offered, *Controls(standin).routes()]
    app = Starlette(routes=routes, exception_handlers={404: partial(unknown_url, dialect=dialect)})
    app.state.standin = standin
    if options.state_folder is None:
        weakref.finalize(app, shutil.rmtree, folder, ignore_errors=True)
    return app


def _batch_routes(options: OpenAIOptions, standin: Standin, desk: Reception, folder: Path) -> list[Route]:
    """Return the routes of files and batches, and of what controls them."""
    store = FileStore(folder / "files")
    worker = LineWorker(standin, options.recordings, judge=Judge(options.judge_script), dialect=options.dialect)
    lives = Lives(BatchStore(folder / "batches"), store, worker)
    lives.pace = Pace(seconds=options.batch_seconds, polls=options.batch_polls)
    lives.limits = options.batch_limits
    files, batches = Files(desk, store), Batches(desk, lives, store, BatchPlan(options.batch_faults))

    return [
        _route(standin, "POST /v1/files", "files.create", files.create),
        _route(standin, "GET /v1/files", "files.list", files.list),
        _route(standin, "GET /v1/files/{id}", "files.retrieve", files.retrieve),
        _route(standin, "DELETE /v1/files/{id}", "files.delete", files.delete),
        _route(standin, "GET /v1/files/{id}/content", "files.content", files.content),
        _route(standin, "POST /v1/batches", "batches.create", batches.create),
        _route(standin, "GET /v1/batches", "batches.list", batches.list),
        _route(standin, "GET /v1/batches/{id}", "batches.retrieve", batches.retrieve),
        _route(standin, "POST /v1/batches/{id}/cancel", "batches.cancel", batches.cancel),
        *BatchControls(standin, OpenAIDesk(batches, lives, store)).routes(),
    ]


def _route(
    standin: Standin,
    url: str,
    name: str,
    answer: Callable[[Request], Awaitable[Answer]],
) -> Route:
    """Return the route to one endpoint, counted."""
    method, _, path = url.partition(" ")
    return Route(path, CountedEndpoint(name, counts=standin.counts, answer=answer), methods=[method])


def _is_offered(route: Route, dialect: Dialect) -> bool:
    """Tell whether the server that is resembled has an endpoint; what controls the stand-in is always there."""
    return not isinstance(route.endpoint, CountedEndpoint) or dialect.has(route.endpoint.name)


async def unknown_url(request: Request, error: Exception, *, dialect: Dialect) -> Response:
    """Answer a URL that does not exist as the server does."""
    del error
    return dialect.unknown_url(request.method, request.url.path, {})


class _OpenAI:
    """The endpoints that answer at once."""

    def __init__(self, options: OpenAIOptions, standin: Standin, desk: Reception) -> None:
        self._options = options
        self._judge = Judge(options.judge_script)
        self._standin = standin
        self._desk = desk

    async def respond(self, request: Request) -> Answer:
        """Answer a question."""
        raw = await request.body()
        return await self._desk.serve(request, lambda: self._response_work(read_ask(raw)))

    async def complete(self, request: Request) -> Answer:
        """Answer the last question of a chat."""
        raw = await request.body()
        return await self._desk.serve(request, lambda: self._chat_work(read_chat(raw, self._options.dialect)))

    async def embed(self, request: Request) -> Answer:
        """Embed texts."""
        raw = await request.body()
        return await self._desk.serve(
            request, lambda: self._embedding_work(embeddings.read_request(raw, self._options.dialect))
        )

    async def transcribe(self, request: Request) -> Answer:
        """Transcribe a clip."""
        read = await receive_transcription(request)
        return await self._desk.serve(request, lambda: self._transcription_work(read))

    def _transcription_work(self, read: Transcription | InvalidBodyError) -> Work:
        if isinstance(read, InvalidBodyError):
            raise read

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            made = transcribe(read, self._options.speech, rule)
            counts = self._standin.counts["transcriptions"]
            counts.note_tokens(made.tokens)
            counts.billed[read.clip.sha256] += 1
            return transcription_answer(read, made, rule, headers)

        return Work(endpoint="transcriptions", model=read.model, texts=[read.clip.sha256], answer=answer)

    async def list_models(self, request: Request) -> Answer:
        """List the recorded models and a few that clients look for."""
        names = sorted({*_LISTED_MODELS, *self._options.recordings.models})
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "stand-in"} for name in names]
        body = orjson.dumps({"object": "list", "data": models})

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            return json_answer(body, headers, rule)

        return await self._desk.serve(request, lambda: Work(endpoint="models", texts=[""], answer=answer))

    def _response_work(self, ask: Ask) -> Work:
        return Work(
            endpoint="responses",
            model=ask.model,
            texts=[ask.name],
            tokens=ask.input_tokens,
            answer=self._made("responses", response_maker(ask, self._options.recordings, judge=self._judge)),
            within=looked_in(ask.judged),
            passed_over=passed_over(ask.judged),
        )

    def _chat_work(self, ask: ChatAsk) -> Work:
        make = completion_maker(ask, self._options.recordings, dialect=self._options.dialect, judge=self._judge)
        return Work(
            endpoint="chat",
            model=ask.model,
            texts=[ask.name],
            tokens=ask.input_tokens,
            answer=self._made("chat", make),
            within=looked_in(ask.judged),
            passed_over=passed_over(ask.judged),
        )

    def _embedding_work(self, request: embeddings.Request) -> Work:
        return Work(
            endpoint="embeddings",
            model=request.model,
            texts=request.texts,
            tokens=request.tokens,
            answer=self._made("embeddings", embedding_maker(request)),
        )

    def _made(self, endpoint: str, make: Make) -> Answering:
        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            made = make(rule)
            self._standin.counts[endpoint].note_tokens(made.tokens)
            return json_answer(made.body, headers, rule)

        return answer
