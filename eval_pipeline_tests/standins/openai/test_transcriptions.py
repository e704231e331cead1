"""OpenAI's own client and a bare one get from ``/v1/audio/transcriptions`` what the real API would send."""

import json
from typing import Any

import httpx
import openai
import pytest
from openai.types.audio import Transcription, TranscriptionVerbose
from openai.types.audio.transcription import UsageDuration, UsageTokens

from eval_pipeline_tests.standins.speaking import CLIPS, NAMES, REFERENCES, clip

MODEL = "gpt-transcribe"
URL = "/v1/audio/transcriptions"


def told(api: httpx.Client, number: int = 0, model: str = MODEL) -> str:
    entries = api.get("/__standin__/transcripts", params={"model": model}).json()
    return next(str(entry["transcript"]) for entry in entries if entry["sha256"] == NAMES[number])


def hear(sdk: openai.OpenAI, number: int = 0, *, model: str = MODEL) -> Transcription:
    return sdk.audio.transcriptions.create(file=("clip.wav", CLIPS[number]), model=model, response_format="json")


def post(api: httpx.Client, data: bytes | None = CLIPS[0], **fields: str) -> httpx.Response:
    return api.post(URL, data=fields, files=None if data is None else {"file": ("clip.wav", data)})


def set_fault(api: httpx.Client, kind: str, **conditions: object) -> None:
    answer = api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "transcriptions", **conditions}])
    assert answer.status_code == 200, answer.text


def test_the_same_clip_is_heard_as_at_gemini_by_a_model_of_the_same_name(
    api: httpx.Client, sdk: openai.OpenAI, gemini_api: httpx.Client
) -> None:
    assert hear(sdk, 1).text == told(api, 1) == told(gemini_api, 1)


