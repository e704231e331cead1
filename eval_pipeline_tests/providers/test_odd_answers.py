"""Answers in shapes that nobody thought of: each costs at most itself, and what can be stored is stored."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, Usage, settle
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.dispatch.records import decode, encode
from eval_pipeline.providers.anthropic.batch_lines import read_message_line
from eval_pipeline.providers.anthropic.messages import parse_message
from eval_pipeline.providers.batch_calls import ProviderClock
from eval_pipeline.providers.gemini import batch_lines as gemini_lines
from eval_pipeline.providers.gemini.embeddings import parse_embeddings as parse_gemini_embeddings
from eval_pipeline.providers.gemini.generate import parse_generation
from eval_pipeline.providers.headers import retry_after_s
from eval_pipeline.providers.http.answers import parse_bot_answer
from eval_pipeline.providers.http.bot import Bot
from eval_pipeline.providers.http.template import RequestTemplate
from eval_pipeline.providers.openai import batch_lines as openai_lines
from eval_pipeline.providers.openai.embeddings import parse_embeddings as parse_openai_embeddings
from eval_pipeline.providers.openai.responses import parse_response
from eval_pipeline.providers.openai.transcriptions import parse_transcription
from eval_pipeline.providers.openai_chat.batch_lines import read_completion_line
from eval_pipeline.providers.openai_chat.completion import parse_completion
from eval_pipeline.providers.reading import ParseVectors, id_in, read_answer, read_vectors
from eval_pipeline.providers.transport import RawReply

LARGEST = 2**63 - 1
repeatable = settings(deadline=None, derandomize=True, database=None, max_examples=150)
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "gpt-5-mini",
    "error": None,
    "incomplete_details": {"reason": "max_output_tokens"},
    "output": [
        {"type": "reasoning", "summary": []},
        {
            "type": "message",
            "content": [{"type": "output_text", "text": "Paris"}, {"type": "other", "n": 1}],
        },
    ],
    "usage": {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 32,
    },
}
VECTORS: dict[str, Any] = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}
GENERATION: dict[str, Any] = {
    "candidates": [{"content": {"parts": [{"text": "Paris"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
    "promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "no"},
    "usageMetadata": {
        "promptTokenCount": 9,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 1,
        "totalTokenCount": 12,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 7}],
    },
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r1",
}
RPC: dict[str, Any] = {
    "code": 8,
    "message": "quota",
    "status": "RESOURCE_EXHAUSTED",
    "details": [{"reason": "RATE", "violations": [{"quotaId": "PerDay"}], "retryDelay": "3s"}],
}
REFUSED: dict[str, Any] = {"code": "bad", "type": "invalid_request_error", "message": "no", "param": "input"}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "magistral",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
                    {"type": "text", "text": "Paris"},
                ],
                "refusal": None,
                "reasoning": "Hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}],
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
            },
            "finish_reason": "length",
        }
    ],
    "usage": {
        "prompt_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens": 12,
        "completion_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 32,
    },
}
FLAGGED: dict[str, Any] = {"code": 403, "message": "flagged", "metadata": {"reasons": ["hate"], "flagged_input": "x"}}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-5",
    "content": [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "text", "text": "Paris"},
        {"type": "tool_use", "id": "t", "name": "look", "input": {}},
    ],
    "stop_reason": "refusal",
    "stop_details": {"type": "refusal", "category": "bio", "explanation": "no"},
    "usage": {
        "input_tokens": 20,
        "cache_read_input_tokens": 8,
        "cache_creation_input_tokens": 4,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 1},
        "output_tokens": 12,
        "output_tokens_details": {"thinking_tokens": 4},
        "server_tool_use": {"web_search_requests": 1},
        "service_tier": "standard",
        "inference_geo": "global",
    },
}
OVERLOADED: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "no", "details": {}}}
READERS: Mapping[str, tuple[Callable[[bytes], Any], tuple[dict[str, Any], ...]]] = {
    "openai answers": (
        openai_lines.read_response_line,
        (
            {"id": "b", "custom_id": "q1", "response": {"status_code": 200, "body": RESPONSE}, "error": None},
            {"custom_id": "q1", "response": {"status_code": 400, "body": {"error": REFUSED}}},
            {"custom_id": "q1", "response": None, "error": REFUSED},
        ),
    ),
    "chat answers": (
        read_completion_line,
        (
            {"id": "b", "custom_id": "q1", "response": {"status_code": 200, "body": COMPLETION}, "error": None},
            {"custom_id": "q1", "response": {"status_code": 403, "body": {"error": FLAGGED}}},
        ),
    ),
    "openai vectors": (
        openai_lines.read_embedding_line,
        ({"custom_id": "q1", "response": {"status_code": 200, "body": VECTORS}, "error": None},),
    ),
    "claude answers": (
        read_message_line,
        (
            {"custom_id": "q1", "result": {"type": "succeeded", "message": MESSAGE}},
            {"custom_id": "q1", "result": {"type": "errored", "error": OVERLOADED}},
        ),
    ),
    "gemini answers": (
        gemini_lines.read_generation_line,
        ({"key": "q1", "response": GENERATION}, {"key": "q1", "error": RPC}),
    ),
    "gemini vectors": (
        gemini_lines.read_embedding_line,
        ({"key": "q1", "response": {"embedding": {"values": [0.6, 0.8]}, "tokenCount": 3}},),
    ),
}
BOT_ANSWER: dict[str, Any] = {
    "data": {"answer": ["Paris"], "sources": [{"file": "f", "text": "t", "score": 0.5}, "t"]},
    "usage": {"in": 3, "out": 2},
}
BOT = Bot(
    request=RequestTemplate(method="POST", url="http://127.0.0.1:9/ask", headers={}, body={}),
    answer="$..answer",
    contexts="$.data.sources",
    input_tokens="$.usage.in",
    output_tokens="$.usage.out",
    wait=None,
    price_per_call_usd=None,
)
LIVE: Mapping[str, tuple[Callable[[int, bytes, Mapping[str, str]], Attempt], dict[str, Any]]] = {
    "openai answers": (parse_response, RESPONSE),
    "chat answers": (parse_completion, COMPLETION),
    "openai transcripts": (parse_transcription, {"text": "नमस्ते", "usage": RESPONSE["usage"], "error": None}),
    "claude answers": (parse_message, MESSAGE),
    "gemini answers": (parse_generation, GENERATION),
    "bot answers": (partial(parse_bot_answer, bot=BOT), BOT_ANSWER),
}
PACKS: Mapping[str, tuple[ParseVectors, dict[str, Any]]] = {
    "openai": (partial(parse_openai_embeddings, count=1), VECTORS),
    "gemini": (
        partial(parse_gemini_embeddings, count=1),
        {"embeddings": [{"values": [0.6, 0.8]}], "usageMetadata": {"promptTokenCount": 3}},
    ),
}

numbers = st.sampled_from([2**63, 2**64, -(2**63), 10**30, 10**4_000, -1, 0, 7, 1.5, float("inf"), float("nan")])
deep = st.sampled_from([300, 1_500, 100_000]).map(lambda depth: f"\x00{depth}")
texts = st.one_of(st.sampled_from(["\ud83d", "failed", "", "STOP", "q2", "9" * 5_000]), st.text(max_size=8))
odd = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts, deep),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List where something else can be put."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, entry in entries for place in places(entry, (*path, name)))]


def spoilt(document: dict[str, Any], path: tuple[Any, ...], value: object) -> bytes:
    r"""Write a document with one value replaced; a text ``\0N`` stands for N nested lists."""
    whole: Any = json.loads(json.dumps(document))
    target = whole
    for name in path[:-1]:
        target = target[name]
    if path:
        target[path[-1]] = value
    else:
        whole = value
    text = json.dumps(whole)
    for depth in (300, 1_500, 100_000):
        text = text.replace(json.dumps(f"\x00{depth}"), "[" * depth + "]" * depth)
    return text.encode().replace(b"1" + b"0" * 4_000, b"1" + b"0" * 5_000)


def store(item_id: str, attempt: Attempt) -> None:
    """Keep an outcome as the journal keeps it, and as tables of 64 bits can."""
    record = decode(encode(settle(item_id, attempt, attempts=1)))
    if record.usage is not None:
        assert all(0 <= count <= LARGEST for count in (record.usage.total, record.usage.input, record.usage.output))


@pytest.mark.parametrize("kind", READERS)
@given(data=st.data())
@repeatable
def test_a_line_of_any_shape_is_one_items_outcome(kind: str, data: st.DataObject) -> None:
    read, lines = READERS[kind]
    document = data.draw(st.sampled_from(lines))
    name = "custom_id" if "custom_id" in document else "key"
    path = data.draw(st.sampled_from([place for place in places(document) if place and place[0] != name]))
    found = read(spoilt(document, path, data.draw(odd)))

    assert found.custom_id == "q1"
    store("q1", found.attempt)


@pytest.mark.parametrize("kind", LIVE)
@given(data=st.data(), status=st.sampled_from([200, 301, 400, 429, 500]))
@repeatable
def test_a_live_answer_of_any_shape_is_one_items_outcome(kind: str, data: st.DataObject, status: int) -> None:
    parse, document = LIVE[kind]
    body = spoilt(document, data.draw(st.sampled_from(places(document))), data.draw(odd))
    headers = {"content-type": "application/json", "retry-after": data.draw(texts)}
    attempt = read_answer(parse, status, body, headers)

    store("q1", attempt)
    if kind != "bot answers":  # of those it is kept where a path found nothing, too
        assert (attempt.raw is None) == (attempt.outcome is not AttemptOutcome.MALFORMED)


@pytest.mark.parametrize("kind", PACKS)
@given(data=st.data(), status=st.sampled_from([200, 400]))
@repeatable
def test_a_live_answer_about_vectors_of_any_shape_hurts_its_texts_alone(
    kind: str, data: st.DataObject, status: int
) -> None:
    parse, document = PACKS[kind]
    body = spoilt(document, data.draw(st.sampled_from(places(document))), data.draw(odd))
    parsed = read_vectors(parse, RawReply(status, body, {"content-type": "application/json"}, 0.1))

    if isinstance(parsed, EmbeddingReply):
        assert all((parsed.vectors[row] is None) != (parsed.problems[row] is None) for row in range(1))
    else:
        store("q1", parsed.attempt)


@given(body=st.binary(max_size=60), cut=st.integers(0, 400))
@repeatable
def test_bytes_of_any_kind_are_read_or_kept(body: bytes, cut: int) -> None:
    line = orjson.dumps({"custom_id": "q1", "response": {"status_code": 200, "body": RESPONSE}})
    for read, _ in READERS.values():
        read(body)
        store("q1", read(line[:cut] + body).attempt)


@given(text=st.text(max_size=40))
@example("Mon, 01 Jan 99999 00:00:00 GMT")
@example("Wed, 21 Oct 2015 07:28:00 +999999")
@example("9" * 5_000 + "s")
@example("\u00b2")
@repeatable
def test_a_header_of_any_shape_asks_for_a_time_or_for_none(text: str) -> None:
    names = ("retry-after", "retry-after-ms", "x-ratelimit-reset-requests")
    for name in names:
        wait_s = retry_after_s({name: text, "x-ratelimit-remaining-requests": "0"}, http_status=429)
        assert wait_s is None or 0 <= wait_s < float("inf")
    ProviderClock().learn(text)


def test_a_count_that_cannot_be_true_is_no_count() -> None:
    """Nobody pays 2^63 tokens: the answer stands, its price is not known."""
    for tokens in ("9223372036854775808", "9" * 5_000):
        body = orjson.dumps(RESPONSE).replace(b'"total_tokens":32', b'"total_tokens":' + tokens.encode())
        body = body.replace(b'"input_tokens":20', b'"input_tokens":' + tokens.encode())
        body = body.replace(b'"output_tokens":12', b'"output_tokens":' + tokens.encode())
        attempt = read_answer(parse_response, 200, body, {})

        assert (attempt.outcome, attempt.text, attempt.usage) == (AttemptOutcome.OK, "Paris", None)
        told = orjson.dumps(BOT_ANSWER).replace(b'"in":3', b'"in":' + tokens.encode())
        assert parse_bot_answer(200, told, {}, bot=BOT).usage == Usage(output=2, total=2)


@pytest.mark.parametrize(
    ("line", "item_id"),
    [
        (b'{"custom_id":"q1","response":{"a":[[[', "q1"),
        (b'{"id": "batch_req_1", "custom_id": "q\\u0915", "respon', "qक"),
        (b'{"response":{"a":[[[]]]},"x":"custom_id","custom_id": "q3","n":nan}\n', "q3"),
        (b'{"response":{"text":"\\"custom_id\\":\\"q9\\"', None),
        (b'{"response":{"custom_id":"q9"', None),
        (b'{"custom_id":"q', None),
        (b"{" + b'"a":1,' * 200_000, None),
    ],
)
def test_whose_a_broken_line_is_stands_among_its_plain_fields(line: bytes, item_id: str | None) -> None:
    assert id_in(line, "custom_id") == item_id
