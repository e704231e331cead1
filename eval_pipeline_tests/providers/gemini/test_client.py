"""The connection over real HTTP: faults as values, the key in one header and nowhere else."""

import asyncio

import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome
from eval_pipeline.providers.gemini.account import GeminiAccount
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.transport import RawReply
from eval_pipeline_tests.providers.script import Script
from eval_pipeline_tests.providers.wire import closed_port, http_answer, wire

KEY = "my-very-own-key"
PATH = "models/gemini-2.5-flash:generateContent"


def post(base_url: str, *, timeout_s: float = 5.0) -> RawReply | Attempt:
    async def work() -> RawReply | Attempt:
        async with GeminiConnection(api_key=KEY, base_url=base_url, timeout_s=timeout_s) as connection:
            return await connection.post(PATH, {"contents": []})

    return asyncio.run(work())


def failed(base_url: str, *, timeout_s: float = 5.0) -> Attempt:
    attempt = post(base_url, timeout_s=timeout_s)
    assert isinstance(attempt, Attempt)
    assert attempt.error is not None
    assert KEY not in attempt.error.message
    return attempt


def code(attempt: Attempt) -> str:
    assert attempt.error is not None
    return attempt.error.code


@pytest.mark.parametrize(
    ("ending", "path"), [("", f"/v1/{PATH}"), ("/", f"/v1/{PATH}"), ("/v1beta", f"/v1beta/{PATH}")]
)
def test_an_answer_of_any_status_comes_back_as_bytes(script: Script, ending: str, path: str) -> None:
    script.say(418, {"a": 1}, x_some="thing")

    reply = post(f"{script.url}{ending}")

    assert isinstance(reply, RawReply)
    assert (reply.http_status, reply.content, reply.headers["x-some"]) == (418, b'{"a": 1}', "thing")
    assert script.asked[0].path == path


def test_the_key_travels_in_a_header_and_never_in_an_address(script: Script) -> None:
    script.say(200, {})

    post(script.url)

    [asked] = script.asked
    assert asked.headers["x-goog-api-key"] == KEY
    assert KEY not in asked.path
    assert KEY not in repr(GeminiConnection(api_key=KEY, base_url="http://x"))
    assert KEY not in repr(GeminiAccount(KEY, "http://x"))


def test_headers_are_those_of_googles_sdk_under_our_own_name() -> None:
    from google import genai  # noqa: PLC0415 - half a second, for this test alone

    theirs = genai.Client(vertexai=False, api_key=KEY)._api_client._http_options.headers
    ours = GeminiAccount(KEY, "http://x").headers()

    assert theirs is not None
    assert ours.keys() == theirs.keys()
    names = {name for name in ours if ours[name] != theirs[name]}
    assert names == {"user-agent", "x-goog-api-client"}
    assert all(ours[name].startswith("eval-pipeline/") for name in names)


def test_silence_ends_after_the_timeout() -> None:
    with wire(b"") as base_url:
        attempt = failed(base_url.replace("/v1", ""), timeout_s=0.2)

    assert (attempt.outcome, code(attempt)) in {
        (AttemptOutcome.RETRYABLE, "timeout"),
        (AttemptOutcome.RETRYABLE, "connection_lost"),
    }
    assert attempt.maybe_billed


def test_a_broken_connection_is_a_passing_fault() -> None:
    with wire(http_answer(b'{"candidates": []}', headers={"Content-Length": "1000"})) as base_url:
        attempt = failed(base_url)

    assert (attempt.outcome, code(attempt), attempt.account_fault) == (
        AttemptOutcome.RETRYABLE,
        "connection_lost",
        None,
    )


def test_an_answer_that_is_no_http_is_a_passing_fault() -> None:
    with wire(b"SSH-2.0-OpenSSH_9.6\r\n") as base_url:
        assert code(failed(base_url)) == "connection_lost"


@pytest.mark.parametrize("base_url", ["http://no-such-host.invalid", "ftp://127.0.0.1", "nothing"])
def test_an_address_that_leads_nowhere_is_a_fault_of_the_address(base_url: str) -> None:
    assert failed(base_url).account_fault is AccountFault.UNREACHABLE


def test_nobody_listening_is_a_fault_of_the_address_and_may_pass() -> None:
    attempt = failed(f"http://127.0.0.1:{closed_port()}")

    assert attempt.account_fault is AccountFault.UNREACHABLE
    assert attempt.transient
    assert not attempt.maybe_billed


def test_tls_to_a_server_without_tls_is_a_fault_of_the_address() -> None:
    with wire(http_answer(b"{}")) as base_url:
        assert failed(base_url.replace("http:", "https:")).account_fault is AccountFault.UNREACHABLE


def test_a_connection_can_be_opened_again_in_another_event_loop(script: Script) -> None:
    script.say(200, {})
    connection = GeminiConnection(api_key=KEY, base_url=script.url)

    async def work() -> int:
        async with connection:
            reply = await connection.post(PATH, b"{}")
        assert isinstance(reply, RawReply)
        return reply.http_status

    assert [asyncio.run(work()), asyncio.run(work())] == [200, 200]


def test_a_closed_connection_says_so() -> None:
    with pytest.raises(RuntimeError, match="outside of its 'async with'"):
        asyncio.run(GeminiConnection(api_key=KEY, base_url="http://127.0.0.1:1").post(PATH, {}))
