"""Google's own client and a bare one get from ``generateContent`` what the real API would send."""

import base64
import io
import json
from typing import Any

import httpx
import httpx2
import pytest
from google import genai
from google.genai import errors, types
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.gemini.app import GeminiOptions, create_app
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.standins.speaking import CLIPS, NAMES, RECORDED_CLIPS, clip

MODEL = "gemini-2.5-flash"
PAIR = ("right", "wrong")
GENERATE = f"/v1/models/{MODEL}:generateContent"
ASK = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


def spoken(number: int) -> types.Part:
    return types.Part.from_bytes(data=CLIPS[number], mime_type="audio/wav")


def hear(google: genai.Client, number: int = 0, **config: object) -> types.GenerateContentResponse:
    wanted = types.GenerateContentConfig.model_validate(config)
    return google.models.generate_content(model=MODEL, contents=["Transcribe.", spoken(number)], config=wanted)


def set_fault(api: httpx.Client, kind: str, **conditions: object) -> None:
    answer = api.post("/__standin__/faults", json=[{"kind": kind, **conditions}])
    assert answer.status_code == 200, answer.text


def told(api: httpx.Client, number: int) -> str:
    entries = api.get("/__standin__/transcripts", params={"model": MODEL}).json()
    return next(str(entry["transcript"]) for entry in entries if entry["sha256"] == NAMES[number])


def test_a_recorded_question_is_answered_from_the_same_recordings_as_at_openai(google: genai.Client) -> None:
    answer = google.models.generate_content(model="recorded-model", contents="What is 2 + 2?")

    assert answer.text == "It is 4.\nA: 4"
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert (answer.model_version, bool(answer.response_id)) == ("recorded-model", True)


def test_a_clip_is_heard_with_its_planted_errors_inline_and_uploaded(
    gemini_api: httpx.Client, google: genai.Client
) -> None:
    gemini_api.post("/__standin__/error_rates", json={"*": {"substitutions": 0.4}})
    file = google.files.upload(file=io.BytesIO(CLIPS[1]), config={"mime_type": "audio/wav"})

    by_file = google.models.generate_content(model=MODEL, contents=["Transcribe.", file])

    assert hear(google, 1).text == by_file.text == told(gemini_api, 1) != RECORDED_CLIPS[NAMES[1]].reference


