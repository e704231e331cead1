"""Transcriptions over real HTTP: the form that goes out, and what comes back."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, Usage
from eval_pipeline.core.ports.models import Clip, TranscriptionRequest
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.transcriptions import OpenAITranscriber, parse_transcription
from eval_pipeline_tests.providers.script import Script

SOUND = b"OggS\x00" + bytes(range(256)) * 500
JSON = {"content-type": "application/json"}


@pytest.fixture
def request_(tmp_path: Path) -> TranscriptionRequest:
    path = tmp_path / "stored"
    path.write_bytes(SOUND)

    @contextmanager
    def opened() -> Iterator[Path]:
        yield path

    clip = Clip(sha256="0", mime_type="audio/ogg", size_bytes=len(SOUND), name="q1.ogg", open=opened)
    return TranscriptionRequest(clip=clip, model="gpt-transcribe", prompt="Instructions.", language="hi-IN")


def hear(script: Script, request: TranscriptionRequest, **options: Any) -> Attempt:  # noqa: ANN401 - of the transcriber
    async def work() -> Attempt:
        async with OpenAIConnection(api_key="the-key", base_url=f"{script.url}/v1", timeout_s=5) as connection:
            return await OpenAITranscriber(connection, **options).ask(request)

    return asyncio.run(work())


def form(script: Script) -> dict[str, bytes]:
    """Return the form of the one request: fields by name, the file's head under ``head``."""
    [asked] = script.asked
    boundary = asked.headers["content-type"].partition("boundary=")[2].encode()
    parts: dict[str, bytes] = {}
    for part in asked.body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        named = re.search(rb'name="(\w+)"', head)
        assert named is not None
        parts[named[1].decode()] = value.removesuffix(b"\r\n")
        if named[1] == b"file":
            parts["head"] = head
    return parts


def parse(document: object, *, status: int = 200) -> Attempt:
    return parse_transcription(status, orjson.dumps(document), JSON)


def test_a_clip_goes_out_as_a_form_with_its_language_and_without_instructions(
    script: Script, request_: TranscriptionRequest
) -> None:
    script.say(200, {"text": "नमस्ते"})

    attempt = hear(script, request_)

    sent = form(script)
    assert (attempt.outcome, attempt.text) == (AttemptOutcome.OK, "नमस्ते")
    assert attempt.latency_s is not None
    assert script.asked[0].path == "/v1/audio/transcriptions"
    assert script.asked[0].headers["authorization"] == "Bearer the-key"
    assert sent["file"] == SOUND
    assert b'filename="q1.ogg"' in sent["head"]
    assert b"Content-Type: audio/ogg" in sent["head"]
    assert {name: sent[name] for name in sent if name not in {"file", "head"}} == {
        "model": b"gpt-transcribe",
        "response_format": b"json",
        "language": b"hi",
    }


def test_without_a_language_the_model_finds_out(script: Script, request_: TranscriptionRequest) -> None:
    script.say(200, {"text": "x"})

    hear(script, replace(request_, language=None))

    assert "language" not in form(script)


def test_a_clip_that_is_too_large_is_not_sent(script: Script, request_: TranscriptionRequest) -> None:
    attempt = hear(script, request_, max_bytes=10)

    assert (attempt.outcome, attempt.transient, script.asked) == (AttemptOutcome.FAILED, False, [])
    assert attempt.error is not None
    assert attempt.error.message == f"clip 'q1.ogg' has {len(SOUND):,} bytes, the transcription API takes 10"


@pytest.mark.parametrize("text", ["", " \n"])
def test_silence_is_empty_and_not_asked_again(text: str) -> None:
    attempt = parse({"text": text})

    assert (attempt.outcome, attempt.transient) == (AttemptOutcome.EMPTY, False)


def test_tokens_are_counted_and_audio_among_them() -> None:
    details = {"text_tokens": 2, "audio_tokens": 30}
    usage = {
        "type": "tokens",
        "input_tokens": 32,
        "input_token_details": details,
        "output_tokens": 8,
        "total_tokens": 40,
    }

    assert parse({"text": "x", "usage": usage}).usage == Usage(input=32, output=8, total=40, audio_input=30)


def test_what_is_billed_by_the_second_has_no_known_tokens() -> None:
    attempt = parse({"text": "x", "usage": {"type": "duration", "seconds": 7}})

    assert attempt.usage is None
    assert attempt.cost_uncertain


@pytest.mark.parametrize("document", [[], 7, {}, {"text": None}, {"text": 7}, {"texts": "x"}])
def test_what_is_no_transcription_may_be_asked_again(document: object) -> None:
    attempt = parse(document)

    assert (attempt.outcome, attempt.transient) == (AttemptOutcome.MALFORMED, True)


def test_a_language_that_the_server_refuses_is_the_items_own_fault() -> None:
    attempt = parse(
        {"error": {"message": "Language 'kok' is not supported", "code": "unsupported_language"}}, status=400
    )

    assert (attempt.outcome, attempt.transient) == (AttemptOutcome.FAILED, False)


def test_an_error_that_came_with_status_200_is_an_error() -> None:
    attempt = parse({"error": {"message": "later", "code": "rate_limit_exceeded"}})

    assert (attempt.outcome, attempt.throttled) == (AttemptOutcome.RETRYABLE, True)


def test_a_page_of_html_is_a_wrong_address() -> None:
    attempt = parse_transcription(200, b"<html>Welcome</html>", {"content-type": "text/html"})

    assert attempt.account_fault is AccountFault.NOT_AN_API


def test_a_server_that_is_away_is_told_as_a_passing_fault(script: Script, request_: TranscriptionRequest) -> None:
    script.say(200, {"text": "x"}, announce="1000")

    attempt = hear(script, request_)

    assert attempt.error is not None
    assert (attempt.outcome, attempt.error.code) == (AttemptOutcome.RETRYABLE, "connection_lost")
