"""What Claude is asked under the frozen model body, and what its answers amount to."""

from typing import Any

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.outcomes import AccountFault, AttemptOutcome, Served, Usage
from eval_pipeline.core.passages import Passage
from eval_pipeline.providers.anthropic.batch_lines import AnthropicLines, read_message_line
from eval_pipeline.providers.anthropic.messages import parse_message
from eval_pipeline.providers.anthropic.requests import DEFAULT_MAX_TOKENS, check_body, request_of
from eval_pipeline.providers.json_text import encode_json, read_json

TEXT = {"type": "text", "text": "Paris"}
CALL = {"type": "tool_use", "id": "t", "name": "look_up", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "France, so", "signature": "c2ln"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def a_message(*content: Any, stop_reason: str | None = "end_turn", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    usage = {"input_tokens": 9, "output_tokens": 4}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5", "usage": usage}
    return {**message, "content": list(content), "stop_reason": stop_reason, **fields}


ENDS = [
    (a_message(TEXT), AttemptOutcome.OK, "Paris", None),
    (a_message(TEXT, stop_reason=None), AttemptOutcome.OK, "Paris", None),
    (a_message(TEXT, stop_reason="stop_sequence", stop_sequence="."), AttemptOutcome.OK, "Paris", None),
    (a_message(TEXT, {"type": "text", "text": ", in France"}), AttemptOutcome.OK, "Paris, in France", None),
    (a_message(THOUGHT, {"type": "redacted_thinking", "data": "x"}, TEXT), AttemptOutcome.OK, "Paris", None),
    (
        a_message({"type": "server_tool_use"}, {"type": "web_search_tool_result"}, TEXT),
        AttemptOutcome.OK,
        "Paris",
        None,
    ),
    (a_message(TEXT, stop_reason="max_tokens"), AttemptOutcome.TRUNCATED, "Paris", "max_tokens"),
    (
        a_message(TEXT, stop_reason="model_context_window_exceeded"),
        AttemptOutcome.TRUNCATED,
        "Paris",
        "model_context_window_exceeded",
    ),
    (a_message(TEXT, stop_reason="pause_turn"), AttemptOutcome.TRUNCATED, "Paris", "pause_turn"),
    (a_message(TEXT, CALL, stop_reason="tool_use"), AttemptOutcome.TRUNCATED, "Paris", "tool_use"),
    (a_message(CALL, stop_reason="tool_use"), AttemptOutcome.EMPTY, None, "empty_output"),
    (a_message(THOUGHT), AttemptOutcome.EMPTY, None, "empty_output"),
    (a_message(), AttemptOutcome.EMPTY, None, "empty_output"),
    (a_message(stop_reason="refusal"), AttemptOutcome.REFUSED, None, "refusal"),
    (a_message(TEXT, stop_reason="tomorrow"), AttemptOutcome.INVALID_OUTPUT, "Paris", "unknown_stop_reason"),
    ({"ok": True}, AttemptOutcome.MALFORMED, None, "malformed_response"),
    (a_message({"type": "text"}), AttemptOutcome.MALFORMED, None, "malformed_response"),
]


@pytest.mark.parametrize(("message", "outcome", "text", "code"), ENDS)
def test_only_a_whole_text_is_an_answer(
    message: dict[str, Any], outcome: AttemptOutcome, text: str | None, code: str | None
) -> None:
    live = parse_message(200, encode_json(message), {})
    line = read_message_line(encode_json({"custom_id": "q", "result": {"type": "succeeded", "message": message}}))

    assert (live.outcome, live.text, live.error.code if live.error else None) == (outcome, text, code)
    assert (line.custom_id, line.attempt) == ("q", live)


def test_thinking_is_kept_beside_the_answer_and_a_refusal_tells_why() -> None:
    thought = parse_message(200, a_message(THOUGHT, TEXT), {})
    details = {"type": "refusal", "category": "bio", "explanation": "not this"}
    refused = parse_message(200, a_message(stop_reason="refusal", stop_details=details), {})

    assert (thought.text, thought.thinking) == ("Paris", "France, so")
    assert refused.error is not None
    assert refused.error.message == "the model refused (bio): not this"


def test_tokens_that_a_cache_gave_or_took_are_part_of_the_input() -> None:
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 70,
        "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 30,
        "output_tokens_details": {"thinking_tokens": 12},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "service_tier": "priority",
        "inference_geo": "us",
    }
    attempt = parse_message(200, a_message(TEXT, usage=usage), {})

    assert attempt.usage == Usage(
        input=280, cached_input=200, output=30, reasoning=12, total=310, cache_written=70, cache_written_1h=20
    )
    assert attempt.served == Served("priority in us", (("web_search_call", 2),))


def test_what_an_answer_cites_and_what_a_search_found_are_its_passages() -> None:
    cited = {"type": "page_location", "cited_text": "Paris is the capital.", "document_title": "France.pdf"}
    results = [{"type": "web_search_result", "title": "Paris", "url": "https://x.org", "encrypted_content": "x"}]
    search = {"type": "web_search_tool_result", "tool_use_id": "s", "content": results}
    failed = {"type": "web_search_tool_result", "content": {"type": "web_search_tool_result_error", "error_code": "e"}}

    assert parse_message(200, a_message(TEXT), {}).passages is None
    assert parse_message(200, a_message(failed, TEXT), {}).passages == ()
    assert parse_message(200, a_message(search, {**TEXT, "citations": [cited, cited]}), {}).passages == (
        Passage(text="", file="Paris"),
        Passage(text="Paris is the capital.", file="France.pdf"),
    )


ERRORS = [
    (400, "invalid_request_error", "messages: too long", AttemptOutcome.FAILED, None),
    (400, "invalid_request_error", "Your credit balance is too low", AttemptOutcome.FAILED, AccountFault.QUOTA),
    (
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits",
        AttemptOutcome.FAILED,
        AccountFault.QUOTA,
    ),
    (401, "authentication_error", "invalid x-api-key", AttemptOutcome.FAILED, AccountFault.AUTH),
    (402, "billing_error", "payment", AttemptOutcome.FAILED, AccountFault.QUOTA),
    (403, "permission_error", "no", AttemptOutcome.FAILED, AccountFault.AUTH),
    (404, "not_found_error", "model: claude-9", AttemptOutcome.FAILED, AccountFault.MODEL_NOT_FOUND),
    (404, "not_found_error", "Not Found", AttemptOutcome.FAILED, AccountFault.NOT_AN_API),
    (413, "request_too_large", "too large", AttemptOutcome.FAILED, None),
    (429, "rate_limit_error", "slow down", AttemptOutcome.RETRYABLE, None),
    (500, "api_error", "oops", AttemptOutcome.RETRYABLE, None),
    (504, "timeout_error", "late", AttemptOutcome.RETRYABLE, None),
    (529, "overloaded_error", "Overloaded", AttemptOutcome.RETRYABLE, None),
]


@pytest.mark.parametrize(("status", "kind", "words", "outcome", "fault"), ERRORS)
def test_an_error_means_the_same_live_and_in_a_batch(
    status: int, kind: str, words: str, outcome: AttemptOutcome, fault: AccountFault | None
) -> None:
    error = {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"}
    live = parse_message(status, encode_json(error), {"retry-after": "7"})
    bare = {"custom_id": "q", "result": {"type": "errored", "error": error["error"]}}
    lines = [bare, {"custom_id": "q", "result": {"type": "errored", "error": error}}]

    assert (live.outcome, live.account_fault) == (outcome, fault)
    assert live.retry_after_s == (7.0 if outcome is AttemptOutcome.RETRYABLE else None)
    assert live.throttled == (status in {429, 529})
    for line in lines:
        attempt = read_message_line(encode_json(line)).attempt
        assert (attempt.outcome, attempt.account_fault, attempt.error) == (outcome, fault, live.error)


def test_a_spent_limit_of_the_account_is_no_matter_of_waiting() -> None:
    details = {"error_code": "enforced_spend_limit_reached"}
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "limit", "details": details}}

    assert parse_message(429, encode_json(error), {}).account_fault is AccountFault.QUOTA


