"""What answers of Chat Completions mean, in the shapes that servers really send."""

from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, Served, Usage
from eval_pipeline.providers.openai_chat.completion import parse_completion

JSON = {"content-type": "application/json"}
USAGE = {
    "prompt_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens": 12,
    "completion_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 32,
}
OK, TRUNCATED, REFUSED, EMPTY = (
    AttemptOutcome.OK,
    AttemptOutcome.TRUNCATED,
    AttemptOutcome.REFUSED,
    AttemptOutcome.EMPTY,
)
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}


def completion(message: object, finish: object = "stop", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    return {"id": "chatcmpl-1", "model": "gemma3:4b", "choices": [choice], "usage": USAGE, **fields}


def said(content: object, finish: object = "stop", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return completion({"role": "assistant", "content": content, **fields}, finish)


def parse(document: object, *, status: int = 200) -> Attempt:
    return parse_completion(status, orjson.dumps(document), JSON)


def words(attempt: Attempt) -> tuple[str, str]:
    assert attempt.error is not None
    return attempt.error.code, attempt.error.message


def test_an_answer_brings_its_facts_whether_live_or_in_a_batch() -> None:
    attempt = parse(said("Paris", refusal=None))

    assert (attempt.outcome, attempt.text, attempt.thinking, attempt.error) == (OK, "Paris", None, None)
    assert (attempt.response_id, attempt.model) == ("chatcmpl-1", "gemma3:4b")
    assert attempt.usage == Usage(input=20, cached_input=8, output=12, reasoning=4, total=32)
    assert parse_completion(200, said("Paris", refusal=None), {}) == attempt


CONTENTS: dict[str, tuple[dict[str, Any], tuple[AttemptOutcome, str | None, str | None]]] = {
    "plain": (said("a"), (OK, "a", None)),
    "null": (said(None), (EMPTY, None, None)),
    "blank": (said(" \n"), (EMPTY, " \n", None)),
    "missing": (completion({"role": "assistant"}), (EMPTY, None, None)),
    "ollama thinks": (said("a", reasoning="Hm."), (OK, "a", "Hm.")),
    "vllm thinks under two names": (said("a", reasoning="Hm.", reasoning_content="Hm."), (OK, "a", "Hm.")),
    "openrouter thinks in details": (
        said("a", reasoning=None, reasoning_details=[{"type": "reasoning.summary", "summary": "Hm."}]),
        (OK, "a", "Hm."),
    ),
    "openrouter hides its thoughts": (
        said("a", reasoning_details=[{"type": "reasoning.encrypted", "data": "xyz"}]),
        (OK, "a", None),
    ),
    "thought alone": (said("", reasoning_content="The answer is 4."), (EMPTY, None, "The answer is 4.")),
    "thought alone, null": (said(None, reasoning="The answer is 4."), (EMPTY, None, "The answer is 4.")),
    "mistral": (
        said(
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                {"type": "text", "text": "one "},
                {"type": "reference", "reference_ids": [1]},
                {"type": "text", "text": "two"},
            ]
        ),
        (OK, "one two", "Hm."),
    ),
    "thinking in tags stays for the stage": (said("<think>Hm.</think>a"), (OK, "<think>Hm.</think>a", None)),
    "no parts": (said([]), (EMPTY, None, None)),
    "refusal": (said(None, refusal="I won't."), (REFUSED, None, None)),
    "refusal as a part": (said([{"type": "refusal", "refusal": "I won't."}]), (REFUSED, None, None)),
    "blank refusal": (said("a", refusal=""), (OK, "a", None)),
    "several choices": (
        {**said("b"), "choices": [{**said("b")["choices"][0], "index": 1}, {**said("a")["choices"][0], "index": 0}]},
        (OK, "a", None),
    ),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_what_is_the_answer_and_what_is_thinking(name: str) -> None:
    document, expected = CONTENTS[name]

    attempt = parse(document)

    assert (attempt.outcome, attempt.text, attempt.thinking) == expected


FINISHES: list[tuple[object, object, AttemptOutcome, str | None]] = [
    ("stop", "a", OK, None),
    ("STOP", "a", OK, None),
    (None, "a", OK, None),
    ("eos_token", "a", OK, None),
    ("end_turn", "a", OK, None),
    ("length", "a", TRUNCATED, "max_output_tokens"),
    ("length", "", TRUNCATED, "max_output_tokens"),
    ("model_length", "a", TRUNCATED, "max_output_tokens"),
    ("content_filter", "half", REFUSED, "content_filter"),
    ("content_filter", None, REFUSED, "content_filter"),
    ("error", "half", AttemptOutcome.RETRYABLE, "server_error"),
    ("insufficient_system_resource", "", AttemptOutcome.RETRYABLE, "server_error"),
    ("tool_calls", "Let me look.", EMPTY, "empty_output"),
    ("function_call", None, EMPTY, "empty_output"),
    ("shiny", "a", AttemptOutcome.INVALID_OUTPUT, "unknown_finish_reason"),
    (7, "a", AttemptOutcome.INVALID_OUTPUT, "unknown_finish_reason"),
]


@pytest.mark.parametrize(("finish", "content", "outcome", "code"), FINISHES)
def test_why_the_model_ended_decides(
    finish: object, content: object, outcome: AttemptOutcome, code: str | None
) -> None:
    attempt = parse(said(content, finish))

    assert (attempt.outcome, attempt.error.code if attempt.error else None) == (outcome, code)
    assert attempt.transient == (outcome is AttemptOutcome.RETRYABLE)
    assert (attempt.usage is None) == attempt.maybe_billed


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "assistant", "content": "", "function_call": {"name": "look_up", "arguments": "{}"}},
    ],
)
def test_a_call_is_no_answer_and_names_its_function(message: dict[str, Any]) -> None:
    attempt = parse(completion(message, "stop"))

    assert attempt.outcome is EMPTY
    assert "the model called the function 'look_up' instead of answering" in words(attempt)[1]


