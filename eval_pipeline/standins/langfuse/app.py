"""The Langfuse stand-in: OTLP traces, datasets, items and scores over HTTP, kept in memory.

``GET /__standin__/state`` shows everything received, ``DELETE`` forgets it; faults, settings and
counts as in ``control.py``. Nothing is delayed: what was accepted can be read at once.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.breakage import Answer, Gone, client_left_within, spoiled, unanswered
from eval_pipeline.standins.control import Controls, Standin, as_json
from eval_pipeline.standins.counts import CountedEndpoint
from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.langfuse.otlp import read_spans
from eval_pipeline.standins.langfuse.state import PROJECT_ID, Document, LangfuseState, RefusedError
from eval_pipeline.standins.limits import retry_headers

MAX_SCORES_BYTES = 1024 * 1024
MAX_PAGE = 100
_PROJECT = {
    "id": PROJECT_ID,
    "name": "Stand-in",
    "organization": {"id": "standin-organization", "name": "Stand-in"},
    "metadata": {},
    "retentionDays": None,
}
_STATUS = {
    FaultKind.RATE_LIMIT: HTTPStatus.TOO_MANY_REQUESTS,
    FaultKind.RATE_LIMIT_NO_HEADER: HTTPStatus.TOO_MANY_REQUESTS,
    FaultKind.SERVER_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
    FaultKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultKind.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    FaultKind.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    FaultKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
}

Handler = Callable[[Request, bytes], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class LangfuseOptions:
    """How a Langfuse stand-in starts.

    Args:
        keys: Secret key by public key; any pair is accepted when empty.
        latency_s: Time that every request takes.
        faults: The fault rules in force.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    latency_s: float = 0.0
    faults: tuple[FaultRule, ...] = ()


def create_app(options: LangfuseOptions | None = None) -> Starlette:
    """Build the application; ``app.state.standin`` is its state, ``app.state.langfuse`` what it was sent."""
    options = options or LangfuseOptions()
    names = ("health", "projects", "datasets", "dataset-items", "scores", "traces", "ingestion")
    standin = Standin(
        kinds=dict.fromkeys(names, TRANSPORT_FAULTS),
        rules=options.faults,
        latency_s=options.latency_s,
    )
    api = _Langfuse(options, standin)
    app = Starlette(routes=[*api.routes(), *Controls(standin).routes()], exception_handlers={404: unknown_url})
    app.state.standin = standin
    app.state.langfuse = api
    return app


async def unknown_url(request: Request, error: Exception) -> Response:
    """Answer a URL that does not exist."""
    del request, error
    return _refusal(HTTPStatus.NOT_FOUND, "Not found")