def test_tokens_are_told_by_kind(api: httpx.Client, sdk: openai.OpenAI) -> None:
    answer = sdk.audio.transcriptions.create(
        file=("clip.wav", CLIPS[0]),
        model=MODEL,
        prompt="names: fox",
        language="en",
        temperature=0,
        response_format="json",
    )

    assert isinstance(answer.usage, UsageTokens)
    assert answer.usage.input_token_details is not None
    details = answer.usage.input_token_details
    assert (details.audio_tokens, details.text_tokens, answer.usage.input_tokens) == (6, 3, 9)
    assert answer.usage.output_tokens == -(-len(answer.text.encode()) // 4)
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert api.get("/__standin__/counts").json()["transcriptions"]["tokens"]["total"] == answer.usage.total_tokens


def test_whisper_is_billed_by_begun_seconds(api: httpx.Client, sdk: openai.OpenAI) -> None:
    answer = hear(sdk, model="whisper-1")

    assert isinstance(answer.usage, UsageDuration)
    assert answer.usage.seconds == 1
    assert api.get("/__standin__/counts").json()["transcriptions"]["tokens"] == {"seconds": 1}


def test_verbose_answers_have_duration_language_and_segments(sdk: openai.OpenAI) -> None:
    answer = sdk.audio.transcriptions.create(
        file=("clip.wav", CLIPS[1]), model="whisper-1", response_format="verbose_json"
    )

    assert isinstance(answer, TranscriptionVerbose)
    assert answer.language == "hi"
    assert answer.duration == pytest.approx(0.5, abs=0.01)
    assert [segment.text for segment in answer.segments or []] == [answer.text]


def test_plain_text_is_text_alone(api: httpx.Client) -> None:
    answer = post(api, model=MODEL, response_format="text")

    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == told(api) + "\n"


def test_silence_is_an_empty_text(api: httpx.Client) -> None:
    api.post("/__standin__/error_rates", json={"*": {"on_silence": 0}})

    answer = post(api, CLIPS[2], model=MODEL)

    assert REFERENCES[2] == answer.json()["text"] == ""


@pytest.mark.parametrize(
    ("data", "fields", "code", "words"),
    [
        (None, {"model": MODEL}, None, "multipart"),
        (CLIPS[0], {}, "missing_required_parameter", "'model'"),
        (b"", {"model": MODEL}, "audio_too_short", "too short"),
        (b"Dear sirs", {"model": MODEL}, None, "Invalid file format"),
        (CLIPS[0], {"model": MODEL, "language": "hi-IN"}, "invalid_language_format", "ISO-639-1"),
        (CLIPS[0], {"model": MODEL, "temperature": "1.5"}, "invalid_value", "temperature"),
        (CLIPS[0], {"model": MODEL, "response_format": "xml"}, "unsupported_value", "xml"),
        (CLIPS[0], {"model": "gpt-4o-transcribe", "response_format": "text"}, "unsupported_value", "['json']"),
        (CLIPS[0], {"model": MODEL, "stream": "true"}, None, "stream"),
        (CLIPS[0], {"model": MODEL, "colour": "red"}, "unknown_parameter", "colour"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(
    api: httpx.Client, *, data: bytes | None, fields: dict[str, str], code: str | None, words: str
) -> None:
    answer = post(api, data, **fields)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert words in answer.json()["error"]["message"]
    assert api.get("/__standin__/counts?detail=1").json()["transcriptions"]["billed"] == {}


def test_a_form_without_a_file_is_refused(api: httpx.Client) -> None:
    answer = api.post(URL, files={"model": (None, MODEL)})

    assert answer.json()["error"]["message"] == "Missing required parameter: 'file'."


def test_more_than_25_megabytes_are_too_large(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        sdk.audio.transcriptions.create(file=("clip.wav", CLIPS[0] + bytes(25 * 1024 * 1024)), model=MODEL)

    assert caught.value.status_code == 413


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limit", openai.RateLimitError),
        ("insufficient_quota", openai.RateLimitError),
        ("server_error", openai.InternalServerError),
        ("unauthorized", openai.AuthenticationError),
        ("timeout", openai.APITimeoutError),
        ("reset", openai.APIConnectionError),
        ("cut", openai.APIConnectionError),
        ("truncated_json", json.JSONDecodeError),
    ],
)
def test_the_sdk_sees_the_fault_that_was_meant(
    api: httpx.Client, sdk: openai.OpenAI, kind: str, error: type[Exception]
) -> None:
    set_fault(api, kind)

    with pytest.raises(error):
        hear(sdk.with_options(timeout=0.5))


def test_html_reaches_the_sdk_as_a_text(api: httpx.Client, sdk: openai.OpenAI) -> None:
    set_fault(api, "html")
    answer: Any = hear(sdk)

    assert answer.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("empty", ""),
        ("code_fence", "```text\n{text}\n```"),
        ("quoted", '"{text}"'),
        ("labelled", "Transcript: {text}"),
        ("no_usage", "{text}"),
    ],
)
def test_a_text_can_be_spoilt(api: httpx.Client, sdk: openai.OpenAI, kind: str, shape: str) -> None:
    set_fault(api, kind)

    answer = hear(sdk)

    assert answer.text == shape.replace("{text}", told(api))
    assert (answer.usage is None) == (kind == "no_usage")


def test_each_clip_is_billed_as_often_as_it_was_transcribed_whether_or_not_it_arrived(
    api: httpx.Client, sdk: openai.OpenAI
) -> None:
    hear(sdk, 0)
    hear(sdk, 1)
    set_fault(api, "cut")
    with pytest.raises(openai.APIConnectionError):
        hear(sdk, 1)
    set_fault(api, "unavailable")
    with pytest.raises(openai.InternalServerError):
        hear(sdk, 0)

    counts = api.get("/__standin__/counts?detail=1").json()["transcriptions"]

    assert counts["billed"] == {NAMES[0]: 1, NAMES[1]: 2}
    assert counts["asked"] == {NAMES[0]: 2, NAMES[1]: 2}


def test_an_unrecorded_clip_is_heard_as_words_of_its_own(api: httpx.Client) -> None:
    assert post(api, clip(50), model=MODEL).json()["text"] != post(api, clip(51), model=MODEL).json()["text"]
