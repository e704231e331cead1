"""Answers over HTTP, read by the real SDK where it matters."""

import json
from typing import Literal

import httpx
import openai
import pytest
from pydantic import BaseModel

from eval_pipeline.standins.replay import made_up_answer

BAD_SCHEMA = {"format": {"type": "json_schema", "name": "n", "schema": {"$ref": "#/$defs/none"}}}


class Verdict(BaseModel):
    """What a judge could be asked for."""

    label: Literal["good", "bad"]
    score: int
    reasons: list[str]
    comment: str | None


def test_the_sdk_reads_a_recorded_answer(sdk: openai.OpenAI) -> None:
    answer = sdk.responses.create(model="recorded-model", input="What is 2 + 2?", temperature=0.5)

    assert answer.output_text == "It is 4.\nA: 4"
    assert (answer.status, answer.model, answer.error, answer.incomplete_details) == (
        "completed",
        "recorded-model",
        None,
        None,
    )
    assert answer.id.startswith("resp_")
    assert answer.temperature == 0.5


def test_the_last_text_of_the_user_is_the_question(api: httpx.Client) -> None:
    said = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "what?"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "What is 2 + 2?"}]},
        {"role": "developer", "content": "be short"},
    ]

    answer = api.post("/v1/responses", json={"model": "recorded-model", "input": said}).json()

    assert answer["output"][0]["content"][0]["text"] == "It is 4.\nA: 4"
    assert answer["usage"]["input_tokens"] == 2 + 2 + 4 + 2


def test_usage_is_one_token_per_four_bytes_of_utf8(api: httpx.Client) -> None:
    body = {"model": "m", "input": "पानी", "instructions": "a" * 1100 * 4}

    usage = api.post("/v1/responses", json=body).json()["usage"]

    output = -(-len(made_up_answer("m", "पानी").encode()) // 4)
    assert usage == {
        "input_tokens": 1100 + 3,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1103 + output,
    }


def test_reasoning_comes_as_an_item_of_its_own_and_costs_tokens(sdk: openai.OpenAI) -> None:
    answer = sdk.responses.create(model="m", input="why?", reasoning={"effort": "low"})

    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.usage is not None
    assert answer.usage.output_tokens_details.reasoning_tokens == 64
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_an_answer_longer_than_allowed_is_incomplete(sdk: openai.OpenAI) -> None:
    answer = sdk.responses.create(model="m", input="word " * 60, max_output_tokens=16)

    assert (answer.status, answer.incomplete_details and answer.incomplete_details.reason) == (
        "incomplete",
        "max_output_tokens",
    )
    assert len(answer.output_text.encode()) == 64


def test_structured_output_is_valid_for_the_schema(sdk: openai.OpenAI) -> None:
    first, again = (sdk.responses.parse(model="m", input="q", text_format=Verdict) for _ in range(2))

    assert isinstance(first.output_parsed, Verdict)
    assert first.output_parsed == again.output_parsed


def test_a_json_object_can_be_asked_for_too(api: httpx.Client) -> None:
    body = {"model": "recorded-model", "input": "What is 2 + 2?", "text": {"format": {"type": "json_object"}}}

    text = api.post("/v1/responses", json=body).json()["output"][0]["content"][0]["text"]

    assert json.loads(text) == {"answer": "It is 4.\nA: 4"}


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"input": "q"}, "missing_required_parameter", "model"),
        ({"model": "m"}, "missing_required_parameter", "input"),
        ({"model": 3, "input": "q"}, "invalid_type", "model"),
        ({"model": "m", "input": 3}, "invalid_type", "input"),
        ({"model": "m", "input": ["q"]}, "invalid_type", "input"),
        ({"model": "m", "input": [{"role": "user", "content": 3}]}, "invalid_type", "input.content"),
        ({"model": "m", "input": "q", "text": {"format": "json"}}, "invalid_type", "text.format"),
        ({"model": "m", "input": "q", "text": BAD_SCHEMA}, "invalid_json_schema", "text.format.schema"),
        ({"model": "m", "input": "q", "temprature": 1}, "unknown_parameter", "temprature"),
        ({"model": "m", "input": "q", "temperature": "hot"}, "invalid_type", "temperature"),
        ({"model": "m", "input": "q", "temperature": 3}, "invalid_value", "temperature"),
        ({"model": "m", "input": "q", "max_output_tokens": 1}, "integer_below_min_value", "max_output_tokens"),
        ({"model": "m", "input": "q", "stream": True}, None, "stream"),
        (["model", "m"], None, None),
    ],
)
def test_a_bad_body_is_refused_in_openais_words(api: httpx.Client, body: object, code: str, param: str) -> None:
    answer = api.post("/v1/responses", json=body)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert error["message"]


def test_a_body_that_is_no_json_is_refused(api: httpx.Client) -> None:
    answer = api.post("/v1/responses", content=b'{"model": ')

    assert answer.status_code == 400
    assert "could not parse" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "status", "reason", "has_text"),
    [
        ("incomplete", "incomplete", "max_output_tokens", True),
        ("content_filter", "incomplete", "content_filter", True),
        ("empty", "completed", None, False),
        ("refusal", "completed", None, False),
        ("status_failed", "failed", None, False),
    ],
)
def test_an_answer_that_is_none_is_still_a_response(
    api: httpx.Client,
    sdk: openai.OpenAI,
    *,
    kind: str,
    status: str,
    reason: str | None,
    has_text: bool,
) -> None:
    api.post("/__standin__/faults", json=[{"kind": kind}])

    answer = sdk.responses.create(model="m", input="q")

    assert answer.status == status
    assert (answer.incomplete_details and answer.incomplete_details.reason) == reason
    assert bool(answer.output_text) == has_text
    assert (answer.error is not None) == (status == "failed")


def test_a_refusal_is_a_part_of_the_message(api: httpx.Client) -> None:
    api.post("/__standin__/faults", json=[{"kind": "refusal"}])

    part = api.post("/v1/responses", json={"model": "m", "input": "q"}).json()["output"][0]["content"][0]

    assert part == {"type": "refusal", "refusal": "I'm sorry, but I can't help with that."}


def test_usage_can_be_missing(api: httpx.Client) -> None:
    api.post("/__standin__/faults", json=[{"kind": "no_usage"}])

    assert api.post("/v1/responses", json={"model": "m", "input": "q"}).json()["usage"] is None


def test_a_malformed_answer_is_json_of_another_shape(api: httpx.Client) -> None:
    api.post("/__standin__/faults", json=[{"kind": "malformed"}])

    answer = api.post("/v1/responses", json={"model": "m", "input": "q"})

    assert answer.status_code == 200
    assert "output" not in answer.json()