class _Langfuse:
    """The endpoints of one stand-in and what was sent to them."""

    def __init__(self, options: LangfuseOptions, standin: Standin) -> None:
        self._keys = dict(options.keys)
        self._standin = standin
        self.state = LangfuseState()

    def routes(self) -> list[Route]:
        """Return all routes; the order matters where one path begins like another."""
        root = "/api/public"
        return [
            self._route(f"{root}/health", "health", GET=self.health),
            self._route(f"{root}/projects", "projects", GET=self.projects),
            self._route(f"{root}/v2/datasets", "datasets", GET=self.list_datasets, POST=self.put_dataset),
            self._route(f"{root}/v2/datasets/{{name:path}}", "datasets", GET=self.get_dataset),
            self._route(f"{root}/dataset-items", "dataset-items", GET=self.list_items, POST=self.put_item),
            self._route(
                f"{root}/dataset-items/{{id:path}}",
                "dataset-items",
                GET=self.get_item,
                DELETE=self.delete_item,
            ),
            self._route(f"{root}/scores", "scores", POST=self.put_scores),
            self._route(f"{root}/scores/{{id:path}}", "scores", DELETE=self.delete_score),
            self._route(f"{root}/otel/v1/traces", "traces", POST=self.put_spans),
            self._route(f"{root}/ingestion", "ingestion", POST=self.ingest),
            Route("/__standin__/state", self.show_state, methods=["GET", "DELETE"]),
        ]

    def _route(self, path: str, name: str, **handlers: Handler) -> Route:
        async def answer(request: Request) -> Answer:
            body = await request.body()
            handler = handlers["GET" if request.method == "HEAD" else request.method]
            return await self._serve(request, name=name, make=lambda: handler(request, body))

        endpoint = CountedEndpoint(name, counts=self._standin.counts, answer=answer)
        return Route(path, endpoint, methods=list(handlers))

    async def _serve(self, request: Request, *, name: str, make: Callable[[], Response]) -> Answer:
        latency_s = self._standin.latency_s
        if latency_s and await client_left_within(request.receive, seconds=latency_s):
            return Gone()
        body = (await request.body()).decode(errors="replace")
        rule = self._standin.faults.choose(name, [body])
        if rule is not None:
            self._standin.counts[name].faults[rule.kind] += 1
            if unmade := _fault_response(rule) or unanswered(rule, {}):
                return unmade
        if name != "health" and not self._knows(request):
            return _refusal(HTTPStatus.UNAUTHORIZED, "Invalid credentials. Confirm that you've configured the keys.")
        try:
            whole = make()
        except RefusedError as error:
            return _refusal(error.status, str(error))
        except ValueError as error:  # broken JSON, protobuf or page number
            return _refusal(HTTPStatus.BAD_REQUEST, f"Invalid request data: {error}")
        return whole if rule is None else spoiled(rule, whole)

    def _knows(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            public, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = self._keys.get(public) == secret if self._keys else True
        return scheme.lower() == "basic" and bool(public and secret) and known

    def health(self, request: Request, body: bytes) -> Response:
        """Say that all is well."""
        del request, body
        return as_json({"version": "3.0.0", "status": "OK"})

    def projects(self, request: Request, body: bytes) -> Response:
        """Return the one project."""
        del request, body
        return as_json({"data": [_PROJECT]})

    def list_datasets(self, request: Request, body: bytes) -> Response:
        """Return a page of the datasets."""
        del body
        return _page(request, list(self.state.datasets.values()))

    def put_dataset(self, request: Request, body: bytes) -> Response:
        """Create or update a dataset."""
        del request
        return as_json(self.state.put_dataset(_read_object(body)))

    def get_dataset(self, request: Request, body: bytes) -> Response:
        """Return a dataset by name."""
        del body
        return as_json(self.state.dataset(request.path_params["name"]))

    def list_items(self, request: Request, body: bytes) -> Response:
        """Return a page of the items of a dataset."""
        del body
        wanted = request.query_params.get("datasetName")
        items = [item for item in self.state.items.values() if wanted in (None, item["datasetName"])]
        return _page(request, items)

    def put_item(self, request: Request, body: bytes) -> Response:
        """Create or update a dataset item."""
        del request
        return as_json(self.state.put_item(_read_object(body)))

    def get_item(self, request: Request, body: bytes) -> Response:
        """Return a dataset item by id."""
        del body
        return as_json(self.state.item(request.path_params["id"]))

    def delete_item(self, request: Request, body: bytes) -> Response:
        """Delete a dataset item."""
        del body
        del self.state.items[self.state.item(request.path_params["id"])["id"]]
        return as_json({"message": "Dataset item successfully deleted"})

    def put_scores(self, request: Request, body: bytes) -> Response:
        """Store a list of scores (202, or 207 when some are refused), or one score (200)."""
        del request
        if len(body) > MAX_SCORES_BYTES:
            raise RefusedError("Body exceeds 1mb limit", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        given = orjson.loads(body)
        if not isinstance(given, list):
            return as_json({"id": self.state.put_score(given)["id"]})
        errors = self._store_each(given)
        if not errors:
            return as_json({"message": "Accepted"}, HTTPStatus.ACCEPTED)
        accepted = len(given) - len(errors)
        report = {"accepted": accepted, "rejected": len(errors), "errors": errors}
        return as_json(report, HTTPStatus.MULTI_STATUS)

    def _store_each(self, scores: list[Json]) -> list[Document]:
        errors: list[Document] = []
        for score in scores:
            try:
                self.state.put_score(score)
            except RefusedError as error:
                errors.append({"message": str(error)})
        return errors

    def delete_score(self, request: Request, body: bytes) -> Response:
        """Delete a score, whatever its timestamps."""
        del body
        gone = [key for key in self.state.scores if key[0] == request.path_params["id"]]
        for key in gone:
            del self.state.scores[key]
        return as_json({"message": "Score deletion queued"}, HTTPStatus.ACCEPTED)

    def put_spans(self, request: Request, body: bytes) -> Response:
        """Store exported spans; the empty body is OTLP's way to say that all were taken."""
        if not request.headers.get("content-type", "").startswith("application/x-protobuf"):
            message = "Only application/x-protobuf is taken"
            raise RefusedError(message, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        self.state.put_spans(read_spans(body, encoding=request.headers.get("content-encoding", "")))
        return Response(b"", media_type="application/x-protobuf")

    def ingest(self, request: Request, body: bytes) -> Response:
        """Take a batch of events of older clients; only ``score-create`` is stored."""
        del request
        events = _read_object(body).get("batch", [])
        for event in events:
            if event.get("type") == "score-create":
                self.state.put_score({"timestamp": event.get("timestamp"), **event.get("body", {})})
        successes = [{"id": event.get("id"), "status": HTTPStatus.CREATED} for event in events]
        return as_json({"successes": successes, "errors": []}, HTTPStatus.MULTI_STATUS)

    async def show_state(self, request: Request) -> Response:
        """Show or forget everything received."""
        if request.method == "DELETE":
            self.state = LangfuseState()
        return as_json(self.state.as_json())


def _fault_response(rule: FaultRule) -> Response | None:
    """Return the answer of a fault that is an HTTP error; nothing of the request is stored then."""
    status = _STATUS.get(rule.kind)
    if status is None:
        return None
    timed = rule.kind in (FaultKind.RATE_LIMIT, FaultKind.UNAVAILABLE)
    return _refusal(status, rule.message or status.phrase, retry_headers(rule.retry_after) if timed else {})


def _read_object(body: bytes) -> Document:
    document = orjson.loads(body)
    if not isinstance(document, dict):
        raise RefusedError("Invalid request data: expected an object")
    return document


def _refusal(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return as_json({"message": message, "error": status.phrase}, status, headers)


def _page(request: Request, documents: list[Document]) -> Response:
    number = int(request.query_params.get("page", "1"))
    limit = min(int(request.query_params.get("limit", "50")), MAX_PAGE)
    total = len(documents)
    meta = {"page": number, "limit": limit, "totalItems": total, "totalPages": -(-total // limit)}
    return as_json({"data": documents[(number - 1) * limit : number * limit], "meta": meta})