@pytest.mark.parametrize(
    ("result", "outcome", "transient"),
    [
        ({"type": "expired"}, AttemptOutcome.EXPIRED, True),
        ({"type": "canceled"}, AttemptOutcome.CANCELLED, True),
        ({"type": "tomorrow"}, AttemptOutcome.MALFORMED, True),
        (None, AttemptOutcome.MALFORMED, True),
    ],
)
def test_what_was_not_done_may_be_done_later(result: object, outcome: AttemptOutcome, transient: bool) -> None:
    line = read_message_line(encode_json({"custom_id": "q", "result": result}))

    assert (line.custom_id, line.attempt.outcome, line.attempt.transient) == ("q", outcome, transient)


def test_the_body_of_openais_responses_asks_claude_the_same() -> None:
    body: dict[str, Any] = {
        "model": "claude-sonnet-5",
        "instructions": "Be brief.",
        "temperature": 0,
        "stop": "END",
        "user": "u-1",
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}},
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
        "thinking": {"type": "adaptive"},
        "tomorrow": 1,
    }
    check_body(body)
    request = request_of({**body, "input": "Where?"})

    assert request == {
        "model": "claude-sonnet-5",
        "system": "Be brief.",
        "temperature": 0,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Where?"},
        ],
        "thinking": {"type": "adaptive"},
        "tomorrow": 1,
        "max_tokens": DEFAULT_MAX_TOKENS,
    }
    turns = [
        {"role": "system", "content": "In French."},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Un"},
        {"role": "user", "content": "Two \ud83d?"},
    ]
    for given in ("Where?", turns):
        line = read_json(AnthropicLines(body=body).line("q#1", given))
        asked = read_json(encode_json(request_of({**body, "input": given})))
        assert line == {"custom_id": "q#1", "params": asked}
    said = request_of({**body, "input": turns})
    assert said["system"] == "Be brief.\n\nIn French."
    assert said["messages"][2:] == turns[1:]


REFUSED = [
    ({"seed": 1}, "'seed'"),
    ({"previous_response_id": "r"}, "'previous_response_id'"),
    ({"text": {"format": {"type": "json_object"}}}, "'text.format'"),
    ({"text": {"verbosity": "low"}}, "'text.verbosity'"),
    ({"reasoning": {"effort": "minimal"}}, "'reasoning.effort'"),
    ({"reasoning": {"summary": "auto"}}, "'reasoning.summary'"),
    ({"tools": [{"type": "function", "name": "f", "parameters": {}}]}, "'tools'"),
    ({"max_output_tokens": "many"}, "max_output_tokens is 'many'"),
    ({"thinking": {"type": "enabled", "budget_tokens": 9_000}}, "a thinking budget of 9,000 tokens"),
    ({"instructions": "a", "system": "b"}, "'system' beside instructions"),
]


@pytest.mark.parametrize(("given", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_what_cannot_be_asked_is_said_before_anything_is_paid(given: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_body({"model": "claude-sonnet-5", **given})

    assert named in refused.value.message
    assert refused.value.code == "invalid_config"
    assert refused.value.hint
