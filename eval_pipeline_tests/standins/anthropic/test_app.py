"""The Anthropic stand-in keeps the rules of the API: what it refuses, what it charges, how a batch lives."""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from eval_pipeline.standins.anthropic.app import AnthropicOptions, create_app
from eval_pipeline.standins.anthropic.batch_input import BatchLimits
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.standins.judging import judged

RECORDED = Recordings({("recorded-model", "What is 2 + 2?"): "It is 4."})
HEADERS = {"x-api-key": "sk-ant-test", "anthropic-version": "2023-06-01"}
BATCHES = "/v1/messages/batches"


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    options = AnthropicOptions(recordings=RECORDED, batch_limits=BatchLimits(requests=50, body_bytes=100_000))
    with serve(create_app(options)) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        yield client


@pytest.fixture(autouse=True)
def _anew(api: httpx.Client) -> None:
    api.delete("/__standin__/faults")
    api.delete("/__standin__/batch_faults")
    api.delete("/__standin__/batches")
    api.post("/__standin__/batch_settings", json={"batch_polls": 0})


def a_request(text: str = "What is 2 + 2?", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    message = {"role": "user", "content": text}
    return {"model": "recorded-model", "max_tokens": 100, "messages": [message], **fields}


def create(api: httpx.Client, *ids: str) -> dict[str, Any]:
    requests = [{"custom_id": name, "params": a_request(f"about {name}")} for name in ids]
    made: dict[str, Any] = api.post(BATCHES, json={"requests": requests}).json()
    return made


def test_a_recorded_answer_comes_as_a_message_with_its_tokens(api: httpx.Client) -> None:
    message = api.post("/v1/messages", json=a_request(system="Count.")).json()

    assert message["content"] == [{"type": "text", "text": "It is 4."}]
    assert (message["stop_reason"], message["model"], message["type"]) == ("end_turn", "recorded-model", "message")
    assert (message["usage"]["input_tokens"], message["usage"]["output_tokens"]) == (6, 2)


def test_a_long_system_prompt_is_written_into_the_cache_once_and_read_then(api: httpx.Client) -> None:
    body = a_request(system="words " * 1_000, cache_control={"type": "ephemeral", "ttl": "1h"})
    first, second = (api.post("/v1/messages", json=body).json()["usage"] for _ in range(2))

    assert first["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1_500}
    assert (second["cache_creation_input_tokens"], second["cache_read_input_tokens"]) == (0, 1_500)


REFUSED = [
    ({"max_tokens": None}, 400, "max_tokens: Field required"),
    ({"max_tokens": 0}, 400, "max_tokens: Input should be greater"),
    ({"instructions": "x"}, 400, "instructions: Extra inputs are not permitted"),
    ({"messages": []}, 400, "messages: at least one message is required"),
    ({"messages": [{"role": "system", "content": "x"}]}, 400, "messages.0.role"),
    ({"messages": [{"role": "user", "content": ""}]}, 400, "messages.0: all messages must have non-empty content"),
    ({"temperature": 2}, 400, "temperature: range: 0..1"),
    ({"output_config": {"format": {"type": "json_object"}}}, 400, "output_config.format"),
]


@pytest.mark.parametrize(("changes", "status", "words"), REFUSED)
def test_what_the_api_refuses_is_refused_in_its_words(
    api: httpx.Client, changes: dict[str, Any], status: int, words: str
) -> None:
    body = {name: value for name, value in a_request(**changes).items() if value is not None}
    reply = api.post("/v1/messages", json=body)

    error = reply.json()
    assert (reply.status_code, error["type"], error["error"]["type"]) == (status, "error", "invalid_request_error")
    assert words in error["error"]["message"]


@pytest.mark.parametrize("header", ["x-api-key", "anthropic-version"])
def test_key_and_version_are_wanted(api: httpx.Client, header: str) -> None:
    reply = api.post("/v1/messages", json=a_request(), headers={header: ""})

    assert reply.status_code == (401 if header == "x-api-key" else 400)
    assert header in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ([], "requests: at least one"),
        ([{"custom_id": "a b", "params": {}}], "requests.0.custom_id: String should match pattern"),
        ([{"custom_id": "x" * 65, "params": {}}], "requests.0.custom_id: String should match pattern"),
        ([{"custom_id": "a", "params": {}}, {"custom_id": "a", "params": {}}], "must be unique"),
        ([{"custom_id": "a"}], "requests.0.params: Field required"),
        ([{"custom_id": f"q{number}", "params": {}} for number in range(51)], "at most 50 requests"),
    ],
)
def test_a_batch_is_refused_for_its_ids_and_its_size_and_for_nothing_else(
    api: httpx.Client, requests: list[Any], words: str
) -> None:
    reply = api.post(BATCHES, json={"requests": requests})

    assert reply.status_code == 400
    assert words in reply.json()["error"]["message"]


def test_a_body_beyond_the_limit_is_too_large(api: httpx.Client) -> None:
    reply = api.post(BATCHES, json={"requests": [{"custom_id": "a", "params": a_request("x" * 100_000)}]})

    assert (reply.status_code, reply.json()["error"]["type"]) == (413, "request_too_large")


