"""Chat completions asked for over HTTP, of servers that differ in what they know."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.dispatch.breaker import AskedModel, explain
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.embeddings import OpenAIEmbedder
from eval_pipeline.providers.openai.responses import OpenAIAnswerer
from eval_pipeline.providers.openai_chat.answers import ChatAnswerer
from eval_pipeline.providers.openai_chat.token_limit import TokenLimit, usual_limit
from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.providers.script import Script, scripted

BODY = {"model": "m", "input": "What is the answer to everything, in many words?", "max_output_tokens": 3}


def ask(url: str, *bodies: Mapping[str, Any], limit: TokenLimit | None = None) -> list[Attempt]:
    async def work() -> list[Attempt]:
        async with OpenAIConnection(api_key="sk-test", base_url=url) as connection:
            answerer = ChatAnswerer(connection, limit=limit)
            return [await answerer.ask(body) for body in bodies]

    return asyncio.run(work())


@contextmanager
def resembling(dialect: Dialect) -> Iterator[str]:
    with serve(create_app(OpenAIOptions(dialect=dialect))) as url:
        yield f"{url}/v1"


@pytest.mark.parametrize("dialect", Dialect)
def test_the_limit_of_an_answer_holds_at_every_server(dialect: Dialect) -> None:
    with resembling(dialect) as url:
        first, second = ask(url, BODY, BODY)

    assert (first.outcome, second.outcome) == (AttemptOutcome.TRUNCATED, AttemptOutcome.TRUNCATED)
    assert first.usage is not None
    assert first.usage.output == 3


REFUSALS: dict[str, tuple[int, Any, str]] = {
    "mistral": (
        422,
        {
            "object": "error",
            "message": {
                "detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra"}]
            },
            "type": "invalid_request_message_error",
        },
        "max_tokens",
    ),
    "both at once": (
        400,
        {"error": {"message": "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."}},
        "max_completion_tokens",
    ),
    "a model that reasons": (
        400,
        {
            "error": {
                "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "code": "unsupported_parameter",
            }
        },
        "max_completion_tokens",
    ),
}


@pytest.mark.parametrize("server", REFUSALS)
def test_a_server_that_refuses_a_name_of_the_limit_is_asked_with_the_other_from_then_on(
    script: Script, server: str
) -> None:
    status, refusal, expected = REFUSALS[server]
    script.say(status, refusal)
    script.say(200, {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]})

    first, second = ask(script.url, BODY, BODY)

    assert (first.outcome, second.outcome) == (AttemptOutcome.OK, AttemptOutcome.OK)
    sent = [{name for name in json.loads(asked.body) if name.startswith("max_")} for asked in script.asked]
    assert sent == [{"max_tokens", "max_completion_tokens"}, {expected}, {expected}]


def test_a_server_that_refuses_both_names_is_not_asked_for_ever(script: Script) -> None:
    script.say(400, {"error": {"message": "unknown field max_completion_tokens"}})
    script.say(400, {"error": {"message": "unknown field max_tokens"}})

    [attempt] = ask(script.url, BODY)

    assert attempt.outcome is AttemptOutcome.FAILED
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    ("refusal", "limit"),
    [
        ("max_tokens is too large: 3. This model supports at most 2 completion tokens", None),
        ("unknown field temperature", None),
        ("unknown field max_tokens", TokenLimit.MAX_TOKENS),
    ],
    ids=["its value", "another field", "a name that was given"],
)
def test_any_other_refusal_is_the_answer(script: Script, refusal: str, limit: TokenLimit | None) -> None:
    script.say(400, {"error": {"message": refusal}})

    [attempt] = ask(script.url, BODY, limit=limit)

    assert (attempt.outcome, len(script.asked)) == (AttemptOutcome.FAILED, 1)
    assert attempt.error is not None
    assert attempt.error.message == refusal


@pytest.mark.parametrize(
    ("url", "usual"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://team.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.groq.com/openai/v1", "both"),
        ("http://127.0.0.1:11434/v1", "both"),
        ("https://notopenai.com/v1", "both"),
    ],
)
def test_which_name_is_usual_depends_on_the_server(url: str, usual: str) -> None:
    assert usual_limit(url) == usual


def test_nothing_is_streamed_and_what_cannot_be_asked_is_not_sent(script: Script) -> None:
    script.say(200, {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]})

    asked, refused = ask(script.url, {"model": "m", "input": "q"}, {"model": "m", "input": [{"type": "reasoning"}]})

    assert (asked.outcome, refused.outcome) == (AttemptOutcome.OK, AttemptOutcome.FAILED)
    [request] = script.asked
    assert (request.path, json.loads(request.body)["stream"]) == ("/chat/completions", False)


@pytest.mark.parametrize("dialect", [Dialect.OLLAMA, Dialect.VLLM])
def test_vectors_come_as_numbers_or_as_base64(dialect: Dialect) -> None:
    async def work(url: str) -> object:
        async with OpenAIConnection(api_key="none", base_url=url) as connection:
            return await OpenAIEmbedder(connection, model="nomic-embed-text").embed(["a", "b"])

    with resembling(dialect) as url:
        reply = asyncio.run(work(url))

    assert isinstance(reply, EmbeddingReply)
    assert [len(vector or b"") for vector in reply.vectors] == [4 * 1_536] * 2


def test_a_server_that_refuses_base64_is_asked_for_numbers_from_then_on(script: Script) -> None:
    script.say(400, {"error": {"message": "UnsupportedParamsError: encoding_format is not supported", "code": "400"}})
    script.say(200, {"data": [{"index": 0, "embedding": [0.6, 0.8]}]})

    async def work() -> list[object]:
        async with OpenAIConnection(api_key="none", base_url=script.url) as connection:
            embedder = OpenAIEmbedder(connection, model="m")
            return [await embedder.embed(["a"]), await embedder.embed(["b"])]

    assert all(isinstance(reply, EmbeddingReply) and reply.vectors[0] for reply in asyncio.run(work()))
    assert ["encoding_format" in json.loads(asked.body) for asked in script.asked] == [True, False, False]


def _ask_responses(url: str, times: int = 1) -> Attempt:
    async def work() -> Attempt:
        async with OpenAIConnection(api_key="sk-test", base_url=url) as connection:
            answerer = OpenAIAnswerer(connection)
            attempts = await asyncio.gather(*(answerer.ask({"model": "m", "input": "q"}) for _ in range(times)))
            return attempts[-1]

    return asyncio.run(work())


def test_a_server_without_responses_is_said_to_speak_chat_with_the_line_that_mends_it() -> None:
    with resembling(Dialect.CHAT_ONLY) as url:
        attempt = _ask_responses(url)

    assert attempt.account_fault is AccountFault.OTHER_PROTOCOL
    error = explain(attempt, AskedModel("OpenAI", url, "m", "OPENAI_API_KEY", "OPENAI_BASE_URL"))
    assert error.code == "provider_other_protocol"
    assert f"{url} has no /responses, but it has /chat/completions" in error.message
    assert "EVAL_ENDPOINTS_FILE" in error.hint
    assert f'{{protocol: openai_chat, base_url: "{url}", key: ${{OPENAI_API_KEY}}}}' in error.hint
    written = AskedModel("endpoint own", url, "m", "OWN_KEY", "base_url", written_in="endpoint own in endpoints.yaml")
    assert "write protocol: openai_chat for endpoint own in endpoints.yaml" in explain(attempt, written).hint


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, b"404 page not found"),
        (404, {"detail": "Not Found"}),
        (405, {"detail": "Method Not Allowed"}),
        (200, {"error": "Unexpected endpoint or method. (POST /v1/responses)"}),
    ],
)
def test_the_server_is_asked_once_whether_it_speaks_chat(status: int, answer: Any) -> None:  # noqa: ANN401
    with scripted() as server:
        server.say(status, answer)
        attempt = _ask_responses(server.url, times=4)

        asked = [(asked.path, asked.body) for asked in server.asked]
        assert asked.count(("/chat/completions", b"{}")) == 1
        assert len(asked) == 5
    assert attempt.account_fault is AccountFault.NOT_AN_API, "it has neither"


def test_a_model_that_is_not_there_says_nothing_about_the_protocol(script: Script) -> None:
    script.say(404, {"error": {"message": "model 'm' not found"}})

    assert _ask_responses(script.url).account_fault is AccountFault.MODEL_NOT_FOUND
    assert len(script.asked) == 1