def test_the_usage_tells_text_audio_thoughts_and_cache_apart(google: genai.Client) -> None:
    thinking = types.ThinkingConfig(thinking_budget=70, include_thoughts=True)

    answer = hear(google, system_instruction="x" * 4 * 1100, thinking_config=thinking)

    usage = answer.usage_metadata
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    by_modality = {entry.modality: entry.token_count for entry in usage.prompt_tokens_details}
    assert by_modality == {types.MediaModality.TEXT: 1103, types.MediaModality.AUDIO: 17}
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (1120, 1024)
    assert (usage.candidates_token_count, usage.thoughts_token_count) == (-(-len(answer.text or "") // 4), 70)
    assert usage.total_token_count == 1120 + 70 + (usage.candidates_token_count or 0)


def test_thoughts_come_as_parts_of_their_own_and_are_not_part_of_the_text(google: genai.Client) -> None:
    quiet, loud = hear(google), hear(google, thinking_config=types.ThinkingConfig(include_thoughts=True))

    assert loud.candidates is not None
    assert loud.candidates[0].content is not None
    assert [part.thought for part in loud.candidates[0].content.parts or []] == [True, None]
    assert loud.text == quiet.text


def test_an_answer_beyond_its_limit_is_cut_and_says_so(google: genai.Client) -> None:
    answer = hear(google, max_output_tokens=3)

    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS
    assert len(answer.text or "") == 12


def test_json_is_answered_by_the_schema_that_is_asked_for(google: genai.Client) -> None:
    schema = {"type": "OBJECT", "properties": {"score": {"type": "INTEGER", "minimum": 3, "maximum": 3}}}

    answer = google.models.generate_content(
        model=MODEL,
        contents="Judge.",
        config={"response_mime_type": "application/json", "response_schema": schema},
    )

    assert json.loads(answer.text or "") == {"score": 3}


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_both_versions_take_camel_case_and_snake_case(gemini_api: httpx.Client, version: str) -> None:
    data = base64.b64encode(CLIPS[0]).decode()
    camel = {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": data}}]}]}
    snake = {
        "contents": [{"parts": [{"inline_data": {"mime_type": "audio/wav", "data": data}}]}],
        "generation_config": {"max_output_tokens": 1000},
    }

    answers = [gemini_api.post(f"/{version}/models/{MODEL}:generateContent", json=body) for body in (camel, snake)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["candidates"] == answers[1].json()["candidates"]


def test_a_signed_url_is_fetched_and_one_that_cannot_be_is_refused(
    gemini_api: httpx.Client, google: genai.Client
) -> None:
    async def send(request: Request) -> Response:
        right = request.query_params.get("signature") == "right"
        return Response(CLIPS[0], 200 if right else 403)

    with serve(Starlette(routes=[Route("/clip", send)])) as url:
        parts = [types.Part.from_uri(file_uri=f"{url}/clip?signature={name}", mime_type="audio/wav") for name in PAIR]
        heard = google.models.generate_content(model=MODEL, contents=[parts[0]])
        with pytest.raises(errors.ClientError, match="Cannot fetch content"):
            google.models.generate_content(model=MODEL, contents=[parts[1]])

    assert heard.text == told(gemini_api, 0)


def test_a_key_may_stand_in_the_url_and_must_stand_somewhere(gemini_api: httpx.Client) -> None:
    url = f"{gemini_api.base_url}{GENERATE}"

    assert httpx.post(f"{url}?key=k", json=ASK).status_code == 200
    assert httpx.post(url, json=ASK).json()["error"]["status"] == "PERMISSION_DENIED"


def test_only_listed_keys_and_models_are_accepted_when_some_are_listed() -> None:
    options = GeminiOptions(accepted_keys=frozenset({"right"}), models=frozenset({MODEL}))
    with serve(create_app(options)) as url:
        wrong = httpx.post(f"{url}{GENERATE}?key=wrong", json=ASK)
        absent = httpx.post(f"{url}/v1/models/nobody:generateContent?key=right", json=ASK)
        batch = httpx.post(f"{url}/v1/models/nobody:batchGenerateContent?key=right", json=inline_batch())

        assert httpx.get(f"{url}/v1/models/{MODEL}?key=right").json()["name"] == f"models/{MODEL}"
        assert httpx.get(f"{url}/v1/models/nobody?key=right").status_code == 404
    assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert wrong.status_code == 400
    assert absent.status_code == batch.status_code == 404
    assert absent.json()["error"]["message"].startswith("models/nobody is not found")


def inline_batch() -> dict[str, Any]:
    return {"batch": {"input_config": {"requests": {"requests": [{"request": ASK}]}}}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Invalid JSON payload"),
        (b"[]", "Expected an object"),
        (b"{}", "contents is not specified"),
        (b'{"contents": {}}', "type list"),
        (b'{"contents": [{"parts": []}]}', "parts must not be empty"),
        (b'{"contents": [{"parts": [{}]}]}', "required oneof field 'data'"),
        (b'{"contents": [{"parts": [{"txt": "x"}]}]}', 'Unknown name "txt"'),
        (b'{"contents": [{"parts": [{"text": 5}]}]}', "TYPE_STRING"),
        (b'{"contents": [{"role": "system", "parts": [{"text": "x"}]}]}', "valid role"),
        (b'{"contents": [{"parts": [{"text": "x"}]}], "temperature": 1}', 'Unknown name "temperature"'),
        (b'{"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"temperature": 3}}', "temperature"),
        (b'{"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"maxOutputTokens": 0}}', "max_output"),
        (b'{"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"responseSchema": {}}}', "response_schema"),
        (b'{"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "?"}}]}]}', "Base64"),
        (b'{"contents": [{"parts": [{"inlineData": {"mimeType": "text/x", "data": "eHg="}}]}]}', "Unsupported MIME"),
        (b'{"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": "eHg="}}]}]}', "invalid argument"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_in_googles_words(
    gemini_api: httpx.Client, body: bytes, words: str
) -> None:
    answer = gemini_api.post(GENERATE, content=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert words in answer.json()["error"]["message"]
    assert gemini_api.get("/__standin__/counts?detail=1").json()["billed"] == {}


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("rate_limit", 429, "RESOURCE_EXHAUSTED"),
        ("rate_limit_no_header", 429, "RESOURCE_EXHAUSTED"),
        ("insufficient_quota", 429, "RESOURCE_EXHAUSTED"),
        ("server_error", 500, "INTERNAL"),
        ("unavailable", 503, "UNAVAILABLE"),
        ("bad_request", 400, "INVALID_ARGUMENT"),
        ("unauthorized", 400, "INVALID_ARGUMENT"),
        ("unauthenticated", 401, "UNAUTHENTICATED"),
        ("forbidden", 403, "PERMISSION_DENIED"),
        ("not_found", 404, "NOT_FOUND"),
    ],
)
def test_an_http_error_reaches_the_sdk_with_code_and_status(
    gemini_api: httpx.Client, google: genai.Client, *, kind: str, code: int, status: str
) -> None:
    set_fault(gemini_api, kind, message="words of its own")

    with pytest.raises(errors.APIError) as caught:
        hear(google)

    assert (caught.value.code, caught.value.status, caught.value.message) == (code, status, "words of its own")
    assert gemini_api.get("/__standin__/counts?detail=1").json()["billed"] == {}


def test_a_rate_limit_says_in_its_body_and_in_no_header_when_to_come_back(gemini_api: httpx.Client) -> None:
    set_fault(gemini_api, "rate_limit", retry_after=2.5, times=1)
    by_fault = gemini_api.post(GENERATE, json=ASK)
    gemini_api.post("/__standin__/settings", json={"requests_per_window": 1, "window_s": 1000})
    by_limit = [gemini_api.post(GENERATE, json=ASK) for _ in range(2)][1]

    assert by_fault.json()["error"]["details"][-1]["retryDelay"] == "2.5s"
    assert 990 < float(by_limit.json()["error"]["details"][-1]["retryDelay"].rstrip("s")) <= 1000
    assert "retry-after" not in by_fault.headers.keys() | by_limit.headers.keys()


@pytest.mark.parametrize("kind", ["reset", "cut", "timeout"])
def test_a_broken_connection_reaches_the_sdk_as_an_error_of_its_transport(
    gemini_api: httpx.Client, google: genai.Client, kind: str
) -> None:
    set_fault(gemini_api, kind)

    with pytest.raises(httpx2.TransportError):
        hear(google, http_options=types.HttpOptions(timeout=500))


@pytest.mark.parametrize("kind", ["truncated_json", "html"])
def test_what_is_no_json_reaches_the_sdk_as_an_error_that_is_not_its_own(
    gemini_api: httpx.Client, google: genai.Client, kind: str
) -> None:
    set_fault(gemini_api, kind)

    with pytest.raises((ValueError, errors.UnknownApiResponseError)):
        hear(google)


def test_a_malformed_answer_is_an_answer_without_candidates(gemini_api: httpx.Client, google: genai.Client) -> None:
    set_fault(gemini_api, "malformed")

    assert hear(google).candidates is None


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("safety", "SAFETY"), ("recitation", "RECITATION"), ("empty", "STOP")],
)
def test_a_candidate_without_text_says_why(
    gemini_api: httpx.Client, google: genai.Client, *, kind: str, reason: str
) -> None:
    set_fault(gemini_api, kind)

    answer = hear(google)

    assert answer.text is None
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == reason
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.candidates_token_count is None


@pytest.mark.parametrize(("kind", "reason"), [("no_candidate", None), ("blocked", "PROHIBITED_CONTENT")])
def test_without_a_candidate_only_a_block_says_why(
    gemini_api: httpx.Client, google: genai.Client, *, kind: str, reason: str | None
) -> None:
    set_fault(gemini_api, kind)

    answer = hear(google)

    assert (answer.candidates, answer.text) == (None, None)
    assert (answer.prompt_feedback.block_reason if answer.prompt_feedback else None) == reason


def test_half_of_an_answer_comes_as_max_tokens(gemini_api: httpx.Client, google: genai.Client) -> None:
    set_fault(gemini_api, "max_tokens")

    answer = hear(google)

    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == "MAX_TOKENS"
    assert told(gemini_api, 0).startswith(answer.text or "?")


@pytest.mark.parametrize("kind", ["split_parts", "thought", "no_usage"])
def test_faults_that_leave_the_text_alone_leave_it_alone(
    gemini_api: httpx.Client, google: genai.Client, kind: str
) -> None:
    set_fault(gemini_api, kind)

    answer = hear(google)

    assert answer.text == told(gemini_api, 0)
    assert answer.candidates is not None
    assert answer.candidates[0].content is not None
    assert len(answer.candidates[0].content.parts or []) == {"split_parts": 3, "thought": 2, "no_usage": 1}[kind]
    assert (answer.usage_metadata is None) == (kind == "no_usage")


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("code_fence", "```text\n{text}\n```"),
        ("quoted", '"{text}"'),
        ("labelled", "Transcript: {text}"),
        ("refusal", "I'm sorry, but I can't help with that."),
        ("wrong_script", "यह दूसरी लिपि में लिखा गया है"),
    ],
)
def test_a_model_says_more_than_the_transcript(
    gemini_api: httpx.Client, google: genai.Client, *, kind: str, shape: str
) -> None:
    set_fault(gemini_api, kind)

    assert hear(google).text == shape.replace("{text}", told(gemini_api, 0))


def test_a_model_answers_in_json_in_loops_and_with_line_separators(
    gemini_api: httpx.Client, google: genai.Client
) -> None:
    plain = told(gemini_api, 0)
    texts = {}
    for kind in ("json_text", "loop", "line_separator"):
        set_fault(gemini_api, kind)
        texts[kind] = hear(google).text or ""

    assert json.loads(texts["json_text"]) == {"transcript": plain}
    assert texts["loop"].count(" ".join(plain.split()[-3:])) == 41
    assert texts["line_separator"].split() == plain.split()
    assert "\u2028" in texts["line_separator"]


def test_what_was_executed_is_billed_also_when_the_answer_is_lost(gemini_api: httpx.Client) -> None:
    gemini_api.post(GENERATE, json=ASK)
    set_fault(gemini_api, "cut")
    with pytest.raises(httpx.RemoteProtocolError):
        gemini_api.post(GENERATE, json=ASK)

    counts = gemini_api.get("/__standin__/counts?detail=1").json()

    assert counts["billed"] == {"hello": 2}
    assert counts["generate"]["asked"] == {"hello": 2}
    assert counts["generate"]["tokens"]["input"] == 4


def test_faults_strike_the_clips_that_they_name(gemini_api: httpx.Client, google: genai.Client) -> None:
    set_fault(gemini_api, "server_error", match=NAMES[1])

    assert hear(google, 0).text
    with pytest.raises(errors.ServerError):
        hear(google, 1)


def test_models_are_listed_for_the_sdk(google: genai.Client) -> None:
    names = [model.name for model in google.models.list()]

    assert {"models/recorded-model", "models/gemini-2.5-flash", "models/gemini-embedding-001"} <= set(names)


def test_an_unknown_url_is_answered_without_json(gemini_api: httpx.Client) -> None:
    answer = gemini_api.post(f"/v1/models/{MODEL}:compose", json=ASK)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_an_unrecorded_clip_is_heard_and_billed_like_any_other(gemini_api: httpx.Client, google: genai.Client) -> None:
    part = types.Part.from_bytes(data=clip(77), mime_type="audio/wav")

    assert google.models.generate_content(model=MODEL, contents=[part]).text
    assert sum(gemini_api.get("/__standin__/counts?detail=1").json()["billed"].values()) == 1
