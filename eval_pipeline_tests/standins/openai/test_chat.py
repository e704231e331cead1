"""Chat completions of the OpenAI stand-in and of the servers that it can resemble, read by OpenAI's own client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.standins.openai.batching import Batching

CHAT = "/v1/chat/completions"
ASK: dict[str, Any] = {"model": "recorded-model", "messages": [{"role": "user", "content": "What is 2 + 2?"}]}


@contextmanager
def resembling(dialect: Dialect) -> Iterator[httpx.Client]:
    with serve(create_app(OpenAIOptions(dialect=dialect))) as url, httpx.Client(base_url=url) as client:
        if dialect.asks_for_key:
            client.headers["authorization"] = "Bearer sk-test"
        yield client


def test_a_recorded_answer_comes_back_with_its_tokens(sdk: openai.OpenAI) -> None:
    made = sdk.chat.completions.create(**ASK)

    [choice] = made.choices
    assert (choice.message.content, choice.finish_reason, choice.message.refusal) == ("It is 4.\nA: 4", "stop", None)
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens, made.usage.total_tokens) == (4, 4, 8)


def test_it_is_counted_and_spoilt_as_its_own_endpoint(api: httpx.Client, sdk: openai.OpenAI) -> None:
    api.post("/__standin__/faults", json=[{"kind": "thought", "endpoint": "chat", "times": 1}])
    api.post("/__standin__/settings", json={"latency_s": 0})

    first, second = (sdk.chat.completions.create(**ASK).choices[0].message for _ in range(2))

    assert (first.to_dict().get("reasoning"), second.to_dict().get("reasoning")) == (
        "Let me think about that first.",
        None,
    )
    counts = api.get("/__standin__/counts?detail=1").json()["chat"]
    assert (counts["requests"], counts["asked"], counts["faults"]) == (2, {"What is 2 + 2?": 2}, {"thought": 1})


def test_structured_output_follows_its_schema(sdk: openai.OpenAI) -> None:
    class Fact(BaseModel):
        place: str
        metres: int

    made = sdk.chat.completions.parse(
        model="m", messages=[{"role": "user", "content": "How high?"}], response_format=Fact
    )

    assert isinstance(made.choices[0].message.parsed, Fact)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"messages": None}, "missing_required_parameter"),
        ({"input": "q"}, "unknown_parameter"),
        ({"messages": [{"role": "judge", "content": "x"}]}, "invalid_value"),
        ({"messages": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]}, "invalid_value"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "invalid_parameter_combination"),
        ({"model": "o3", "max_tokens": 5}, "unsupported_parameter"),
        ({"temperature": 3}, "invalid_value"),
    ],
)
def test_what_the_real_api_refuses_is_refused(api: httpx.Client, changes: dict[str, Any], code: str) -> None:
    answer = api.post(CHAT, json={**ASK, **changes})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("dialect", "has", "lacks", "words"),
    [
        (Dialect.CHAT_ONLY, ["/v1/chat/completions"], ["/v1/responses", "/v1/files", "/v1/batches"], "Unknown request"),
        (Dialect.OLLAMA, ["/v1/chat/completions", "/v1/responses"], ["/v1/files", "/v1/batches"], "404 page not found"),
        (
            Dialect.VLLM,
            ["/v1/chat/completions", "/v1/responses"],
            ["/v1/files", "/v1/batches"],
            '{"detail":"Not Found"}',
        ),
    ],
)
def test_a_server_has_what_the_one_that_it_resembles_has(
    dialect: Dialect, has: list[str], lacks: list[str], words: str
) -> None:
    with resembling(dialect) as client:
        assert [client.post(path, json={}).status_code for path in has] == [400] * len(has)
        refused = [client.post(path, json={}) for path in lacks]
        assert client.get("/__standin__/counts").status_code == 200

    assert [answer.status_code for answer in refused] == [404] * len(lacks)
    assert all(words in answer.text for answer in refused)


def test_ollama_ignores_what_it_does_not_know_and_sends_numbers() -> None:
    with resembling(Dialect.OLLAMA) as client:
        ignored = client.post(CHAT, json={**ASK, "max_completion_tokens": 1, "shiny": 1}).json()
        cut = client.post(CHAT, json={**ASK, "max_tokens": 1}).json()
        vectors = client.post("/v1/embeddings", json={"model": "m", "input": "a", "encoding_format": "base64"}).json()

    assert (ignored["choices"][0]["finish_reason"], cut["choices"][0]["finish_reason"]) == ("stop", "length")
    assert isinstance(vectors["data"][0]["embedding"], list)


def test_chats_are_answered_in_batches_as_live(batch_api: httpx.Client, sdk: openai.OpenAI) -> None:
    batching = Batching(batch_api, sdk)
    line = {"custom_id": "k0", "method": "POST", "url": CHAT, "body": ASK}

    batch_id = batching.create([line], url=CHAT)
    [entry] = batching.output(batch_id)

    assert entry["response"]["body"]["choices"][0]["message"]["content"] == "It is 4.\nA: 4"
    assert batching.counts()["billed"] == {"k0|What is 2 + 2?": 1}
