"""What a stand-in has served: the witness in every test about calls, charges and concurrency."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from eval_pipeline.standins.breakage import Answer, Gone
from eval_pipeline.standins.faults import FaultKind


@dataclass(slots=True)
class EndpointCounts:
    """Counters of one endpoint; ``asked`` says how often each input came, ``billed`` how often it was executed."""

    requests: int = 0
    in_flight: int = 0
    max_concurrent: int = 0
    inputs: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[FaultKind] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    billed: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Count a request that has arrived."""
        self.requests += 1
        self.in_flight += 1
        self.max_concurrent = max(self.max_concurrent, self.in_flight)

    def note_inputs(self, model: str, texts: Sequence[str]) -> None:
        """Count the inputs of a valid request."""
        self.models[model] += 1
        self.inputs += len(texts)
        self.asked.update(texts)

    def note_tokens(self, usage: Mapping[str, int]) -> None:
        """Count what an answer costs, whether or not it reaches the client."""
        self.tokens.update(usage)

    def as_json(self, *, detail: bool) -> dict[str, object]:
        """Return the counters, with ``detail`` also how often each text was asked."""
        document: dict[str, object] = {
            "requests": self.requests,
            "in_flight": self.in_flight,
            "max_concurrent": self.max_concurrent,
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "faults": {kind.value: count for kind, count in self.faults.items()},
            "models": dict(self.models),
            "inputs": self.inputs,
            "distinct_inputs": len(self.asked),
            "tokens": dict(self.tokens),
        }
        return document | {"asked": dict(self.asked), "billed": dict(self.billed)} if detail else document


class Counts:
    """The counters of every endpoint of one stand-in."""

    def __init__(self, endpoints: Sequence[str]) -> None:
        self._endpoints = {name: EndpointCounts() for name in endpoints}

    def __getitem__(self, endpoint: str) -> EndpointCounts:
        return self._endpoints[endpoint]

    def reset(self) -> None:
        """Start over; requests still in flight keep being counted as such."""
        for name, counts in self._endpoints.items():
            flying = counts.in_flight
            self._endpoints[name] = EndpointCounts(in_flight=flying, max_concurrent=flying)

    def as_json(self, *, detail: bool) -> dict[str, object]:
        """Return all counters by endpoint."""
        return {name: counts.as_json(detail=detail) for name, counts in self._endpoints.items()}


class CountedEndpoint:
    """One URL as an ASGI application that keeps the counters while it answers."""

    def __init__(self, name: str, *, counts: Counts, answer: Callable[[Request], Awaitable[Answer]]) -> None:
        self.name = name
        self._counts = counts
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; it is in flight until its answer is out or its client is gone."""
        self._counts[self.name].begin()
        try:
            answer = await self._answer_or_gone(Request(scope, receive))
            if answer.status_code is not None:
                self._counts[self.name].statuses[answer.status_code] += 1
            await answer(scope, receive, send)
        finally:
            self._counts[self.name].in_flight -= 1

    async def _answer_or_gone(self, request: Request) -> Answer:
        try:
            return await self._answer(request)
        except ClientDisconnect:  # while it still sent the body
            return Gone()
