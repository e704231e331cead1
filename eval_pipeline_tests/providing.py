"""A provider for tests: the OpenAI stand-in in a thread, with its counters and faults within reach."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Condition
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.counts import EndpointCounts
from eval_pipeline.standins.faults import read_rules
from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.server import serve

PATIENCE_S = 60


class Arrivals:
    """Counts the requests that arrive, and lets others wait for them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._count = 0

    def reset(self) -> None:
        """Count from zero."""
        with self._changed:
            self._count = 0

    def note(self) -> None:
        """Count one."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        """Return when so many have arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._count >= count, PATIENCE_S), f"{self._count} of {count} came"


class _Announced:
    """The application behind a door that counts."""

    def __init__(self, app: ASGIApp, *, arrivals: Arrivals) -> None:
        self._app = app
        self._arrivals = arrivals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/v1/responses":
            self._arrivals.note()
        await self._app(scope, receive, send)


class Provider:
    """A running stand-in."""

    def __init__(self, url: str, *, standin: Standin, arrivals: Arrivals) -> None:
        self.base_url = f"{url}/v1"
        self._standin = standin
        self._arrivals = arrivals

    @property
    def answers(self) -> EndpointCounts:
        """What was asked of ``/v1/responses``."""
        return self._standin.counts["responses"]

    @property
    def embeddings(self) -> EndpointCounts:
        """What was asked of ``/v1/embeddings``."""
        return self._standin.counts["embeddings"]

    @contextmanager
    def behaving(self, *rules: Mapping[str, Any], latency_s: float = 0.0) -> Iterator[None]:
        """Count from zero, go wrong by these rules and answer this slowly, for the time of a ``with``."""
        self._standin.counts.reset()
        self._arrivals.reset()
        self._standin.set_rules(read_rules([dict(rule) for rule in rules]))
        self._standin.latency_s = latency_s
        try:
            yield
        finally:
            self._standin.set_rules(())
            self._standin.latency_s = 0.0

    def answer_after(self, latency_s: float) -> None:
        """Answer the requests that come from now on this slowly."""
        self._standin.latency_s = latency_s

    def wait_for(self, requests: int) -> None:
        """Wait until so many answers were asked for."""
        self._arrivals.wait_for(requests)


@contextmanager
def provider(
    answers: Mapping[tuple[str, str], str] | None = None, *, keys: frozenset[str] = frozenset()
) -> Iterator[Provider]:
    """Run a stand-in that replays these answers by (model, question) and accepts these keys; any key when empty."""
    app = create_app(OpenAIOptions(recordings=Recordings(answers or {}), accepted_keys=keys))
    arrivals = Arrivals()
    app.add_middleware(_Announced, arrivals=arrivals)
    with serve(app) as url:
        yield Provider(url, standin=app.state.standin, arrivals=arrivals)
