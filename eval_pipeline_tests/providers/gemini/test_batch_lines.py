"""Lines of Gemini's batches: written exactly as the API takes them, read by the parsers of live answers."""

import struct
from typing import Any

import orjson
import pytest

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.outcomes import AttemptOutcome, Usage
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.providers.gemini.batch_lines import (
    GeminiEmbeddingLines,
    GeminiLines,
    TranscriptionLines,
    read_embedding_line,
    read_generation_line,
)
from eval_pipeline.providers.gemini.generate import parse_generation
from eval_pipeline.providers.gemini.requests import request_of

ANSWER = {
    "candidates": [{"content": {"parts": [{"text": "a\u2028b"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
}
BODIES: list[dict[str, Any]] = [
    {"model": "gemini-2.5-flash"},
    {
        "model": "gemini-2.5-flash",
        "instructions": "Be “brief”.",
        "temperature": 0,
        "contents": [{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": [{"text": "y"}]}],
        "safetySettings": [],
    },
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("question", ["How high\u2028is it?", '"', ""])
def test_a_line_is_the_live_request_under_the_items_key(body: dict[str, Any], question: str) -> None:
    line = GeminiLines(body=body).line("q\n1", question)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.startswith(b'{"key":"')
    assert orjson.loads(line) == {"key": "q\n1", "request": request_of({**body, "input": question})}


def test_half_a_surrogate_pair_goes_out_as_an_escape() -> None:
    assert rb'"text":"cut \ud83d"' in GeminiLines(body=BODIES[0]).line("q1", "cut \ud83d")


def test_a_transcription_is_a_prompt_and_a_file() -> None:
    lines = TranscriptionLines(generation_config={"maxOutputTokens": 9})

    line = lines.line("s1", prompt="Write “all”.", mime_type="audio/ogg", file_uri="https://host/v1/files/abc")

    assert line.endswith(b"\n")
    assert orjson.loads(line) == {
        "key": "s1",
        "request": {
            "contents": [
                {
                    "parts": [
                        {"text": "Write “all”."},
                        {"file_data": {"mime_type": "audio/ogg", "file_uri": "https://host/v1/files/abc"}},
                    ],
                    "role": "user",
                }
            ],
            "generation_config": {"temperature": 0, "maxOutputTokens": 9},
        },
    }


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, {}),
        (
            {"dimensions": 256, "task_type": "RETRIEVAL_QUERY"},
            {"outputDimensionality": 256, "taskType": "RETRIEVAL_QUERY"},
        ),
    ],
)
def test_an_embedding_is_a_text_and_what_all_share(options: dict[str, Any], fields: dict[str, Any]) -> None:
    line = GeminiEmbeddingLines(**options).line("d1", "text")

    assert line.endswith(b"\n")
    assert orjson.loads(line) == {"key": "d1", "request": {"content": {"parts": [{"text": "text"}]}, **fields}}


def line(**fields: Any) -> bytes:  # noqa: ANN401 - JSON
    return orjson.dumps(fields) + b"\n"


def test_an_answer_in_a_batch_is_the_same_as_a_live_one() -> None:
    read = read_generation_line(line(key="q1", response=ANSWER))

    assert read == ResultLine("q1", parse_generation(200, orjson.dumps(ANSWER), {}))
    assert (read.attempt.outcome, read.attempt.text) == (AttemptOutcome.OK, "a\u2028b")


@pytest.mark.parametrize("name", ["error", "status"])
def test_a_failed_line_has_the_providers_words(name: str) -> None:
    refused = read_generation_line(line(key="q1", **{name: {"code": 3, "message": "bad audio"}}))
    throttled = read_generation_line(line(key="q2", response=None, **{name: {"code": 8, "message": "slow"}}))
    gone = read_embedding_line(line(key="q3", **{name: {"code": 13, "message": "oops"}}))

    assert (refused.custom_id, refused.attempt.outcome, refused.attempt.transient) == (
        "q1",
        AttemptOutcome.FAILED,
        False,
    )
    assert refused.attempt.error is not None
    assert refused.attempt.error.message == "bad audio"
    assert (throttled.attempt.outcome, throttled.attempt.transient) == (AttemptOutcome.RETRYABLE, True)
    assert gone.attempt.transient


@pytest.mark.parametrize("read", [read_generation_line, read_embedding_line])
@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b'{"key": "q1", "resp', "q1"),
        (b'{"key": "q', None),
        (b"[]", None),
        (line(response=ANSWER), None),
        (line(key=7, response=ANSWER), None),
        (line(key="q1"), "q1"),
    ],
)
def test_what_cannot_be_read_hurts_nobody(read: Any, raw: bytes, key: str | None) -> None:  # noqa: ANN401 - a reader
    found = read(raw)

    assert found.custom_id == key
    assert found.attempt.outcome in {AttemptOutcome.MALFORMED, AttemptOutcome.OK}
    if key is not None:
        assert found.attempt.outcome is AttemptOutcome.MALFORMED


def test_a_vector_comes_as_float32_with_what_it_cost() -> None:
    read = read_embedding_line(line(key="d1", response={"embedding": {"values": [1, 2.5]}, "tokenCount": "4"}))

    assert isinstance(read.payload, EmbeddingReply)
    assert read.payload.vectors == [struct.pack("<2f", 1, 2.5)]
    assert (read.custom_id, read.attempt.outcome) == ("d1", AttemptOutcome.OK)
    assert read.attempt.usage == Usage(input=4, total=4)


@pytest.mark.parametrize("values", [[], [0, 0], [None, 1], "text", None])
def test_a_vector_that_fails_its_checks_may_come_whole_the_next_time(values: object) -> None:
    read = read_embedding_line(line(key="d1", response={"embedding": {"values": values}}))

    assert (read.attempt.outcome, read.attempt.transient) == (AttemptOutcome.MALFORMED, True)