def test_a_batch_counts_all_as_processing_until_all_is_done(api: httpx.Client) -> None:
    api.post("/__standin__/batch_settings", json={"batch_polls": 1})
    made = create(api, "a", "b")
    looks = [api.get(f"{BATCHES}/{made['id']}").json() for _ in range(4)]

    assert [look["processing_status"] for look in looks] == ["in_progress"] * 3 + ["ended"]
    assert looks[2]["request_counts"] == {"processing": 2, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
    assert looks[3]["request_counts"]["succeeded"] == 2
    assert api.get(looks[3]["results_url"]).status_code == 200
    lines = [orjson.loads(line) for line in api.get(looks[3]["results_url"]).content.splitlines()]
    assert {line["custom_id"]: line["result"]["type"] for line in lines} == {"a": "succeeded", "b": "succeeded"}
    assert api.get("/__standin__/counts?detail=1").json()["batches"]["by_text"] == {"about a": 1, "about b": 1}


def test_a_wrong_request_of_a_batch_is_errored_alone(api: httpx.Client) -> None:
    requests = [{"custom_id": "a", "params": {"model": "m"}}, {"custom_id": "b", "params": a_request()}]
    made = api.post(BATCHES, json={"requests": requests}).json()
    ended = api.get(f"{BATCHES}/{made['id']}").json()

    assert (ended["request_counts"]["errored"], ended["request_counts"]["succeeded"]) == (1, 1)
    first = orjson.loads(api.get(ended["results_url"]).content.splitlines()[0])
    assert first["result"]["error"]["error"]["message"] == "max_tokens: Field required"


def test_lists_are_paged_in_both_directions_newest_first(api: httpx.Client) -> None:
    ids = [create(api, "a")["id"] for _ in range(5)][::-1]
    first = api.get(BATCHES, params={"limit": 2}).json()
    second = api.get(BATCHES, params={"limit": 2, "after_id": first["last_id"]}).json()
    last = api.get(BATCHES, params={"limit": 2, "after_id": second["last_id"]}).json()
    before = api.get(BATCHES, params={"limit": 2, "before_id": last["first_id"]}).json()

    assert [[batch["id"] for batch in page["data"]] for page in (first, second, last, before)] == [
        ids[:2],
        ids[2:4],
        ids[4:],
        ids[2:4],
    ]
    assert [page["has_more"] for page in (first, second, last, before)] == [True, True, False, True]
    assert api.get(BATCHES, params={"limit": 1_001}).status_code == 400


def test_a_cancelled_batch_ends_with_what_was_done_and_is_deleted_only_then(api: httpx.Client) -> None:
    api.post("/__standin__/batch_settings", json={"batch_polls": 5})
    made = create(api, "a", "b")
    too_early = api.delete(f"{BATCHES}/{made['id']}")
    cancelling = api.post(f"{BATCHES}/{made['id']}/cancel").json()
    ended = api.get(f"{BATCHES}/{made['id']}").json()
    again = api.post(f"{BATCHES}/{made['id']}/cancel")

    assert (too_early.status_code, cancelling["processing_status"]) == (400, "canceling")
    assert (ended["processing_status"], ended["request_counts"]["canceled"]) == ("ended", 2)
    assert again.status_code == 400
    assert api.delete(f"{BATCHES}/{made['id']}").json()["type"] == "message_batch_deleted"
    assert api.get(f"{BATCHES}/{made['id']}").status_code == 404
    assert api.get("/__standin__/counts").json()["batches"]["executed"] == 0


def test_an_overloaded_api_says_when_to_come_back(api: httpx.Client) -> None:
    api.post("/__standin__/faults", json=[{"kind": "overloaded", "endpoint": "messages", "retry_after": 3}])
    reply = api.post("/v1/messages", json=a_request())

    assert (reply.status_code, reply.headers["retry-after"]) == (529, "3")
    assert reply.json()["error"]["type"] == "overloaded_error"


def test_a_request_to_judge_is_judged_live_and_in_a_batch(api: httpx.Client) -> None:
    asked = judged("outcome")
    [turn] = asked.body["input"]
    text = "\n\n".join(block["text"] for block in turn["content"])
    form = {"type": "json_schema", "schema": asked.body["text"]["format"]["schema"]}
    body = a_request(text, max_tokens=4_000, output_config={"format": form}, model="judge-model")
    api.post("/__standin__/judge_script", json=[{"item": "flight to Seattle", "verdicts": {"*": "25"}}])
    live = api.post("/v1/messages", json=body).json()["content"][0]["text"]
    api.post("/__standin__/faults", json=[{"kind": "verdict_as_number", "match": "look at outcomes"}])
    made = api.post(BATCHES, json={"requests": [{"custom_id": "a", "params": body}]}).json()
    api.get(f"{BATCHES}/{made['id']}")
    [result] = api.get(f"{BATCHES}/{made['id']}/results").text.splitlines()
    api.delete("/__standin__/judge_script")

    assert {verdict.level for verdict in asked.read(live).verdicts.values()} == {"25"}
    spoilt = orjson.loads(result)["result"]["message"]["content"][0]["text"]
    assert asked.problems(spoilt)[0].endswith(
        "is 100 (a number); it must be one of 0, 25, 50, 75, 100, cannot_judge, as a text"
    )
