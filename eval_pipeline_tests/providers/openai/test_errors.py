from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome
from eval_pipeline.providers.openai.errors import parse_error
from eval_pipeline.providers.words import read_words, redact_words

JSON = {"content-type": "application/json"}


def parse(status: int, message: str = "it said so", **fields: Any) -> Attempt:  # noqa: ANN401 - any field of an error
    return parse_error(status, orjson.dumps({"error": {"message": message, **fields}}), JSON)


def words(attempt: Attempt) -> str:
    assert attempt.error is not None
    return attempt.error.message


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_passing_statuses_may_be_asked_again(status: int) -> None:
    attempt = parse(status)

    assert attempt.outcome is AttemptOutcome.RETRYABLE
    assert attempt.transient
    assert attempt.throttled == (status == 429)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_other_statuses_are_the_items_own_fault(status: int) -> None:
    attempt = parse(status, code="bad", type="invalid_request_error")

    assert (attempt.outcome, attempt.transient, attempt.account_fault) == (AttemptOutcome.FAILED, False, None)
    assert attempt.error is not None
    assert (attempt.error.code, attempt.error.type) == ("bad", "invalid_request_error")


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (401, "invalid_api_key", AccountFault.AUTH),
        (403, None, AccountFault.AUTH),
        (404, "model_not_found", AccountFault.MODEL_NOT_FOUND),
        (400, "model_not_found", AccountFault.MODEL_NOT_FOUND),
        (404, "unknown_url", AccountFault.NOT_AN_API),
        (405, None, AccountFault.NOT_AN_API),
        (429, "insufficient_quota", AccountFault.QUOTA),
        (402, None, AccountFault.QUOTA),
    ],
)
def test_faults_of_the_account_are_known_and_not_tried_again(
    status: int, code: str | None, fault: AccountFault
) -> None:
    attempt = parse(status, code=code)

    assert attempt.account_fault is fault
    assert not attempt.transient
    assert not attempt.throttled


def test_a_404_that_speaks_of_the_model_is_a_wrong_model() -> None:
    assert parse(404, "The model `gpt-9` does not exist").account_fault is AccountFault.MODEL_NOT_FOUND


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "OpenAI's way"}}, "OpenAI's way"),
        ({"error": "Ollama's way"}, "Ollama's way"),
        ({"object": "error", "message": "vLLM's way", "type": "BadRequestError", "code": 400}, "vLLM's way"),
        ({"detail": "FastAPI's way"}, "FastAPI's way"),
        ({"detail": [{"loc": ["body"], "msg": "required"}]}, '[{"loc":["body"],"msg":"required"}]'),
        ({"message": "a gateway's way"}, "a gateway's way"),
    ],
)
def test_the_words_are_found_in_every_known_shape(body: dict[str, Any], message: str) -> None:
    assert read_words(orjson.dumps(body)).message == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"upstream connect error", "HTTP 502: upstream connect error"),
        (b"<html><body><h1>502 Bad Gateway</h1></body></html>", "HTTP 502: 502 Bad Gateway"),
        (b"", "HTTP 502: no explanation"),
        (b"{}", "HTTP 502: {}"),
        (b'{"error": {}}', 'HTTP 502: {"error": {}}'),
        (b"\xff\xfe", "HTTP 502: \ufffd\ufffd"),
    ],
)
def test_text_that_is_no_error_object_is_shown_with_its_status(body: bytes, message: str) -> None:
    attempt = parse_error(502, body, {})

    assert words(attempt) == message
    assert attempt.transient


def test_a_long_message_is_cut() -> None:
    assert len(words(parse(400, "x" * 100_000))) == 1001


def test_a_page_of_html_is_cut_to_an_excerpt() -> None:
    assert len(words(parse_error(404, b"<p>" + b"word " * 10_000, {"content-type": "text/html"}))) < 250


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc_DEF***wxyz.",
        "Incorrect API key provided: SECRET***1234.",
        "header was Bearer SECRETSECRET",
        "key sk-SECRET-123 is disabled",
        "GET https://store.example/clip?X-Amz-Signature=SECRET&a=b",
    ],
)
def test_nothing_that_looks_like_a_key_is_repeated(text: str) -> None:
    cleaned = redact_words(text)

    assert "SECRET" not in cleaned
    assert "abc_DEF" not in cleaned


def test_ordinary_words_are_left_alone() -> None:
    text = "The risk-averse model asked for a task-list; see the bearer of news."

    assert redact_words(text) == text


def test_the_providers_wait_is_read_from_its_headers() -> None:
    assert parse_error(429, b"{}", {"retry-after": "7"}).retry_after_s == 7.0
    assert parse_error(503, b"{}", {"retry-after-ms": "1500"}).retry_after_s == 1.5
    assert parse_error(400, b"{}", {"retry-after": "7"}).retry_after_s is None
