"""Every transport fault reaches the client as what it is called."""

import json

import httpx
import openai
import pytest

ASK = {"model": "gpt-4o", "input": "hello"}


def set_fault(api: httpx.Client, kind: str, **conditions: object) -> None:
    answer = api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "responses", **conditions}])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("kind", "status", "code", "retry_after"),
    [
        ("rate_limit", 429, "rate_limit_exceeded", "2.5"),
        ("rate_limit_no_header", 429, "rate_limit_exceeded", None),
        ("insufficient_quota", 429, "insufficient_quota", None),
        ("server_error", 500, "server_error", None),
        ("unavailable", 503, "service_unavailable", "2.5"),
        ("bad_request", 400, "invalid_value", None),
        ("unauthorized", 401, "invalid_api_key", None),
        ("not_found", 404, "model_not_found", None),
    ],
)
def test_an_http_error_has_its_status_code_and_header(
    api: httpx.Client,
    *,
    kind: str,
    status: int,
    code: str,
    retry_after: str | None,
) -> None:
    set_fault(api, kind, retry_after=2.5)

    answer = api.post("/v1/responses", json=ASK)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after
    assert api.get("/__standin__/counts").json()["responses"]["faults"] == {kind: 1}


def test_an_error_can_have_words_of_its_own(api: httpx.Client) -> None:
    set_fault(api, "bad_request", message="<b>नहीं</b>")

    assert api.post("/v1/responses", json=ASK).json()["error"]["message"] == "<b>नहीं</b>"


def test_a_reset_connection_is_reset_before_any_answer(api: httpx.Client) -> None:
    set_fault(api, "reset")

    with pytest.raises(httpx.ReadError, match="reset"):
        api.post("/v1/responses", json=ASK)


def test_a_cut_answer_announces_more_than_it_sends(api: httpx.Client) -> None:
    set_fault(api, "cut")

    with api.stream("POST", "/v1/responses", json=ASK) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            answer.read()


def test_a_timeout_holds_until_the_client_gives_up(api: httpx.Client) -> None:
    set_fault(api, "timeout")

    with pytest.raises(httpx.ReadTimeout):
        api.post("/v1/responses", json=ASK, timeout=0.2)


def test_a_timeout_with_an_end_is_reset_at_its_end(api: httpx.Client) -> None:
    set_fault(api, "timeout", hold_s=0.1)

    with pytest.raises(httpx.ReadError):
        api.post("/v1/responses", json=ASK)


def test_truncated_json_has_the_right_length_and_breaks_the_parser(api: httpx.Client) -> None:
    set_fault(api, "truncated_json")

    answer = api.post("/v1/responses", json=ASK)

    assert (answer.status_code, int(answer.headers["content-length"])) == (200, len(answer.content))
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_html_comes_with_status_200(api: httpx.Client) -> None:
    set_fault(api, "html")

    answer = api.post("/v1/responses", json=ASK)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", openai.APIConnectionError),
        ("cut", openai.APIConnectionError),
        ("timeout", openai.APITimeoutError),
        ("truncated_json", json.JSONDecodeError),
        ("rate_limit", openai.RateLimitError),
        ("unauthorized", openai.AuthenticationError),
        ("server_error", openai.InternalServerError),
    ],
)
def test_the_sdk_sees_the_fault_that_was_meant(
    api: httpx.Client,
    sdk: openai.OpenAI,
    kind: str,
    error: type[Exception],
) -> None:
    set_fault(api, kind)

    with pytest.raises(error):
        sdk.responses.create(model="gpt-4o", input="hello", timeout=0.5)


def test_after_a_broken_connection_the_next_request_is_served(api: httpx.Client) -> None:
    set_fault(api, "reset", times=1)

    with pytest.raises(httpx.ReadError):
        api.post("/v1/responses", json=ASK)

    assert api.post("/v1/responses", json=ASK).status_code == 200
    assert api.get("/__standin__/counts").json()["responses"]["in_flight"] == 0
