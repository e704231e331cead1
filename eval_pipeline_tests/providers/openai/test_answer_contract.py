"""What live answers of both OpenAI protocols come to, through the same calls as in a run, against the stand-in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pytest

from eval_pipeline.core.outcomes import ItemRecord, ItemStatus, Usage
from eval_pipeline.core.ports.models import Answerer
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.dispatch.breaker import AskedModel
from eval_pipeline.dispatch.gate import Timing
from eval_pipeline.dispatch.live import LiveRequest, run_live
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.responses import OpenAIAnswerer
from eval_pipeline.providers.openai_chat.answers import ChatAnswerer
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline_tests.providers.wire import http_answer, wire

Expected = tuple[ItemStatus, str | None, int]
STATUSES: dict[FaultKind | None, Expected] = {
    None: (ItemStatus.OK, None, 1),
    FaultKind.INCOMPLETE: (ItemStatus.INCOMPLETE, "max_output_tokens", 1),
    FaultKind.CONTENT_FILTER: (ItemStatus.INCOMPLETE, "content_filter", 1),
    FaultKind.REFUSAL: (ItemStatus.REFUSED, "refusal", 1),
    FaultKind.EMPTY: (ItemStatus.EMPTY, "empty_output", 1),
    FaultKind.BAD_REQUEST: (ItemStatus.FAILED, "invalid_value", 1),
    FaultKind.INSUFFICIENT_QUOTA: (ItemStatus.FAILED, "insufficient_quota", 1),
    FaultKind.UNAUTHORIZED: (ItemStatus.FAILED, "invalid_api_key", 1),
    FaultKind.NOT_FOUND: (ItemStatus.FAILED, "model_not_found", 1),
    FaultKind.HTML: (ItemStatus.FAILED, "not_an_api", 1),
    FaultKind.RATE_LIMIT: (ItemStatus.FAILED, "rate_limit_exceeded", 3),
    FaultKind.RATE_LIMIT_NO_HEADER: (ItemStatus.FAILED, "rate_limit_exceeded", 3),
    FaultKind.SERVER_ERROR: (ItemStatus.FAILED, "server_error", 3),
    FaultKind.UNAVAILABLE: (ItemStatus.FAILED, "service_unavailable", 3),
    FaultKind.STATUS_FAILED: (ItemStatus.FAILED, "server_error", 3),
    FaultKind.RESET: (ItemStatus.FAILED, "connection_lost", 3),
    FaultKind.CUT: (ItemStatus.FAILED, "connection_lost", 3),
    FaultKind.TIMEOUT: (ItemStatus.FAILED, "timeout", 3),
    FaultKind.TRUNCATED_JSON: (ItemStatus.MISSING, "malformed_response", 3),
    FaultKind.MALFORMED: (ItemStatus.MISSING, "malformed_response", 3),
}


@dataclass(frozen=True)
class Protocol:
    """One protocol, and what is different about it."""

    answerer: Callable[[OpenAIConnection], Answerer]
    endpoint: str
    differs: dict[FaultKind, Expected]


PROTOCOLS = {
    "responses": Protocol(OpenAIAnswerer, "responses", {}),
    "chat": Protocol(
        ChatAnswerer,
        "chat",
        {
            FaultKind.CONTENT_FILTER: (ItemStatus.REFUSED, "content_filter", 1),
            FaultKind.STATUS_FAILED: (ItemStatus.FAILED, "http_502", 3),
        },
    ),
}


@pytest.fixture(params=list(PROTOCOLS))
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return PROTOCOLS[request.param]


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


def ask(protocol: Protocol, base_url: str, questions: list[str]) -> dict[str, ItemRecord]:
    records: dict[str, ItemRecord] = {}
    clock = Clock()

    async def record(item: ItemRecord) -> None:
        records[item.item_id] = item

    async def work() -> None:
        async with OpenAIConnection(api_key="sk-test", base_url=base_url, timeout_s=1.0) as connection:
            await run_live(
                [LiveRequest(text, {"model": "gpt-4o", "input": text}) for text in questions],
                answerer=protocol.answerer(connection),
                record=record,
                policy=RetryPolicy(max_attempts=3),
                concurrency=2,
                endpoint=AskedModel("OpenAI", base_url, "gpt-4o", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
                proven=True,
                timing=Timing(clock=clock, sleep=clock.sleep, jitter=lambda: 0.5),
            )

    asyncio.run(work())
    return records


SLOW = pytest.mark.slow  # both go out through the same connection: that a call takes too long is seen once


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=SLOW if (name, kind) == ("chat", FaultKind.TIMEOUT) else ())
        for name in PROTOCOLS
        for kind in STATUSES
    ],
)
def test_every_status_comes_from_a_real_answer_of_that_kind(
    standin: Standin, standin_url: str, name: str, kind: FaultKind | None
) -> None:
    protocol = PROTOCOLS[name]
    standin.set_rules([] if kind is None else [FaultRule(kind=kind, match="bad")])

    records = ask(protocol, standin_url, ["good", "bad"])

    usual = STATUSES[kind]
    status, code, attempts = usual if kind is None else protocol.differs.get(kind, usual)
    bad, good = records["bad"], records["good"]
    assert (bad.status, bad.error.code if bad.error else None, bad.attempts) == (status, code, attempts)
    assert (bad.answer is not None) == (status is ItemStatus.OK)
    assert (good.status, good.error) == (ItemStatus.OK, None)
    assert standin.counts[protocol.endpoint].requests == 1 + attempts


@pytest.mark.parametrize(
    "kind", [FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR, FaultKind.RESET, FaultKind.CUT, FaultKind.TRUNCATED_JSON]
)
def test_a_fault_that_passes_leaves_no_trace_but_the_attempts(
    standin: Standin, standin_url: str, protocol: Protocol, kind: FaultKind
) -> None:
    standin.set_rules([FaultRule(kind=kind, match="bad", times=2)])

    records = ask(protocol, standin_url, ["bad"])

    assert (records["bad"].status, records["bad"].attempts) == (ItemStatus.OK, 3)


def test_an_answer_without_usage_is_an_answer_of_unknown_cost(
    standin: Standin, standin_url: str, protocol: Protocol
) -> None:
    standin.set_rules([FaultRule(kind=FaultKind.NO_USAGE)])

    records = ask(protocol, standin_url, ["x"])

    assert (records["x"].status, records["x"].usage) == (ItemStatus.OK, None)


def test_a_key_in_the_providers_words_is_blanked_out(protocol: Protocol) -> None:
    body = orjson.dumps({"error": {"message": "Incorrect API key: sk-test", "code": "invalid_api_key"}})

    with wire(http_answer(body, status="401 Unauthorized")) as base_url:
        records = ask(protocol, base_url, ["x"])

    assert records["x"].error is not None
    assert records["x"].error.message == "Incorrect API key: [key]"


def test_both_protocols_ask_and_count_the_same(standin: Standin, standin_url: str) -> None:
    """One frozen body: the same question, system prompt and limits, the same answer, the same tokens."""
    body = {
        "model": "gpt-4o",
        "instructions": "Be brief. " * 500,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object", "properties": {}}}},
        "max_output_tokens": 64,
        "metadata": {"a": "b"},
        "temperature": 0.25,
        "input": "How high is it?",
    }

    async def work(protocol: Protocol) -> tuple[str | None, Usage | None]:
        async with OpenAIConnection(api_key="sk-test", base_url=standin_url) as connection:
            attempt = await protocol.answerer(connection).ask(body)
            return attempt.text, attempt.usage

    responses, chat = (asyncio.run(work(protocol)) for protocol in PROTOCOLS.values())

    assert responses == chat
    assert chat[1] is not None
    assert (chat[1].cached_input, chat[1].reasoning) == (1_152, 64)
