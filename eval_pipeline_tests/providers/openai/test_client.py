import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome
from eval_pipeline.providers.json_text import encode_json
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import FaultKind, FaultRule
from eval_pipeline_tests.providers.wire import closed_port, http_answer, wire

KEY = "my-very-own-key"
BODY = {"model": "gpt-4o", "input": "What is 2 + 2?"}


def post(base_url: str, body: Mapping[str, Any] = BODY, *, timeout_s: float = 5.0) -> RawReply | Attempt:
    async def work() -> RawReply | Attempt:
        async with OpenAIConnection(api_key=KEY, base_url=base_url, timeout_s=timeout_s) as connection:
            return await connection.post("/responses", body)

    return asyncio.run(work())


def failed(base_url: str, *, timeout_s: float = 5.0) -> Attempt:
    attempt = post(base_url, timeout_s=timeout_s)
    assert isinstance(attempt, Attempt)
    assert attempt.error is not None
    return attempt


def code(attempt: Attempt) -> str:
    assert attempt.error is not None
    return attempt.error.code


def test_an_answer_comes_back_as_bytes_with_its_headers(standin: Standin, standin_url: str) -> None:
    reply = post(standin_url)

    assert isinstance(reply, RawReply)
    assert reply.http_status == 200
    assert orjson.loads(reply.content)["object"] == "response"
    assert reply.headers["content-type"] == "application/json"
    assert 0 < reply.latency_s < 5


def test_an_error_status_is_an_answer_too(standin: Standin, standin_url: str) -> None:
    standin.set_rules([FaultRule(kind=FaultKind.BAD_REQUEST)])

    reply = post(standin_url)

    assert isinstance(reply, RawReply)
    assert reply.http_status == 400


def test_one_call_is_one_request_whatever_happens(standin: Standin, standin_url: str) -> None:
    standin.set_rules([FaultRule(kind=FaultKind.SERVER_ERROR)])

    post(standin_url)

    assert standin.counts["responses"].requests == 1


def test_silence_ends_after_the_timeout(standin: Standin, standin_url: str) -> None:
    standin.set_rules([FaultRule(kind=FaultKind.TIMEOUT)])

    attempt = failed(standin_url, timeout_s=0.2)

    assert (attempt.outcome, code(attempt)) == (AttemptOutcome.RETRYABLE, "timeout")
    assert attempt.maybe_billed
    assert attempt.account_fault is None


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.CUT])
def test_a_broken_connection_is_a_passing_fault(standin: Standin, standin_url: str, kind: FaultKind) -> None:
    standin.set_rules([FaultRule(kind=kind)])

    attempt = failed(standin_url)

    assert (attempt.outcome, code(attempt)) == (AttemptOutcome.RETRYABLE, "connection_lost")
    assert attempt.maybe_billed
    assert attempt.account_fault is None


def test_an_answer_that_is_no_http_is_a_passing_fault() -> None:
    with wire(b"SSH-2.0-OpenSSH_9.6\r\n") as base_url:
        attempt = failed(base_url)

    assert code(attempt) == "connection_lost"


def test_nobody_listening_is_a_fault_of_the_address_and_may_pass() -> None:
    attempt = failed(f"http://127.0.0.1:{closed_port()}/v1")

    assert attempt.account_fault is AccountFault.UNREACHABLE
    assert attempt.transient
    assert not attempt.maybe_billed
    assert attempt.error is not None
    assert "127.0.0.1" in attempt.error.message


def test_a_name_that_does_not_resolve_is_a_fault_of_the_address() -> None:
    assert failed("http://no-such-host.invalid/v1").account_fault is AccountFault.UNREACHABLE


def test_tls_to_a_server_without_tls_is_a_fault_of_the_address() -> None:
    with wire(http_answer(b"{}")) as base_url:
        attempt = failed(base_url.replace("http:", "https:"))

    assert attempt.account_fault is AccountFault.UNREACHABLE


def test_an_address_that_is_no_url_is_a_fault_of_the_address() -> None:
    assert failed("ftp://127.0.0.1/v1").account_fault is AccountFault.UNREACHABLE


def test_the_key_shows_neither_in_repr_nor_in_words() -> None:
    connection = OpenAIConnection(api_key=KEY, base_url="http://127.0.0.1:1/v1")
    echo = Attempt(outcome=AttemptOutcome.FAILED, error=None)

    assert KEY not in repr(connection)
    assert connection.finish(echo, latency_s=1.0).latency_s == 1.0


def test_a_connection_can_be_opened_again_in_another_event_loop(standin: Standin, standin_url: str) -> None:
    connection = OpenAIConnection(api_key=KEY, base_url=standin_url)

    async def work() -> int:
        async with connection:
            reply = await connection.post("/responses", BODY)
        assert isinstance(reply, RawReply)
        return reply.http_status

    assert [asyncio.run(work()), asyncio.run(work())] == [200, 200]


def test_a_closed_connection_says_so() -> None:
    connection = OpenAIConnection(api_key=KEY, base_url="http://127.0.0.1:1/v1")

    with pytest.raises(RuntimeError, match="outside of its 'async with'"):
        asyncio.run(connection.post("/responses", BODY))


def test_bodies_that_orjson_refuses_are_written_all_the_same() -> None:
    assert encode_json({"input": "\ud800", "seed": 2**70}) == b'{"input": "\\ud800", "seed": 1180591620717411303424}'
