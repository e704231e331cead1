"""What answers of ``generateContent`` mean, parsed from bytes and over real HTTP."""

import asyncio
import json
from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, Usage
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.generate import GeminiAnswerer, parse_generation
from eval_pipeline_tests.providers.script import Script

JSON = {"content-type": "application/json"}
USAGE = {
    "promptTokenCount": 20,
    "cachedContentTokenCount": 8,
    "candidatesTokenCount": 12,
    "thoughtsTokenCount": 4,
    "totalTokenCount": 36,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 15}],
}


def candidate(*texts: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a candidate
    content = {"parts": [{"text": text} for text in texts], "role": "model"}
    return {"content": content, "finishReason": "STOP", "index": 0, **fields}


def answer(*candidates: Any, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of an answer
    known = {"usageMetadata": USAGE, "modelVersion": "gemini-2.5-flash", "responseId": "abc"}
    return {"candidates": list(candidates), **known, **fields}


def parse(document: object, *, status: int = 200) -> Attempt:
    return parse_generation(status, orjson.dumps(document), JSON)


def words(attempt: Attempt) -> tuple[str, str]:
    assert attempt.error is not None
    return attempt.error.code, attempt.error.message


def test_the_answer_is_every_text_of_the_first_candidate_and_no_thought() -> None:
    parts = [{"text": "hm", "thought": True}, {"text": "one "}, {"functionCall": {"name": "f"}}, {"text": "two"}]

    attempt = parse(answer({"content": {"parts": parts}, "finishReason": "STOP"}, candidate("another")))

    assert (attempt.outcome, attempt.text, attempt.error) == (AttemptOutcome.OK, "one two", None)


def test_an_answer_brings_its_facts_and_thoughts_are_billed_as_output() -> None:
    attempt = parse(answer(candidate("x")))

    assert (attempt.response_id, attempt.model) == ("abc", "gemini-2.5-flash")
    assert attempt.usage == Usage(input=20, cached_input=8, output=16, reasoning=4, total=36, audio_input=15)


def test_an_answer_in_snake_case_is_the_same_answer() -> None:
    snake = {
        "candidates": [{"content": {"parts": [{"text": "x"}]}, "finish_reason": "STOP"}],
        "usage_metadata": {
            "prompt_token_count": 20,
            "cached_content_token_count": 8,
            "candidates_token_count": 12,
            "thoughts_token_count": 4,
            "total_token_count": 36,
            "prompt_tokens_details": [{"modality": "AUDIO", "token_count": 15}],
        },
        "model_version": "gemini-2.5-flash",
        "response_id": "abc",
    }

    assert parse(snake) == parse(answer(candidate("x")))


def test_a_batch_line_is_read_by_the_same_parser() -> None:
    assert parse_generation(200, answer(candidate("x")), {}) == parse(answer(candidate("x")))


@pytest.mark.parametrize("usage", [None, [], {}, {"promptTokenCount": "many"}, {"promptTokenCount": 0}])
def test_usage_that_nobody_understands_is_unknown_and_not_zero(usage: object) -> None:
    attempt = parse(answer(candidate("x"), usageMetadata=usage))

    assert attempt.usage is None
    assert attempt.cost_uncertain


def test_counts_that_the_api_leaves_out_are_zero_or_follow_from_the_total() -> None:
    silent = parse(answer(candidate(), usageMetadata={"promptTokenCount": 7, "totalTokenCount": 7}))
    derived = parse(answer(candidate("x"), usageMetadata={"promptTokenCount": "7", "totalTokenCount": 9}))

    assert silent.usage == Usage(input=7, total=7)
    assert derived.usage == Usage(input=7, output=2, total=9)


@pytest.mark.parametrize("content", [None, {}, {"role": "model"}, {"parts": []}, {"parts": [{"text": " \n"}]}])
def test_no_text_is_empty_and_no_answer(content: object) -> None:
    attempt = parse(answer({"content": content, "finishReason": "STOP"}))

    assert attempt.outcome is AttemptOutcome.EMPTY
    assert not attempt.transient


@pytest.mark.parametrize("content", ["text", {"parts": "text"}, {"parts": ["text"]}, {"parts": [{"text": 5}]}])
def test_content_that_cannot_be_read_is_not_taken_for_empty(content: object) -> None:
    attempt = parse(answer({"content": content, "finishReason": "STOP"}))

    assert attempt.outcome is AttemptOutcome.MALFORMED
    assert attempt.transient


def test_a_cut_answer_keeps_its_text() -> None:
    attempt = parse(answer(candidate("half an", finishReason="MAX_TOKENS")))

    assert (attempt.outcome, attempt.text) == (AttemptOutcome.TRUNCATED, "half an")
    assert words(attempt)[0] == "max_tokens"


@pytest.mark.parametrize(
    "reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "safety"]
)
def test_a_filtered_answer_is_refused_with_the_providers_reason(reason: str) -> None:
    attempt = parse(answer({"finishReason": reason, "finishMessage": "not this"}))

    assert (attempt.outcome, attempt.text) == (AttemptOutcome.REFUSED, None)
    assert words(attempt) == (reason.lower(), f"the model stopped ({reason.upper()}): not this")
    assert not attempt.transient


@pytest.mark.parametrize("reason", ["LANGUAGE", "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
def test_an_answer_that_stopped_for_another_reason_has_failed(reason: str) -> None:
    attempt = parse(answer(candidate("part", finishReason=reason)))

    assert attempt.outcome is AttemptOutcome.FAILED
    assert words(attempt)[0] == reason.lower()


def test_a_malformed_answer_may_be_asked_again() -> None:
    attempt = parse(answer(candidate(finishReason="MALFORMED_RESPONSE")))

    assert (attempt.outcome, attempt.transient) == (AttemptOutcome.MALFORMED, True)


@pytest.mark.parametrize("reason", ["FINISH_REASON_UNSPECIFIED", "A_REASON_OF_TOMORROW", 7])
def test_a_reason_that_nobody_knows_is_never_taken_for_an_answer(reason: object) -> None:
    attempt = parse(answer(candidate("x", finishReason=reason)))

    assert attempt.outcome is AttemptOutcome.INVALID_OUTPUT
    assert str(reason) in words(attempt)[1]


def test_a_server_that_names_no_reason_has_answered() -> None:
    assert parse(answer(candidate("x", finishReason=None))).outcome is AttemptOutcome.OK


def test_an_account_that_google_suspended_is_no_matter_of_the_item() -> None:
    assert parse(answer(candidate(finishReason="PUP_LIMITED_DISABLED"))).account_fault is AccountFault.AUTH


@pytest.mark.parametrize("name", ["blockReason", "block_reason"])
def test_a_blocked_prompt_is_refused(name: str) -> None:
    attempt = parse({"promptFeedback": {name: "PROHIBITED_CONTENT"}, "usageMetadata": USAGE})

    assert attempt.outcome is AttemptOutcome.REFUSED
    assert words(attempt) == ("prohibited_content", "the provider blocked the prompt (PROHIBITED_CONTENT)")
    assert attempt.usage is not None


@pytest.mark.parametrize("document", [{"usageMetadata": USAGE}, {"candidates": [], "modelVersion": "m"}])
def test_no_candidate_and_no_reason_may_be_asked_again(document: object) -> None:
    attempt = parse(document)

    assert (attempt.outcome, attempt.transient) == (AttemptOutcome.MALFORMED, True)
    assert words(attempt)[0] == "no_candidate"


@pytest.mark.parametrize("document", [[], 7, "text", {"ok": True}, {"candidates": "x"}, {"candidates": [3]}])
def test_json_of_another_shape_is_malformed_and_may_be_asked_again(document: object) -> None:
    attempt = parse(document)

    assert (attempt.outcome, attempt.transient, attempt.maybe_billed) == (AttemptOutcome.MALFORMED, True, True)


@pytest.mark.parametrize("body", [b"", b'{"candidates": [', b"[1,"])
def test_json_that_was_cut_is_malformed(body: bytes) -> None:
    assert parse_generation(200, body, JSON).outcome is AttemptOutcome.MALFORMED


def test_a_page_of_html_is_a_wrong_address() -> None:
    attempt = parse_generation(200, b"<html><body>Welcome</body></html>", {"content-type": "text/html"})

    assert attempt.account_fault is AccountFault.NOT_AN_API


def test_half_an_emoji_and_line_separators_inside_an_answer_are_kept() -> None:
    body = b'{"candidates": [{"content": {"parts": [{"text": "a\\u2028b \\ud83d"}]}, "finishReason": "STOP"}]}'

    assert parse_generation(200, body, JSON).text == "a\u2028b \ufffd"


def ask(script: Script, body: dict[str, Any]) -> Attempt:
    async def work() -> Attempt:
        async with GeminiConnection(api_key="the-secret-key", base_url=script.url, timeout_s=5) as connection:
            return await GeminiAnswerer(connection).ask(body)

    return asyncio.run(work())


def test_a_model_body_becomes_a_request_and_what_is_not_ours_passes_through(script: Script) -> None:
    script.say(200, answer(candidate("Four.")))
    turn = {"role": "user", "parts": [{"text": "1 + 1?"}]}
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]

    attempt = ask(
        script,
        {
            "model": "gemini-2.5-flash",
            "input": "2 + 2?",
            "instructions": "Be brief.",
            "temperature": 0,
            "max_output_tokens": 50,
            "generationConfig": {"temperature": 1, "seed": 7},
            "safetySettings": safety,
            "contents": [turn],
        },
    )

    [asked] = script.asked
    assert attempt.text == "Four."
    assert asked.path == "/v1/models/gemini-2.5-flash:generateContent"
    assert json.loads(asked.body) == {
        "contents": [turn, {"role": "user", "parts": [{"text": "2 + 2?"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"temperature": 1, "maxOutputTokens": 50, "seed": 7},
        "safetySettings": safety,
    }


def test_a_question_alone_is_a_request(script: Script) -> None:
    script.say(200, answer(candidate("Four.")))

    ask(script, {"model": "models/gemini-2.5-flash", "input": "2 + 2?"})

    assert json.loads(script.asked[0].body) == {"contents": [{"role": "user", "parts": [{"text": "2 + 2?"}]}]}
    assert script.asked[0].path == "/v1/models/gemini-2.5-flash:generateContent"


def test_a_model_that_is_no_name_stays_inside_its_place_of_the_address(script: Script) -> None:
    script.say(404, {"error": {"code": 404, "message": "models/a?b is not found", "status": "NOT_FOUND"}})

    attempt = ask(script, {"model": "a?key=b", "input": "x"})

    assert attempt.account_fault is AccountFault.MODEL_NOT_FOUND
    assert script.asked[0].path == "/v1/models/a%3Fkey=b:generateContent"


def test_the_key_in_the_providers_words_is_blanked_out(script: Script) -> None:
    script.say(400, {"error": {"code": 400, "message": "you sent the-secret-key", "status": "INVALID_ARGUMENT"}})

    assert words(ask(script, {"model": "m", "input": "x"}))[1] == "you sent [key]"
