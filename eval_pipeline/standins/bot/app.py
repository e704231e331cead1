"""The bot: ``POST /ask`` answers at once, ``POST /jobs`` says where the answer will be.

A request is ``{"text": …, "user": …, "history": […], "lang": …}``; an answer holds its text at ``data.answer``, the
passages it rests on at ``data.sources[*].text`` and its tokens at ``usage.in`` and ``usage.out``. A job says ``queued``
or ``running`` until it has been looked at often enough, then ``done`` with the same answer.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.control import Controls, Standin
from eval_pipeline.standins.counts import CountedEndpoint
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.limits import RateLimiter, RateLimits, retry_headers
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.serving import Headers, ProviderError, Reception, RefusedError, Work, json_answer
from eval_pipeline.standins.tokens import count_tokens

MODEL = "assistant"
_STATUSES: Mapping[FaultKind, int] = {
    FaultKind.RATE_LIMIT: 429,
    FaultKind.RATE_LIMIT_NO_HEADER: 429,
    FaultKind.SERVER_ERROR: 500,
    FaultKind.UNAVAILABLE: 503,
    FaultKind.BAD_REQUEST: 400,
    FaultKind.UNAUTHORIZED: 401,
    FaultKind.NOT_FOUND: 404,
}
BOT_FAULTS = TRANSPORT_FAULTS | {FaultKind.EMPTY, FaultKind.NO_USAGE, FaultKind.MALFORMED, FaultKind.STATUS_FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class BotOptions:
    """How the bot starts; faults, latency and limits can be changed while it runs.

    Args:
        recordings: Answers to replay; every other question gets a made-up answer.
        model: Whose recordings it replays.
        accepted_keys: The bearer tokens to accept; any, or none, when empty.
        latency_s: Time that every valid request takes.
        looks: How often a job is looked at before it is done.
        faults: The fault rules in force.
        limits: When to answer 429 for real.
    """

    recordings: Recordings = field(default_factory=lambda: Recordings({}))
    model: str = MODEL
    accepted_keys: frozenset[str] = frozenset()
    latency_s: float = 0.0
    looks: int = 2
    faults: tuple[FaultRule, ...] = ()
    limits: RateLimits = field(default_factory=RateLimits)


def create_app(options: BotOptions | None = None) -> Starlette:
    """Build the application; ``app.state.standin`` is its state."""
    options = options or BotOptions()
    standin = Standin(
        kinds={"ask": BOT_FAULTS, "jobs.create": BOT_FAULTS, "jobs.retrieve": BOT_FAULTS},
        rules=options.faults,
        latency_s=options.latency_s,
        limits=options.limits,
    )
    bot = _Bot(options, standin)
    routes = [
        _route(standin, "POST /ask", "ask", bot.ask),
        _route(standin, "POST /jobs", "jobs.create", bot.begin),
        _route(standin, "GET /jobs/{id}", "jobs.retrieve", bot.look),
        *Controls(standin).routes(),
    ]
    app = Starlette(routes=routes)
    app.state.standin = standin
    return app


def _route(standin: Standin, url: str, name: str, answer: Callable[[Request], Awaitable[Answer]]) -> Route:
    method, _, path = url.partition(" ")
    return Route(path, CountedEndpoint(name, counts=standin.counts, answer=answer), methods=[method])


@dataclass(frozen=True, slots=True)
class _Error:
    """An error as the bot words it."""

    status: int
    message: str

    def response(self, headers: Headers, *, message: str | None = None) -> Response:
        """Return it as an answer."""
        body = orjson.dumps({"detail": message or self.message})
        return Response(body, self.status, headers=dict(headers), media_type="application/json")


class _Manners:
    """The bot's headers and words."""

    def __init__(self, accepted_keys: frozenset[str]) -> None:
        self._accepted_keys = accepted_keys

    def headers(self) -> dict[str, str]:
        """Return none of its own."""
        return {}

    def judge_key(self, request: Request) -> ProviderError | None:
        """Return what is wrong with the bearer token of a request."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        wrong = self._accepted_keys and token not in self._accepted_keys
        return _Error(HTTPStatus.UNAUTHORIZED, "unknown token") if wrong else None

    def levels(self, _limiter: RateLimiter) -> Headers:
        """Return none."""
        return {}

    def timing(self, _elapsed_ms: int) -> Headers:
        """Return none."""
        return {}

    def rate_limited(self, wait_s: float, headers: Headers) -> Response:
        """Return the answer to who asks too much."""
        return _Error(HTTPStatus.TOO_MANY_REQUESTS, "slow down").response({**headers, **retry_headers(wait_s)})

    def fault(self, rule: FaultRule, headers: Headers, *, not_found: ProviderError | None) -> Response | None:
        """Return the answer of a fault that is an HTTP error, or None for every other fault."""
        del not_found
        status = _STATUSES.get(rule.kind)
        if status is None:
            return None
        waits = {} if rule.retry_after is None else {"retry-after": str(rule.retry_after)}
        return _Error(status, f"fault {rule.kind}").response({**headers, **waits}, message=rule.message)


@dataclass(slots=True)
class _Job:
    """An answer that is being made."""

    text: str
    looks: int = 0


class _Bot:
    """Its endpoints."""

    def __init__(self, options: BotOptions, standin: Standin) -> None:
        self._options = options
        self._standin = standin
        self._desk = Reception(standin, _Manners(options.accepted_keys))
        self._jobs: dict[str, _Job] = {}
        self._numbers = itertools.count(1)

    async def ask(self, request: Request) -> Answer:
        """Answer a question."""
        raw = await request.body()

        def read() -> Work:
            text = _text_of(raw)

            async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
                return json_answer(orjson.dumps(self._answer(text, rule)), headers, rule)

            return Work(endpoint="ask", model=self._options.model, texts=[text], answer=answer)

        return await self._desk.serve(request, read)

    async def begin(self, request: Request) -> Answer:
        """Take a question and say where its answer will be."""
        raw = await request.body()

        def read() -> Work:
            text = _text_of(raw)

            async def answer(_rule: FaultRule | None, headers: Headers) -> Answer:
                number = f"j{next(self._numbers)}"
                self._jobs[number] = _Job(text)
                links = {"self": f"/jobs/{number}"}
                body = orjson.dumps({"id": number, "status": "queued", "links": links})
                location = {**headers, "location": links["self"]}
                return Response(body, HTTPStatus.ACCEPTED, headers=location, media_type="application/json")

            return Work(endpoint="jobs.create", model=self._options.model, texts=[text], answer=answer)

        return await self._desk.serve(request, read)

    async def look(self, request: Request) -> Answer:
        """Tell how far a job is, and its answer once it is done."""
        number = request.path_params["id"]

        def read() -> Work:
            job = self._jobs.get(number)
            if job is None:
                raise RefusedError(_Error(HTTPStatus.NOT_FOUND, f"no job {number}"), f"no job {number}")

            async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
                job.looks += 1
                document = self._state(job, rule)
                return json_answer(orjson.dumps({"id": number, **document}), headers, rule)

            return Work(endpoint="jobs.retrieve", model=self._options.model, texts=[job.text], answer=answer)

        return await self._desk.serve(request, read)

    def _state(self, job: _Job, rule: FaultRule | None) -> Mapping[str, object]:
        if rule is not None and rule.kind is FaultKind.STATUS_FAILED:
            return {"status": "error", "message": rule.message or "the job failed"}
        if job.looks <= self._options.looks:
            return {"status": "running"}
        return {"status": "done", **self._answer(job.text, rule)}

    def _answer(self, text: str, rule: FaultRule | None) -> Mapping[str, object]:
        said = self._options.recordings.answer(self._options.model, text)
        if rule is not None and rule.kind is FaultKind.EMPTY:
            said = ""
        sources = [{"text": f"What is known of: {text[:60]}", "file": "handbook.pdf", "score": 0.9}]
        used = {"in": count_tokens(text), "out": count_tokens(said)}
        counts = self._standin.counts["ask"]
        counts.billed[text] += 1
        usage = {} if rule is not None and rule.kind is FaultKind.NO_USAGE else {"usage": used}
        return {"data": {"answer": said, "sources": sources}, **usage}


def _text_of(raw: bytes) -> str:
    try:
        document = orjson.loads(raw)
        text = document["text"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise RefusedError(_Error(HTTPStatus.UNPROCESSABLE_ENTITY, "text is missing"), "text is missing") from None
    if not isinstance(text, str):
        raise RefusedError(_Error(HTTPStatus.UNPROCESSABLE_ENTITY, "text is no text"), "text is no text")
    return text
