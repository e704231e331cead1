import asyncio
import base64
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest

from eval_pipeline.core.outcomes import AccountFault, Usage
from eval_pipeline.core.ports.models import EmbeddingFailure, EmbeddingReply
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai.embeddings import OpenAIEmbedder, parse_embeddings
from eval_pipeline.providers.vectors import check_vectors
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import FaultKind, FaultRule

JSON = {"content-type": "application/json"}


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def coded(*values: float) -> str:
    return base64.b64encode(floats(*values)).decode()


def entry(index: object, embedding: object) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": embedding}


def parse(*entries: object, count: int, dimensions: int | None = None, usage: object = None) -> EmbeddingReply:
    document = {"object": "list", "data": entries, "model": "text-embedding-3-small", "usage": usage}
    reply = parse_embeddings(200, orjson.dumps(document), JSON, count=count, dimensions=dimensions)
    assert isinstance(reply, EmbeddingReply)
    return reply


def fail(status: int, document: object, *, headers: dict[str, str] = JSON) -> EmbeddingFailure:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    failure = parse_embeddings(status, body, headers, count=2)
    assert isinstance(failure, EmbeddingFailure)
    return failure


def test_vectors_are_matched_by_index_and_not_by_position() -> None:
    reply = parse(entry(1, coded(3, 4)), entry(0, coded(1, 2)), count=2)

    assert reply.vectors == [floats(1, 2), floats(3, 4)]
    assert reply.problems == [None, None]


def test_lists_of_numbers_are_read_as_base64_is() -> None:
    reply = parse(entry(0, [1, 2.5]), entry(1, coded(1, 2.5)), count=2)

    assert reply.vectors == [floats(1, 2.5)] * 2


def test_usage_and_model_come_along() -> None:
    reply = parse(entry(0, coded(1)), count=1, usage={"prompt_tokens": 9, "total_tokens": 9})

    assert reply.usage == Usage(input=9, total=9)
    assert reply.model == "text-embedding-3-small"


def test_usage_that_is_missing_is_unknown_and_not_zero() -> None:
    assert parse(entry(0, coded(1)), count=1).usage is None


@pytest.mark.parametrize(
    ("embedding", "problem"),
    [
        (coded(1, 2, 3), "the vector has 3 dimensions where 2 are expected"),
        (coded(float("nan"), 1), "the vector holds a number that is not finite"),
        (coded(float("inf"), 1), "the vector holds a number that is not finite"),
        (coded(0, 0), "the vector is zero"),
        ([None, 1], "the vector holds a number that is not finite"),
        ("no base64!", "the vector cannot be read"),
        (["a", "b"], "the vector cannot be read"),
        ([[1], [2, 3]], "the vector cannot be read"),
        (7, "the vector cannot be read"),
        (None, "the vector cannot be read"),
        ("", "the vector has 0 dimensions where 2 are expected"),
        ("AAAA", "the vector has 0.75 dimensions where 2 are expected"),
    ],
)
def test_one_bad_vector_is_one_texts_problem(embedding: object, problem: str) -> None:
    reply = parse(entry(0, coded(1, 2)), entry(1, embedding), entry(2, coded(3, 4)), count=3)

    assert reply.vectors == [floats(1, 2), None, floats(3, 4)]
    assert reply.problems == [None, problem, None]


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e39", b"1" * 400])
def test_numbers_that_are_no_json_spoil_one_vector_and_not_the_call(literal: bytes) -> None:
    body = (
        b'{"object": "list", "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}, "data": ['
        b'{"index": 0, "embedding": [1.0, 2.0]}, {"index": 1, "embedding": [0.5, ' + literal + b"]}]}"
    )
    reply = parse_embeddings(200, body, JSON, count=2)

    assert isinstance(reply, EmbeddingReply)
    assert reply.vectors == [floats(1, 2), None]
    assert reply.problems[1] in {"the vector holds a number that is not finite", "the vector cannot be read"}
    assert (reply.usage, reply.model) == (Usage(input=3, total=3), "m")


def test_half_an_emoji_as_the_models_name_is_no_name() -> None:
    body = b'{"model": "\\ud83d", "data": [{"index": 0, "embedding": [1.0, NaN]}]}'
    reply = parse_embeddings(200, body, JSON, count=1)

    assert isinstance(reply, EmbeddingReply)
    assert reply.model is None


