"""Live answers of Claude through the same calls as in a run, against the stand-in, and calls about its batches."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.dispatch.breaker import AskedModel
from eval_pipeline.dispatch.gate import Timing
from eval_pipeline.dispatch.live import LiveRequest, run_live
from eval_pipeline.providers.anthropic.batch_lines import AnthropicLines
from eval_pipeline.providers.anthropic.batches import AnthropicBatches
from eval_pipeline.providers.anthropic.client import AnthropicConnection
from eval_pipeline.providers.anthropic.messages import AnthropicAnswerer
from eval_pipeline.standins.anthropic.app import AnthropicOptions, create_app
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.providers.openai.test_answer_contract import Clock
from eval_pipeline_tests.providers.script import Script, scripted

KEY = "sk-ant-the-right-key"
STATUSES: dict[FaultKind | None, tuple[ItemStatus, str | None, int]] = {
    None: (ItemStatus.OK, None, 1),
    FaultKind.THOUGHT: (ItemStatus.OK, None, 1),
    FaultKind.MAX_TOKENS: (ItemStatus.INCOMPLETE, "max_tokens", 1),
    FaultKind.CONTEXT_WINDOW: (ItemStatus.INCOMPLETE, "model_context_window_exceeded", 1),
    FaultKind.PAUSE_TURN: (ItemStatus.INCOMPLETE, "pause_turn", 1),
    FaultKind.TOOL_USE: (ItemStatus.EMPTY, "empty_output", 1),
    FaultKind.EMPTY: (ItemStatus.EMPTY, "empty_output", 1),
    FaultKind.REFUSAL: (ItemStatus.REFUSED, "refusal", 1),
    FaultKind.BAD_REQUEST: (ItemStatus.FAILED, "invalid_request_error", 1),
    FaultKind.TOO_LARGE: (ItemStatus.FAILED, "request_too_large", 1),
    FaultKind.INSUFFICIENT_QUOTA: (ItemStatus.FAILED, "invalid_request_error", 1),
    FaultKind.BILLING: (ItemStatus.FAILED, "billing_error", 1),
    FaultKind.UNAUTHORIZED: (ItemStatus.FAILED, "authentication_error", 1),
    FaultKind.FORBIDDEN: (ItemStatus.FAILED, "permission_error", 1),
    FaultKind.NOT_FOUND: (ItemStatus.FAILED, "not_found_error", 1),
    FaultKind.HTML: (ItemStatus.FAILED, "not_an_api", 1),
    FaultKind.RATE_LIMIT: (ItemStatus.FAILED, "rate_limit_error", 3),
    FaultKind.OVERLOADED: (ItemStatus.FAILED, "overloaded_error", 3),
    FaultKind.SERVER_ERROR: (ItemStatus.FAILED, "api_error", 3),
    FaultKind.RESET: (ItemStatus.FAILED, "connection_lost", 3),
    FaultKind.CUT: (ItemStatus.FAILED, "connection_lost", 3),
    FaultKind.TRUNCATED_JSON: (ItemStatus.MISSING, "malformed_response", 3),
    FaultKind.MALFORMED: (ItemStatus.MISSING, "malformed_response", 3),
}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Standin, str]]:
    app = create_app(AnthropicOptions(accepted_keys=frozenset({KEY})))
    with serve(app) as url:
        yield app.state.standin, url


def ask(base_url: str, questions: list[str], *, key: str = KEY) -> dict[str, ItemRecord]:
    records: dict[str, ItemRecord] = {}
    clock = Clock()

    async def record(item: ItemRecord) -> None:
        records[item.item_id] = item

    async def work() -> None:
        async with AnthropicConnection(api_key=key, base_url=base_url, timeout_s=1.0) as connection:
            await run_live(
                [LiveRequest(text, {"model": "claude-sonnet-5", "input": text}) for text in questions],
                answerer=AnthropicAnswerer(connection),
                record=record,
                policy=RetryPolicy(max_attempts=3),
                concurrency=2,
                endpoint=AskedModel("Anthropic", base_url, "claude-sonnet-5", "ANTHROPIC_API_KEY", "base_url"),
                proven=True,
                timing=Timing(clock=clock, sleep=clock.sleep, jitter=lambda: 0.5),
            )

    asyncio.run(work())
    return records


@pytest.mark.parametrize("kind", STATUSES)
def test_every_status_comes_from_a_real_answer_of_that_kind(
    served: tuple[Standin, str], kind: FaultKind | None
) -> None:
    standin, url = served
    standin.set_rules([] if kind is None else [FaultRule(kind=kind, match="bad", retry_after=0.1)])

    records = ask(url, ["good", "bad"])

    status, code, attempts = STATUSES[kind]
    bad, good = records["bad"], records["good"]
    assert (bad.status, bad.error.code if bad.error else None, bad.attempts) == (status, code, attempts)
    assert (bad.answer is not None) == (status is ItemStatus.OK)
    assert (good.status, good.error) == (ItemStatus.OK, None)
    assert good.usage is not None


@pytest.mark.parametrize("root", ["", "/v1", "/"])
def test_an_address_may_end_with_the_version_and_the_key_stays_in_its_header(script: Script, root: str) -> None:
    script.say(401, {"type": "error", "error": {"type": "authentication_error", "message": f"no such key: {KEY}"}})

    record = ask(script.url + root, ["q"])["q"]

    [asked] = script.asked
    assert asked.path == "/v1/messages"
    assert (asked.headers["x-api-key"], asked.headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert orjson.loads(asked.body)["max_tokens"] == 4_096
    assert record.error is not None
    assert KEY not in record.error.message
    assert KEY not in repr(AnthropicConnection(api_key=KEY, base_url=script.url))


def test_nobody_follows_to_another_host(tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.write_bytes(AnthropicLines(body={"model": "m"}).line("q", "x"))
    with scripted() as elsewhere, scripted() as server:
        elsewhere.say(200, {})
        server.say(307, b"", location=f"{elsewhere.url}/{KEY}")
        record = ask(server.url, ["q"])["q"]
        batches = AnthropicBatches(api_key=KEY, base_url=server.url, sleep=lambda _: None)
        for call in (
            lambda: batches.create(requests, endpoint="", key="5c" * 32, labels={}),
            lambda: batches.list(since=None, most_calls=1),
            lambda: batches.identify("b"),
            lambda: batches.cancel("b"),
            lambda: batches.download("b", tmp_path / "down"),
        ):
            with pytest.raises(BatchCallError, match=f"{server.url} redirects to {elsewhere.url}") as refused:
                call()
            assert refused.value.fault is CallFault.ACCOUNT
        batches.close()
        assert not elsewhere.asked
    assert record.error is not None
    assert record.error.code == "redirected"


def test_an_address_without_batches_is_said_with_what_works(script: Script, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.write_bytes(AnthropicLines(body={"model": "m"}).line("q", "x"))
    script.say(404, b"<html>nothing here</html>", content_type="text/html")
    batches = AnthropicBatches(api_key=KEY, base_url=script.url)

    with pytest.raises(BatchCallError) as refused:
        batches.create(requests, endpoint="", key="5c" * 32, labels={})
    batches.close()

    assert refused.value.fault is CallFault.UNSUPPORTED
    assert "--mode fast" in refused.value.hint


def test_results_are_taken_from_the_address_that_was_given_and_not_from_another(script: Script, tmp_path: Path) -> None:
    """A batch names where its results are; the key goes to no other host for that."""
    counts = {"processing": 0, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0}
    ended = {"id": "msgbatch_1", "processing_status": "ended", "request_counts": counts}
    script.say(200, {**ended, "results_url": "http://192.0.2.1/elsewhere", "created_at": "2026-11-01T00:00:00.123456Z"})
    script.say(200, b'{"custom_id":"q","result":{"type":"expired"}}\n')
    batches = AnthropicBatches(api_key=KEY, base_url=script.url)
    batch = batches.find("msgbatch_1")
    batches.download(batch.output_file_id or "", tmp_path / "results")
    batches.close()

    assert [asked.path for asked in script.asked] == [
        "/v1/messages/batches/msgbatch_1",
        "/v1/messages/batches/msgbatch_1/results",
    ]
    assert batch.created_at is not None
    assert batch.created_at.microsecond == 123_456


@pytest.mark.parametrize(("told", "named"), [({}, "b"), ({"results_url": None}, None), ({"results_url": ""}, None)])
def test_results_are_there_when_they_are_named_or_nobody_names_any(
    script: Script, told: dict[str, str | None], named: str | None
) -> None:
    script.say(200, {"id": "b", "processing_status": "ended", "request_counts": None, **told})
    batches = AnthropicBatches(api_key=KEY, base_url=script.url)
    batch = batches.find("b")
    batches.close()

    assert (batch.output_file_id, batch.total, batch.completed) == (named, None, None)
