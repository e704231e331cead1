"""The order of judgement, counters, latency and limits, over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.server import serve

ASK = {"model": "gpt-4o", "input": "hello"}


def test_a_request_without_a_key_is_refused(api: httpx.Client) -> None:
    for authorization in ("", "sk-test", "Basic sk-test"):
        answer = api.post("/v1/responses", json=ASK, headers={"authorization": authorization})

        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
    assert api.get("/__standin__/counts").json()["responses"]["statuses"] == {"401": 3}


def test_only_listed_keys_are_accepted_when_keys_are_listed() -> None:
    with serve(create_app(OpenAIOptions(accepted_keys=frozenset({"sk-right"})))) as url:
        statuses = [
            httpx.get(f"{url}/v1/models", headers={"authorization": f"Bearer {key}"}).status_code
            for key in ("sk-right", "sk-wrong")
        ]

    assert statuses == [200, 401]


def test_an_unknown_url_is_answered_as_openai_does(api: httpx.Client) -> None:
    answer = api.post("/responses", json=ASK)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_url"


def test_models_lists_the_recorded_ones(api: httpx.Client) -> None:
    names = [model["id"] for model in api.get("/v1/models").json()["data"]]

    assert {"recorded-model", "gpt-4o", "text-embedding-3-large"} <= set(names)


def test_the_counters_say_what_was_served(api: httpx.Client) -> None:
    for text in ("a", "b", "a"):
        api.post("/v1/responses", json={"model": "gpt-4o", "input": text})
    api.post("/v1/responses", json={"model": "gpt-4o"})
    api.post("/v1/embeddings", json={"model": "m", "input": ["x", "y", "x"], "dimensions": 4})

    counts = api.get("/__standin__/counts", params={"detail": 1}).json()

    responses, embeddings = counts["responses"], counts["embeddings"]
    assert (responses["requests"], responses["inputs"], responses["distinct_inputs"]) == (4, 3, 2)
    assert responses["statuses"] == {"200": 3, "400": 1}
    assert responses["asked"] == {"a": 2, "b": 1}
    assert responses["models"] == {"gpt-4o": 3}
    assert (embeddings["requests"], embeddings["inputs"], embeddings["asked"]) == (1, 3, {"x": 2, "y": 1})
    assert embeddings["tokens"] == {"input": 3, "total": 3}
    assert "asked" not in api.get("/__standin__/counts").json()["responses"]
    assert api.delete("/__standin__/counts").json()["responses"]["requests"] == 0


def test_the_tokens_counted_are_the_tokens_told_also_when_the_answer_is_lost(api: httpx.Client) -> None:
    told = [api.post("/v1/responses", json=ASK).json()["usage"]]
    api.post("/__standin__/faults", json=[{"kind": "cut"}])
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/v1/responses", json=ASK)

    counted = api.get("/__standin__/counts").json()["responses"]["tokens"]

    assert counted["input"] == 2 * told[0]["input_tokens"]
    assert counted["output"] == 2 * told[0]["output_tokens"]


def test_latency_can_be_set_and_requests_wait_it_out_side_by_side(api: httpx.Client) -> None:
    assert api.post("/__standin__/settings", json={"latency_s": 0.2}).json()["latency_s"] == 0.2

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.post("/v1/responses", json=ASK), range(8)))

    assert min(answer.elapsed.total_seconds() for answer in answers) >= 0.19
    assert api.get("/__standin__/counts").json()["responses"]["max_concurrent"] > 1


def test_over_the_rate_limit_a_real_429_says_when_to_come_back(api: httpx.Client) -> None:
    api.post("/__standin__/settings", json={"requests_per_window": 2, "window_s": 1000})

    answers = [api.post("/v1/responses", json=ASK) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["1", "0", "0"]
    assert answers[0].headers["x-ratelimit-limit-requests"] == "2"
    assert 490 < float(answers[2].headers["retry-after"]) <= 500
    assert answers[2].json()["error"]["code"] == "rate_limit_exceeded"


def test_every_answer_carries_its_own_request_id(api: httpx.Client) -> None:
    ids = {api.post("/v1/responses", json=body).headers["x-request-id"] for body in (ASK, ASK, {}, [])}

    assert len(ids) == 4


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("faults", [{"kind": "earthquake"}]),
        ("faults", [{"kind": "refusal", "endpoint": "embeddings"}]),
        ("faults", [{"kind": "reset", "endpoint": "nowhere"}]),
        ("settings", {"latency": 1}),
        ("settings", {"requests_per_window": 0}),
        ("settings", {"latency_s": "long"}),
    ],
)
def test_a_control_request_that_makes_no_sense_is_refused_with_the_reason(
    api: httpx.Client,
    path: str,
    document: object,
) -> None:
    answer = api.post(f"/__standin__/{path}", json=document)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_rules_in_force_can_be_read_and_removed(api: httpx.Client) -> None:
    api.post("/__standin__/faults", json=[{"kind": "reset", "share": 0.5}])

    assert api.get("/__standin__/faults").json()[0]["share"] == 0.5
    assert api.delete("/__standin__/faults").json() == []
    assert api.post("/v1/responses", json=ASK).status_code == 200
