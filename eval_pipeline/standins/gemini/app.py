"""The Gemini stand-in: content, embeddings, models, files and batches over HTTP, under ``/v1`` and ``/v1beta``.

Order of judgement, as at the real API: key, body, rate limit; then latency, then the faults.
"""

import shutil
import tempfile
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from eval_pipeline.standins.batch_control import BatchControls
from eval_pipeline.standins.batch_faults import BatchPlan
from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.control import Controls, Standin
from eval_pipeline.standins.counts import CountedEndpoint
from eval_pipeline.standins.faults import TRANSPORT_FAULTS
from eval_pipeline.standins.gemini.answers import GENERATE_FAULTS, Answerer
from eval_pipeline.standins.gemini.asks import AskReader
from eval_pipeline.standins.gemini.batch_control import GeminiDesk
from eval_pipeline.standins.gemini.batch_life import GeminiLives
from eval_pipeline.standins.gemini.batch_output import GeminiLineWorker
from eval_pipeline.standins.gemini.batch_state import GeminiBatchStore
from eval_pipeline.standins.gemini.batches import BATCH_FAULTS, GeminiBatches
from eval_pipeline.standins.gemini.embeddings import (
    EMBED_FAULTS,
)
from eval_pipeline.standins.gemini.errors import (
    HTTP_FAULTS,
)
from eval_pipeline.standins.gemini.file_store import GeminiFileStore
from eval_pipeline.standins.gemini.files import FILE_FAULTS, GeminiFiles
from eval_pipeline.standins.gemini.models import GeminiModels
from eval_pipeline.standins.gemini.serving import GeminiManners
from eval_pipeline.standins.gemini.uploads import UPLOAD_FAULTS, FileLimits, Uploads
from eval_pipeline.standins.judge_answers import Judge
from eval_pipeline.standins.judge_script import JudgeControls
from eval_pipeline.standins.options import StandinOptions
from eval_pipeline.standins.pace import Clock, Pace
from eval_pipeline.standins.serving import Reception
from eval_pipeline.standins.speech import Speech, SpeechControls

_VERSIONS = ("/v1", "/v1beta")
_MODELS = "/models/{model}:"

Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiOptions(StandinOptions):
    """How a Gemini stand-in starts; faults, latency, limits and error rates can be changed while it runs.

    Args:
        speech: What is heard in clips, and how well.
        models: The models that exist; any model when empty.
        audio_tokens_per_second: What a second of audio costs.
    """

    speech: Speech = field(default_factory=Speech)
    models: frozenset[str] = frozenset()
    audio_tokens_per_second: int = 32


def create_app(options: GeminiOptions | None = None) -> Starlette:
    """Build the application; ``app.state.standin`` is its state."""
    options = options or GeminiOptions()
    standin = Standin(
        kinds={
            "generate": GENERATE_FAULTS,
            "embed": EMBED_FAULTS,
            "models": TRANSPORT_FAULTS | HTTP_FAULTS,
            **UPLOAD_FAULTS,
            **FILE_FAULTS,
            **BATCH_FAULTS,
        },
        rules=options.faults,
        latency_s=options.latency_s,
        limits=options.limits,
    )
    # a folder that nobody named goes when the application is collected, or at the end of the process
    folder = options.state_folder or Path(tempfile.mkdtemp(prefix="standin-"))
    routes = _routes(options, standin, folder)
    app = Starlette(routes=routes, exception_handlers={404: unknown_url, 405: unknown_url})
    app.state.standin = standin
    if options.state_folder is None:
        weakref.finalize(app, shutil.rmtree, folder, ignore_errors=True)
    return app


