import asyncio
from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, Usage
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.responses import OpenAIAnswerer, parse_response
from eval_pipeline.standins.control import Standin

JSON = {"content-type": "application/json"}
USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 32,
}


def message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(parts)}


def said(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def response(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a response
    known = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-4o-2024-08-06", "usage": USAGE}
    return {**known, "output": list(output), **fields}


def parse(document: object, *, status: int = 200) -> Attempt:
    return parse_response(status, orjson.dumps(document), JSON)


def words(attempt: Attempt) -> tuple[str, str]:
    assert attempt.error is not None
    return attempt.error.code, attempt.error.message


def test_the_answer_is_every_text_of_every_message_in_order() -> None:
    attempt = parse(
        response(
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "thinking"}]},
            message(said("one "), said("two ")),
            {"type": "file_search_call", "status": "completed", "queries": ["q"]},
            message(said("three")),
        )
    )

    assert (attempt.outcome, attempt.text) == (AttemptOutcome.OK, "one two three")


def test_an_answer_brings_its_facts() -> None:
    attempt = parse(response(message(said("x"))))

    assert attempt.response_id == "resp_1"
    assert attempt.model == "gpt-4o-2024-08-06"
    assert attempt.usage == Usage(input=20, cached_input=8, output=12, reasoning=4, total=32)
    assert attempt.error is None


def test_a_batch_line_is_read_by_the_same_parser() -> None:
    document = response(message(said("x")))

    assert parse_response(200, document, {}) == parse(document)


@pytest.mark.parametrize("missing", ["id", "model", "usage", "status"])
def test_a_compatible_server_may_leave_out_what_is_no_answer(missing: str) -> None:
    document = response(message(said("x")))
    del document[missing]

    assert parse(document).outcome is AttemptOutcome.OK


@pytest.mark.parametrize("usage", [None, [], {}, {"input_tokens": "20"}, {"input_tokens": -1}, {"input_tokens": True}])
def test_usage_that_nobody_understands_is_unknown_and_not_zero(usage: object) -> None:
    attempt = parse(response(message(said("x")), usage=usage))

    assert attempt.usage is None
    assert attempt.cost_uncertain


def test_usage_in_the_words_of_chat_completions_is_understood() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}}

    attempt = parse(response(message(said("x")), usage=usage))

    assert attempt.usage == Usage(input=5, cached_input=1, output=2, total=7)


