"""A small run to deliver, and a stand-in server to deliver it to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import httpx

from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.tracing import DeliveredTrace, DeliveryCounts, Generation, ItemTrace, TraceRun, TraceScore
from eval_pipeline.providers.langfuse.sink import LangfuseSink
from eval_pipeline.standins.langfuse.app import LangfuseOptions, create_app
from eval_pipeline.standins.server import serve

PUBLIC_KEY, SECRET_KEY = "pk-lf-test", "sk-lf-very-secret"
STARTED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUN = TraceRun(
    experiment_id="e" * 32,
    name="demo",
    metadata={"spec_hash": "cd", "model_body": {"model": "m"}},
    dataset_name="प्रश्न@abababababab",
    dataset_metadata={"version": "ab"},
    model_parameters={"temperature": 0.5},
)


def digits(*parts: object, length: int = 32) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:length]


def item(number: int, **other: object) -> ItemTrace:
    made = ItemTrace(
        item_id=f"q{number}#1",
        dataset_item_id=digits("dataset item", number),
        trace_id=digits("trace", number),
        span_id=digits("span", number, length=16),
        question=f"What is {number}?",
        golden_answer=str(number),
        answer=f"It is {number}.",
        problem=None,
        started_at=STARTED_AT + number * timedelta(milliseconds=1),
        latency_s=1.5,
        dataset_metadata={"question_id": f"q{number}", "repeat": 1},
        metadata={"status": "ok", "attempts": 1},
        generation=Generation(
            span_id=digits("generation", number, length=16),
            output=f"It is {number}.",
            model="m-2026",
            usage=Usage(input=10, cached_input=4, output=7, reasoning=2, total=17),
            cost_usd=Decimal("0.00125"),
        ),
        scores=(score(number, "cosine_similarity", 0.75), score(number, "exact_match", 1.0, data_type="BOOLEAN")),
    )
    return replace(made, **other)


def score(
    number: int, name: str, value: float, *, data_type: str = "NUMERIC", comment: str | None = None
) -> TraceScore:
    return TraceScore(digits("score", number, name), name=name, value=value, data_type=data_type, comment=comment)


def items(count: int) -> list[ItemTrace]:
    return [item(number) for number in range(count)]


@dataclass
class Server:
    """A stand-in and how it is looked at, by one client: certificates take 20 ms to load, also where none is needed."""

    url: str
    control: httpx.Client

    def forget(self) -> None:
        """Begin anew."""
        for what in ("state", "faults", "counts"):
            self.control.delete(f"/__standin__/{what}").raise_for_status()

    def state(self) -> dict[str, Any]:
        return dict(self.control.get("/__standin__/state").json())

    def stored(self) -> dict[str, Any]:
        """Everything but how often and when it was written."""
        return _without(self.state(), {"times_received", "updatedAt"})

    def break_with(self, *rules: dict[str, Any]) -> None:
        self.control.post("/__standin__/faults", json=rules).raise_for_status()

    def calls(self, endpoint: str) -> int:
        return int(self.control.get("/__standin__/counts").json()[endpoint]["requests"])


def _without(value: object, names: set[str]) -> object:
    if isinstance(value, dict):
        return {key: _without(inner, names) for key, inner in value.items() if key not in names}
    return [_without(inner, names) for inner in value] if isinstance(value, list) else value


@contextmanager
def langfuse_server() -> Iterator[Server]:
    app = create_app(LangfuseOptions(keys={PUBLIC_KEY: SECRET_KEY}))
    with serve(app) as url, httpx.Client(base_url=url) as control:
        yield Server(url, control)


def sink(url: str, *, slept: list[float] | None = None, **other: object) -> LangfuseSink:
    given = {"base_url": url, "public_key": PUBLIC_KEY, "secret_key": SECRET_KEY, **other}
    return LangfuseSink(sleep=([] if slept is None else slept).append, **given)


def deliver(
    to: LangfuseSink, traces: Sequence[ItemTrace], *, run: TraceRun = RUN
) -> tuple[Sequence[DeliveredTrace], DeliveryCounts]:
    with to.open(run) as delivery:
        return delivery.send(traces), delivery.counts