def _routes(options: GeminiOptions, standin: Standin, folder: Path) -> list[Route]:
    clock, limits = Clock(), FileLimits()
    desk = Reception(standin, GeminiManners(options.accepted_keys))
    store = GeminiFileStore(folder / "gemini-files", clock)
    reader = AskReader(uploads=store, speech=options.speech, tokens_per_second=options.audio_tokens_per_second)
    answerer = Answerer(recordings=options.recordings, speech=options.speech, judge=Judge(options.judge_script))
    worker = GeminiLineWorker(standin, reader, answerer)
    lives = GeminiLives(GeminiBatchStore(folder / "gemini-batches"), store, worker, clock)
    lives.pace = Pace(seconds=options.batch_seconds, polls=options.batch_polls)
    batches = GeminiBatches(desk, lives, store, plan=BatchPlan(options.batch_faults), models=options.models)
    api = GeminiModels(standin, desk, reader=reader, answerer=answerer, models=options.models)
    files, uploads = GeminiFiles(desk, store), Uploads(desk, store, limits)
    routes = [
        *_model_routes(standin, api, batches),
        *_each_version(standin, "POST /upload{version}/files", ("files.start", "files.upload"), uploads.receive),
        *_each_version(standin, "GET {version}/files", "files.list", files.list),
        *_each_version(standin, "GET {version}/files/{id}:download", "files.download", files.download),
        *_each_version(standin, "GET /download{version}/files/{id}:download", "files.download", files.download),
        *_each_version(standin, "GET {version}/files/{id}", "files.get", files.get),
        *_each_version(standin, "DELETE {version}/files/{id}", "files.delete", files.delete),
        *_each_version(standin, "GET {version}/batches", "batches.list", batches.list),
        *_each_version(standin, "POST {version}/batches/{id}:cancel", "batches.cancel", batches.cancel),
        *_each_version(standin, "GET {version}/batches/{id}", "batches.get", batches.get),
        *_each_version(standin, "DELETE {version}/batches/{id}", "batches.delete", batches.delete),
    ]
    batch_controls = BatchControls(standin, GeminiDesk(standin, batches, lives, store, limits))
    return [
        *routes,
        *SpeechControls(options.speech).routes(),
        *JudgeControls(options.judge_script).routes(),
        *batch_controls.routes(),
        *Controls(standin).routes(),
    ]


def _model_routes(standin: Standin, api: GeminiModels, batches: GeminiBatches) -> list[Route]:
    """Return the routes of everything that is asked of a model."""

    async def create(request: Request) -> Answer:
        endpoint = "embed" if request.url.path.endswith(":asyncBatchEmbedContent") else "generate"
        return await batches.create(request, endpoint, model=request.path_params["model"])

    return [
        *_each_version(standin, f"POST {{version}}{_MODELS}generateContent", "generate", api.generate),
        *_each_version(standin, f"POST {{version}}{_MODELS}embedContent", "embed", api.embed),
        *_each_version(standin, f"POST {{version}}{_MODELS}batchEmbedContents", "embed", api.embed),
        *_each_version(standin, f"POST {{version}}{_MODELS}batchGenerateContent", "batches.create", create),
        *_each_version(standin, f"POST {{version}}{_MODELS}asyncBatchEmbedContent", "batches.create", create),
        *_each_version(standin, "GET {version}/models", "models", api.list_models),
        *_each_version(standin, "GET {version}/models/{model}", "models", api.get_model),
    ]


def _each_version(standin: Standin, url: str, name: str | tuple[str, str], answer: Handler) -> list[Route]:
    """Return the counted routes to one endpoint; of two names the second is for requests with an upload id."""
    method, _, path = url.partition(" ")
    names = (name, name) if isinstance(name, str) else name
    endpoints = [CountedEndpoint(each, counts=standin.counts, answer=answer) for each in names]
    endpoint = endpoints[0] if isinstance(name, str) else _ByUploadId(*endpoints)
    return [Route(path.replace("{version}", version), endpoint, methods=[method]) for version in _VERSIONS]


class _ByUploadId:
    """One URL with two endpoints: an upload starts without an id and goes on with one."""

    def __init__(self, start: CountedEndpoint, piece: CountedEndpoint) -> None:
        self._start = start
        self._piece = piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        endpoint = self._piece if b"upload_id=" in scope["query_string"] else self._start
        await endpoint(scope, receive, send)


async def unknown_url(request: Request, error: Exception) -> Response:
    """Answer a URL that does not exist as Google does, without JSON."""
    del error
    page = (
        f"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title><p>The requested URL {request.url.path} was not found."
    )
    return Response(page, 404, media_type="text/html")