@pytest.mark.parametrize("index", [None, "1", True, -1, 2, 0])
def test_a_vector_whose_index_is_wrong_or_taken_belongs_to_nobody(index: object) -> None:
    reply = parse(entry(0, coded(1, 2)), entry(index, coded(3, 4)), count=2)

    assert reply.vectors == [floats(1, 2), None]
    assert reply.problems == [None, "the provider returned no vector for this text"]


def test_entries_that_are_no_objects_are_passed_over() -> None:
    assert parse(None, entry(0, coded(1)), 5, count=1).vectors == [floats(1)]


def test_dimensions_that_were_asked_for_are_insisted_on() -> None:
    reply = parse(entry(0, coded(1, 2)), count=1, dimensions=3)

    assert reply.problems == ["the vector has 2 dimensions where 3 are expected"]


@pytest.mark.parametrize(
    "document", [{"data": []}, {"data": None}, {"ok": True}, [], b'{"data": [', b'{"data": [NaN', b"[" * 99_999, b""]
)
def test_an_answer_without_any_vector_may_be_asked_again(document: object) -> None:
    failure = fail(200, document)

    assert failure.attempt.transient
    assert not failure.divisible


@pytest.mark.parametrize(("status", "divisible"), [(400, True), (413, True), (422, True), (500, False), (401, False)])
def test_a_call_that_was_refused_for_its_texts_may_be_divided(status: int, *, divisible: bool) -> None:
    assert fail(status, {"error": {"message": "too many tokens"}}).divisible is divisible


def test_a_page_of_html_is_a_wrong_address() -> None:
    failure = fail(200, b"<html>hello</html>", headers={"content-type": "text/html"})

    assert failure.attempt.account_fault is AccountFault.NOT_AN_API


def embed(base_url: str, texts: Sequence[str], *, dimensions: int | None = 4) -> EmbeddingReply | EmbeddingFailure:
    async def work() -> EmbeddingReply | EmbeddingFailure:
        async with OpenAIConnection(api_key="sk-test", base_url=base_url, timeout_s=5) as connection:
            embedder = OpenAIEmbedder(connection, model="text-embedding-3-small", dimensions=dimensions)
            return await embedder.embed(texts)

    return asyncio.run(work())


def test_a_real_server_is_asked_and_understood(standin: Standin, standin_url: str) -> None:
    reply = embed(standin_url, ["one", "two", "one"])

    assert isinstance(reply, EmbeddingReply)
    assert reply.problems == [None] * 3
    assert [len(vector or b"") for vector in reply.vectors] == [16] * 3
    assert reply.vectors[0] == reply.vectors[2] != reply.vectors[1]
    assert standin.counts["embeddings"].requests == 1


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (FaultKind.SHUFFLED, []),
        (FaultKind.NO_USAGE, []),
        (FaultKind.WRONG_COUNT, [2]),
        (FaultKind.DUPLICATE_INDEX, [2]),
        (FaultKind.WRONG_DIMENSION, [0]),
        (FaultKind.NAN, [0]),
        (FaultKind.ZERO_VECTOR, [0]),
    ],
)
def test_a_spoiled_answer_costs_only_the_spoiled_texts(
    standin: Standin, standin_url: str, kind: FaultKind, bad: list[int]
) -> None:
    standin.set_rules([FaultRule(kind=kind, endpoint="embeddings")])

    reply = embed(standin_url, ["one", "two", "three"])

    assert isinstance(reply, EmbeddingReply)
    assert [row for row, problem in enumerate(reply.problems) if problem] == bad


@pytest.mark.parametrize(
    ("kind", "transient", "divisible"),
    [
        (FaultKind.EMPTY, True, False),
        (FaultKind.MALFORMED, True, False),
        (FaultKind.RATE_LIMIT, True, False),
        (FaultKind.CUT, True, False),
        (FaultKind.BAD_REQUEST, False, True),
        (FaultKind.UNAUTHORIZED, False, False),
    ],
)
def test_a_call_that_brought_nothing_says_whether_to_ask_again(
    standin: Standin, standin_url: str, kind: FaultKind, *, transient: bool, divisible: bool
) -> None:
    standin.set_rules([FaultRule(kind=kind, endpoint="embeddings")])

    failure = embed(standin_url, ["one", "two"])

    assert isinstance(failure, EmbeddingFailure)
    assert (failure.attempt.transient, failure.divisible) == (transient, divisible)


def test_numbers_near_the_largest_are_judged_without_a_warning() -> None:
    large = np.full(8, 3e38, dtype="<f4").tobytes()

    assert check_vectors([large], dimensions=8) == ([large], [None])
