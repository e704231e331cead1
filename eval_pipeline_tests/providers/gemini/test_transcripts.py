"""Live transcription: the clip inline or through the Files API, and what becomes of it when that fails."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome
from eval_pipeline.core.ports.models import Clip, TranscriptionRequest
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.files import GeminiFiles
from eval_pipeline.providers.gemini.transcripts import GeminiTranscriber
from eval_pipeline_tests.providers.script import Script

SOUND = b"RIFF\x00\x01\x02"
HEARD = {"candidates": [{"content": {"parts": [{"text": "नमस्ते"}]}, "finishReason": "STOP"}]}
FILE = {"name": "files/abc", "uri": "https://host/v1/files/abc", "mimeType": "audio/wav"}


@pytest.fixture
def request_(tmp_path: Path) -> TranscriptionRequest:
    path = tmp_path / "clip.wav"
    path.write_bytes(SOUND)

    @contextmanager
    def opened() -> Iterator[Path]:
        yield path

    clip = Clip(sha256="0", mime_type="audio/wav", size_bytes=len(SOUND), name="clip.wav", open=opened)
    return TranscriptionRequest(clip=clip, model="gemini-2.5-flash", prompt="Write down “all”.", language="hi-IN")


def hear(script: Script, request: TranscriptionRequest, *, hosted: bool = True, **options: Any) -> Attempt:  # noqa: ANN401 - of the transcriber
    files = GeminiFiles(api_key="the-secret-key", base_url=script.url, timeout_s=5) if hosted else None
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def work() -> Attempt:
        async with GeminiConnection(api_key="the-secret-key", base_url=script.url, timeout_s=5) as connection:
            return await GeminiTranscriber(connection, host=files, sleep=sleep, **options).ask(request)

    try:
        return asyncio.run(work())
    finally:
        if files is not None:
            files.close()


def code(attempt: Attempt) -> str:
    assert attempt.error is not None
    return attempt.error.code


def test_a_small_clip_travels_inside_the_request(script: Script, request_: TranscriptionRequest) -> None:
    script.say(200, HEARD)

    attempt = hear(script, request_, hosted=False)

    [asked] = script.asked
    assert (attempt.outcome, attempt.text) == (AttemptOutcome.OK, "नमस्ते")
    assert asked.path == "/v1/models/gemini-2.5-flash:generateContent"
    inline = {"mime_type": "audio/wav", "data": base64.b64encode(SOUND).decode()}
    assert json.loads(asked.body) == {
        "contents": [{"parts": [{"text": "Write down “all”."}, {"inline_data": inline}], "role": "user"}],
        "generationConfig": {"temperature": 0},
    }


def test_what_else_the_model_is_told_comes_along(script: Script, request_: TranscriptionRequest) -> None:
    script.say(200, HEARD)

    hear(script, request_, generation_config={"temperature": 0.2, "maxOutputTokens": 100})

    assert json.loads(script.asked[0].body)["generationConfig"] == {"temperature": 0.2, "maxOutputTokens": 100}


def test_a_large_clip_is_uploaded_waited_for_named_and_deleted(script: Script, request_: TranscriptionRequest) -> None:
    script.say(200, {}, x_goog_upload_url=f"{script.url}/upload/v1/files?upload_id=1")
    script.say(200, {"file": {**FILE, "state": "PROCESSING"}}, x_goog_upload_status="final")
    script.say(200, {**FILE, "state": "ACTIVE"})
    script.say(200, HEARD)
    script.say(200, {})

    attempt = hear(script, request_, max_inline_bytes=3)

    assert attempt.text == "नमस्ते"
    assert [(asked.method, asked.path) for asked in script.asked[2:]] == [
        ("GET", "/v1/files/abc"),
        ("POST", "/v1/models/gemini-2.5-flash:generateContent"),
        ("DELETE", "/v1/files/abc"),
    ]
    part = json.loads(script.asked[3].body)["contents"][0]["parts"][1]
    assert part == {"file_data": {"mime_type": "audio/wav", "file_uri": FILE["uri"]}}


def test_a_clip_that_the_provider_cannot_read_fails_with_its_words(
    script: Script, request_: TranscriptionRequest
) -> None:
    script.say(200, {}, x_goog_upload_url=f"{script.url}/upload/v1/files?upload_id=1")
    script.say(200, {"file": {**FILE, "state": "FAILED", "error": {"code": 3, "message": "no audio in it"}}})

    attempt = hear(script, request_, max_inline_bytes=3)

    assert (attempt.outcome, attempt.transient) == (AttemptOutcome.FAILED, False)
    assert attempt.error is not None
    assert "no audio in it" in attempt.error.message


def test_a_clip_that_is_never_ready_may_be_tried_again(script: Script, request_: TranscriptionRequest) -> None:
    script.say(200, {}, x_goog_upload_url=f"{script.url}/upload/v1/files?upload_id=1")
    script.say(200, {"file": {**FILE, "state": "PROCESSING"}})

    attempt = hear(script, request_, max_inline_bytes=3)

    assert (attempt.outcome, attempt.transient) == (AttemptOutcome.RETRYABLE, True)
    assert script.asked[-1].method == "DELETE"


def test_a_large_clip_without_a_place_to_go_fails_before_anything_is_sent(
    script: Script, request_: TranscriptionRequest
) -> None:
    attempt = hear(script, request_, hosted=False, max_inline_bytes=3)

    assert (attempt.outcome, code(attempt), script.asked) == (AttemptOutcome.FAILED, "clip_too_large", [])


@pytest.mark.parametrize(
    ("status", "fault", "transient"),
    [(401, AccountFault.AUTH, False), (503, None, True), (429, None, True)],
)
def test_an_upload_that_fails_is_told_as_an_attempt(
    script: Script,
    request_: TranscriptionRequest,
    status: int,
    fault: AccountFault | None,
    transient: bool,
) -> None:
    script.say(status, {"error": {"code": status, "message": "no", "status": "X"}})

    attempt = hear(script, request_, max_inline_bytes=3)

    assert (attempt.account_fault, attempt.transient, attempt.throttled) == (fault, transient, status == 429)


def test_a_clip_of_some_megabytes_holds_nothing_up(script: Script, request_: TranscriptionRequest) -> None:
    """Of a body of more than a megabyte in one piece aiohttp warns, and here warnings are errors."""
    with request_.clip.open() as path:
        path.write_bytes(SOUND * 200_000)
    script.say(200, HEARD)

    attempt = hear(script, request_, hosted=False)

    assert attempt.outcome is AttemptOutcome.OK
    assert base64.b64encode(SOUND * 200_000) in script.asked[0].body
