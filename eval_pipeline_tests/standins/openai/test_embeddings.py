"""Vectors over HTTP, read by the real SDK where it matters."""

import base64
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import openai
import pytest

TEXTS = ["the first text", "a second one", "the third, with पानी"]


def entries(api: httpx.Client, **extra: object) -> list[dict[str, Any]]:
    body = {"model": "text-embedding-3-large", "input": TEXTS, "dimensions": 64} | extra
    data: list[dict[str, Any]] = api.post("/v1/embeddings", json=body).json()["data"]
    return data


def test_base64_and_floats_are_the_same_vectors(api: httpx.Client) -> None:
    floats = np.array([entry["embedding"] for entry in entries(api)], dtype=np.float32)
    packed = [base64.b64decode(entry["embedding"]) for entry in entries(api, encoding_format="base64")]

    assert np.array_equal(np.frombuffer(b"".join(packed), dtype="<f4").reshape(3, 64), floats)
    assert np.allclose(np.linalg.norm(floats, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "width"),
    [("text-embedding-3-large", 3072), ("text-embedding-3-small", 1536), ("text-embedding-ada-002", 1536)],
)
def test_the_width_is_that_of_the_model(sdk: openai.OpenAI, model: str, width: int) -> None:
    answer = sdk.embeddings.create(model=model, input="one text")

    assert len(answer.data[0].embedding) == width
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 2


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m"},
        {"input": "q"},
        {"model": "m", "input": ""},
        {"model": "m", "input": []},
        {"model": "m", "input": ["a", ""]},
        {"model": "m", "input": [1, 2]},
        {"model": "m", "input": ["a"] * 2049},
        {"model": "m", "input": "a" * (8192 * 4 + 1)},
        {"model": "m", "input": ["a" * 8192 * 4] * 37},
        {"model": "m", "input": "a", "encoding_format": "hex"},
        {"model": "text-embedding-3-small", "input": "a", "dimensions": 1537},
        {"model": "text-embedding-ada-002", "input": "a", "dimensions": 8},
        {"model": "m", "input": "a", "tempo": 1},
    ],
)
def test_a_request_beyond_the_limits_is_refused(api: httpx.Client, body: dict[str, Any]) -> None:
    answer = api.post("/v1/embeddings", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_largest_request_passes(api: httpx.Client) -> None:
    assert len(entries(api, input=[str(i) for i in range(2048)], encoding_format="base64")) == 2048


@pytest.mark.parametrize(
    ("kind", "indexes"),
    [
        ("wrong_count", [0, 1]),
        ("shuffled", [2, 1, 0]),
        ("duplicate_index", [0, 1, 0]),
        ("empty", []),
        ("no_usage", [0, 1, 2]),
    ],
)
def test_the_list_can_be_wrong(api: httpx.Client, kind: str, indexes: list[int]) -> None:
    right = entries(api)
    api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "embeddings"}])

    wrong = entries(api)

    assert [entry["index"] for entry in wrong] == indexes
    if kind == "shuffled":
        assert [entry["embedding"] for entry in wrong[::-1]] == [entry["embedding"] for entry in right]


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("kind", ["nan", "zero_vector", "wrong_dimension"])
def test_one_vector_can_be_wrong_while_the_others_stay_right(
    api: httpx.Client,
    kind: str,
    encoding: str,
) -> None:
    api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "embeddings", "match": "second"}])

    vectors = [_vector(entry["embedding"]) for entry in entries(api, encoding_format=encoding)]

    fine = [len(v) == 64 and bool(np.isfinite(v).all()) and bool(v.any()) for v in vectors]
    assert fine == [True, False, True]
    assert {"nan": np.isnan(vectors[1]).any(), "zero_vector": not vectors[1].any()}.get(kind, len(vectors[1]) == 63)


def _vector(received: str | list[float]) -> npt.NDArray[np.float32]:
    if isinstance(received, str):
        return np.frombuffer(base64.b64decode(received), dtype="<f4")
    return np.array(received, dtype=np.float32)