def test_a_cut_answer_keeps_its_text_and_reason() -> None:
    attempt = parse(
        response(message(said("half an")), status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    )

    assert (attempt.outcome, attempt.text) == (AttemptOutcome.TRUNCATED, "half an")
    assert words(attempt)[0] == "max_output_tokens"
    assert not attempt.transient


def test_an_answer_that_the_content_filter_cut_is_incomplete_and_says_so() -> None:
    attempt = parse(response(status="incomplete", incomplete_details={"reason": "content_filter"}))

    assert attempt.outcome is AttemptOutcome.TRUNCATED
    assert words(attempt) == ("content_filter", "the provider's content filter cut the answer")


def test_a_refusal_keeps_the_models_words_and_is_no_answer() -> None:
    attempt = parse(response(message({"type": "refusal", "refusal": "I won't."})))

    assert attempt.outcome is AttemptOutcome.REFUSED
    assert words(attempt) == ("refusal", "I won't.")


@pytest.mark.parametrize("output", [(), (message(),), (message(said("")),), (message(said(" \n")),)])
def test_no_text_is_empty_and_no_answer(output: tuple[dict[str, Any], ...]) -> None:
    assert parse(response(*output)).outcome is AttemptOutcome.EMPTY


def test_a_failed_response_says_why() -> None:
    failed = response(status="failed", error={"code": "invalid_prompt", "message": "not allowed"}, usage=None)

    attempt = parse(failed)

    assert attempt.outcome is AttemptOutcome.FAILED
    assert words(attempt) == ("invalid_prompt", "not allowed")
    assert not attempt.transient


@pytest.mark.parametrize("code", ["server_error", "rate_limit_exceeded"])
def test_a_response_that_failed_for_a_passing_reason_may_be_asked_again(code: str) -> None:
    attempt = parse(response(status="failed", error={"code": code, "message": "sorry"}))

    assert attempt.outcome is AttemptOutcome.RETRYABLE
    assert attempt.transient
    assert attempt.throttled == (code == "rate_limit_exceeded")


def test_a_failed_response_without_a_reason_is_still_failed() -> None:
    assert parse(response(status="failed", error=None)).outcome is AttemptOutcome.FAILED


def test_a_cancelled_response_is_cancelled() -> None:
    assert parse(response(status="cancelled")).outcome is AttemptOutcome.CANCELLED


@pytest.mark.parametrize("status", ["in_progress", "queued", "shiny", 7])
def test_a_status_that_is_no_end_is_never_taken_for_an_answer(status: object) -> None:
    attempt = parse(response(message(said("x")), status=status))

    assert attempt.outcome is AttemptOutcome.INVALID_OUTPUT
    assert repr(status) in words(attempt)[1]


def test_an_error_object_with_status_200_is_an_error() -> None:
    attempt = parse({"error": {"message": "model is loading", "code": "loading"}})

    assert attempt.outcome is AttemptOutcome.FAILED
    assert words(attempt) == ("loading", "model is loading")


@pytest.mark.parametrize(
    "document",
    [
        [],
        7,
        "text",
        {"ok": True},
        {"choices": []},
        response(output="text"),
        response(output=[3]),
        response(message({"type": "output_text", "text": 5})),
        response({"type": "message", "content": 5}),
    ],
)
def test_json_of_another_shape_is_malformed_and_may_be_asked_again(document: object) -> None:
    attempt = parse(document)

    assert attempt.outcome is AttemptOutcome.MALFORMED
    assert attempt.transient
    assert attempt.maybe_billed


@pytest.mark.parametrize("body", [b"", b'{"id": "resp', b'{"output": [}', b"[1,"])
def test_json_that_was_cut_is_malformed_and_may_be_asked_again(body: bytes) -> None:
    attempt = parse_response(200, body, JSON)

    assert attempt.outcome is AttemptOutcome.MALFORMED
    assert attempt.transient


def test_a_page_of_html_is_a_wrong_address() -> None:
    page = b"<!DOCTYPE html><html><head><style>b{}</style><title>Sign in</title></head><body>Welcome</body></html>"

    attempt = parse_response(200, page, {"content-type": "text/html; charset=utf-8"})

    assert attempt.account_fault is AccountFault.NOT_AN_API
    assert words(attempt)[1] == "HTTP 200 with text instead of JSON: Sign in Welcome"


def test_line_separators_inside_an_answer_are_kept() -> None:
    assert parse(response(message(said("a\u2028b")))).text == "a\u2028b"


def test_any_key_of_the_body_reaches_the_provider_untouched(standin: Standin, standin_url: str) -> None:
    body = {"model": "gpt-4o", "input": "x", "max_output_tokens": 64, "metadata": {"a": "b"}, "temperature": 0.25}

    async def work() -> Attempt:
        async with OpenAIConnection(api_key="sk-test", base_url=standin_url) as connection:
            return await OpenAIAnswerer(connection).ask(body)

    attempt = asyncio.run(work())

    assert attempt.outcome is AttemptOutcome.OK
    assert attempt.latency_s is not None


def test_half_a_surrogate_pair_does_not_cost_the_answer() -> None:
    """A model that was cut inside an emoji sends one half of it; JSON allows that, UTF-8 does not."""
    body = (
        rb'{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"ok \ud83d"}]}]}'
    )

    attempt = parse_response(200, body, {})

    assert (attempt.outcome, attempt.text) == (AttemptOutcome.OK, "ok \ufffd")