def test_what_is_said_before_a_call_is_kept_beside_the_answer() -> None:
    attempt = parse(completion({"content": "Let me look.", "tool_calls": [CALL]}, "tool_calls"))

    assert (attempt.outcome, attempt.text, attempt.thinking) == (EMPTY, None, "Let me look.")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
        ({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}, Usage(input=5, output=2, total=7)),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "prompt_tokens_details": None},
            Usage(input=5, output=2, total=7),
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "prompt_cache_hit_tokens": 3},
            Usage(input=5, cached_input=3, output=2, total=7),
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 2,
                "total_tokens": 107,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            Usage(input=5, output=102, reasoning=100, total=107),
        ),
    ],
    ids=["null", "empty", "zeros", "ollama", "vllm", "deepseek counts cached", "xai counts reasoning beside"],
)
def test_tokens_are_read_from_every_report(usage: object, expected: Usage | None) -> None:
    assert parse({**said("a"), "usage": usage}).usage == expected


def test_only_a_tier_that_costs_something_else_is_told() -> None:
    assert parse({**said("a"), "service_tier": "flex"}).served == Served("flex")
    for usual in (None, "default", "on_demand", 7):
        assert parse({**said("a"), "service_tier": usual}).served == Served()


ERRORS: dict[str, tuple[int, object, tuple[AttemptOutcome, str, AccountFault | None]]] = {
    "openrouter, 429 in 200": (
        200,
        {"error": {"code": 429, "message": "rate-limited upstream", "metadata": {"provider_name": "x"}}},
        (AttemptOutcome.RETRYABLE, "http_429", None),
    ),
    "openrouter, 502 beside a choice": (
        200,
        {**said(""), "choices": [{**said("")["choices"][0], "error": {"code": 502, "message": "upstream"}}]},
        (AttemptOutcome.RETRYABLE, "http_502", None),
    ),
    "openrouter, no credit": (
        402,
        {"error": {"code": 402, "message": "Insufficient credits"}},
        (AttemptOutcome.FAILED, "http_402", AccountFault.QUOTA),
    ),
    "openrouter, one flagged question": (
        403,
        {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["hate"], "flagged_input": "…"}}},
        (AttemptOutcome.FAILED, "http_403", None),
    ),
    "a key that may not": (
        403,
        {"error": {"message": "forbidden"}},
        (AttemptOutcome.FAILED, "http_403", AccountFault.AUTH),
    ),
    "openrouter, model": (
        400,
        {"error": {"code": 400, "message": "foo/bar is not a valid model ID"}},
        (AttemptOutcome.FAILED, "http_400", AccountFault.MODEL_NOT_FOUND),
    ),
    "ollama, model": (
        404,
        {
            "error": {
                "message": 'model "gemma9" not found, try pulling it first',
                "type": "not_found_error",
                "code": None,
            }
        },
        (AttemptOutcome.FAILED, "http_404", AccountFault.MODEL_NOT_FOUND),
    ),
    "vllm, model": (
        404,
        {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError", "param": "model", "code": 404}},
        (AttemptOutcome.FAILED, "http_404", AccountFault.MODEL_NOT_FOUND),
    ),
    "mistral, model": (
        400,
        {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "param": None, "code": "1500"},
        (AttemptOutcome.FAILED, "1500", AccountFault.MODEL_NOT_FOUND),
    ),
    "mistral, field": (
        422,
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "x"], "msg": "Extra inputs are not permitted"}]},
        (AttemptOutcome.FAILED, "http_422", None),
    ),
    "lm studio, no such address": (
        200,
        {"error": "Unexpected endpoint or method. (POST /chat/completions)"},
        (AttemptOutcome.FAILED, "completion_failed", AccountFault.NOT_AN_API),
    ),
    "an old server, error as object": (
        200,
        {"object": "error", "message": "engine is dead", "code": 503},
        (AttemptOutcome.RETRYABLE, "http_503", None),
    ),
    "azure, prompt filtered": (
        400,
        {"error": {"code": "content_filter", "message": "The prompt was filtered", "param": "prompt", "status": 400}},
        (AttemptOutcome.FAILED, "content_filter", None),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_every_server_fall_into_their_class(name: str) -> None:
    status, document, expected = ERRORS[name]

    attempt = parse(document, status=status)

    assert (attempt.outcome, words(attempt)[0], attempt.account_fault) == expected
    assert attempt.throttled == ("429" in expected[1])


@pytest.mark.parametrize(
    "document",
    [
        [],
        7,
        {"ok": True},
        {"choices": []},
        {"choices": None},
        {"choices": [3]},
        {"status": "completed", "output": []},
        completion(None),
        said(5),
        said([3]),
        said([{"type": "text", "text": 5}]),
    ],
)
def test_json_of_another_shape_is_malformed_and_may_be_asked_again(document: object) -> None:
    attempt = parse(document)

    assert (attempt.outcome, attempt.transient, attempt.maybe_billed) == (AttemptOutcome.MALFORMED, True, True)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, b"<html><body>Sign in</body></html>", "text/html", "not_an_api"),
        (200, b"It works!", "text/plain", "not_an_api"),
        (404, b"404 page not found", "text/plain", "http_404"),
        (200, b'data: {"choices":[]}\n\ndata: [DONE]\n', "text/event-stream", "streamed_answer"),
        (200, b'data: {"choices":[]}\n\n', "application/json", "streamed_answer"),
    ],
)
def test_text_where_json_belongs_is_a_matter_of_the_address(status: int, body: bytes, kind: str, code: str) -> None:
    attempt = parse_completion(status, body, {"content-type": kind})

    assert (words(attempt)[0], attempt.account_fault) == (code, AccountFault.NOT_AN_API)


def test_a_wait_that_was_asked_for_is_kept() -> None:
    body = orjson.dumps({"error": {"message": "slow down", "type": "requests"}})

    attempt = parse_completion(429, body, {**JSON, "retry-after": "7"})

    assert (attempt.outcome, attempt.throttled, attempt.retry_after_s) == (AttemptOutcome.RETRYABLE, True, 7.0)
