"""Embeddings live: packs of texts in, checked vectors out."""

import asyncio
import json
import struct
from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Usage
from eval_pipeline.core.ports.models import EmbeddingFailure, EmbeddingReply
from eval_pipeline.providers.gemini.client import GeminiConnection
from eval_pipeline.providers.gemini.embeddings import MAX_TEXTS_A_CALL, GeminiEmbedder, parse_embeddings
from eval_pipeline_tests.providers.script import Script

JSON = {"content-type": "application/json"}


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def parse(*vectors: Any, count: int, **fields: Any) -> EmbeddingReply | EmbeddingFailure:  # noqa: ANN401 - JSON
    document = {"embeddings": [{"values": vector} for vector in vectors], **fields}
    return parse_embeddings(200, orjson.dumps(document), JSON, count=count, model="m")


def failure(status: int, document: object) -> EmbeddingFailure:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    read = parse_embeddings(status, body, JSON, count=2)
    assert isinstance(read, EmbeddingFailure)
    return read


def test_vectors_come_in_the_order_of_their_texts() -> None:
    reply = parse([1, 2.5], [3, 4], count=2, usageMetadata={"promptTokenCount": 9})

    assert isinstance(reply, EmbeddingReply)
    assert (reply.vectors, reply.problems) == ([floats(1, 2.5), floats(3, 4)], [None, None])
    assert (reply.usage, reply.model) == (Usage(input=9, total=9), "m")


def test_usage_that_is_missing_is_unknown_and_not_zero() -> None:
    reply = parse([1], count=1)

    assert isinstance(reply, EmbeddingReply)
    assert reply.usage is None


@pytest.mark.parametrize(
    ("vector", "problem"),
    [
        ([1, 2, 3], "the vector has 3 dimensions where 2 are expected"),
        ([0, 0], "the vector is zero"),
        ([None, 1], "the vector holds a number that is not finite"),
        (["a", "b"], "the vector cannot be read"),
        (None, "the provider returned no vector for this text"),
        ("AAAA", "the provider returned no vector for this text"),
    ],
)
def test_one_bad_vector_is_one_texts_problem(vector: object, problem: str) -> None:
    reply = parse([1, 2], vector, [3, 4], count=3)

    assert isinstance(reply, EmbeddingReply)
    assert reply.vectors == [floats(1, 2), None, floats(3, 4)]
    assert reply.problems == [None, problem, None]


@pytest.mark.parametrize("count", [1, 3])
def test_more_or_fewer_vectors_than_texts_are_nobodys(count: int) -> None:
    read = parse([1, 2], [3, 4], count=count)

    assert isinstance(read, EmbeddingFailure)
    assert read.attempt.transient
    assert not read.divisible


def test_a_call_that_is_refused_may_be_divided() -> None:
    refused = failure(400, {"error": {"code": 400, "message": "too long", "status": "INVALID_ARGUMENT"}})
    no_key = failure(400, {"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}})

    assert refused.divisible
    assert (no_key.divisible, no_key.attempt.account_fault) == (False, AccountFault.AUTH)


@pytest.mark.parametrize("document", [b"", b"{", {}, {"embeddings": []}, {"candidates": []}])
def test_an_answer_without_vectors_is_a_failure_that_may_pass(document: object) -> None:
    assert failure(200, document).attempt.transient


def embed(script: Script, texts: list[str], **options: Any) -> EmbeddingReply | EmbeddingFailure:  # noqa: ANN401 - of the embedder
    async def work() -> EmbeddingReply | EmbeddingFailure:
        async with GeminiConnection(api_key="the-secret-key", base_url=script.url, timeout_s=5) as connection:
            return await GeminiEmbedder(connection, model="gemini-embedding-001", **options).embed(texts)

    return asyncio.run(work())


def test_texts_go_out_in_one_call(script: Script) -> None:
    script.say(200, {"embeddings": [{"values": [1, 2]}, {"values": [3, 4]}]})

    reply = embed(script, ["a", "b"], dimensions=2, task_type="SEMANTIC_SIMILARITY")

    [asked] = script.asked
    assert isinstance(reply, EmbeddingReply)
    assert reply.vectors == [floats(1, 2), floats(3, 4)]
    assert asked.path == "/v1/models/gemini-embedding-001:batchEmbedContents"
    assert json.loads(asked.body)["requests"][1] == {
        "model": "models/gemini-embedding-001",
        "content": {"parts": [{"text": "b"}]},
        "outputDimensionality": 2,
        "taskType": "SEMANTIC_SIMILARITY",
    }


def test_more_texts_than_a_call_takes_are_to_be_divided_and_not_sent(script: Script) -> None:
    read = embed(script, ["x"] * (MAX_TEXTS_A_CALL + 1))

    assert isinstance(read, EmbeddingFailure)
    assert (read.divisible, script.asked) == (True, [])


def test_a_failed_call_is_told_without_the_key(script: Script) -> None:
    script.say(503, {"error": {"code": 503, "message": "the-secret-key", "status": "UNAVAILABLE"}})

    read = embed(script, ["x"])

    assert isinstance(read, EmbeddingFailure)
    assert read.attempt.error is not None
    assert (read.attempt.error.message, read.attempt.transient) == ("[key]", True)
