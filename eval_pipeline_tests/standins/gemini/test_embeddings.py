"""Vectors for Google's own client, the same as the OpenAI stand-in makes, and spoiled as told."""

import httpx
import pytest
from google import genai
from google.genai import errors

from eval_pipeline.standins.vectors import embed

MODEL = "gemini-embedding-001"


def vectors(google: genai.Client, *texts: str, width: int | None = None) -> list[list[float]]:
    answer = google.models.embed_content(model=MODEL, contents=list(texts), config={"output_dimensionality": width})
    return [entry.values or [] for entry in answer.embeddings or []]


def test_texts_get_their_deterministic_vectors_in_order(gemini_api: httpx.Client, google: genai.Client) -> None:
    assert vectors(google, "ein Hund", "a cat", width=8) == embed(["ein Hund", "a cat"], 8).tolist()
    assert len(vectors(google, "x")[0]) == 3072
    counts = gemini_api.get("/__standin__/counts?detail=1").json()
    assert counts["billed"] == {"ein Hund": 1, "a cat": 1, "x": 1}


def test_one_text_can_be_asked_alone(gemini_api: httpx.Client) -> None:
    body = {"content": {"parts": [{"text": "a cat"}]}, "output_dimensionality": 4}

    answer = gemini_api.post(f"/v1beta/models/{MODEL}:embedContent", json=body)

    assert answer.json()["embedding"]["values"] == embed(["a cat"], 4)[0].tolist()


@pytest.mark.parametrize(
    ("kind", "lengths"),
    [("empty", []), ("wrong_count", [4]), ("wrong_dimension", [3, 4]), ("zero_vector", [4, 4])],
)
def test_vectors_can_be_missing_short_or_zero(
    gemini_api: httpx.Client, google: genai.Client, *, kind: str, lengths: list[int]
) -> None:
    gemini_api.post("/__standin__/faults", json=[{"kind": kind}])

    got = vectors(google, "a", "b", width=4)

    assert [len(vector) for vector in got] == lengths
    assert any(not any(vector) for vector in got) == (kind == "zero_vector")


def test_vectors_can_be_shuffled_and_not_numbers(gemini_api: httpx.Client) -> None:
    asked = [{"content": {"parts": [{"text": text}]}, "outputDimensionality": 4} for text in "ab"]
    answers = []
    for kind in ("shuffled", "nan"):
        gemini_api.post("/__standin__/faults", json=[{"kind": kind, "match": "b"}])
        answers.append(gemini_api.post(f"/v1/models/{MODEL}:batchEmbedContents", json={"requests": asked}).json())

    shuffled, nan = ([entry["values"] for entry in answer["embeddings"]] for answer in answers)
    assert shuffled == embed(["b", "a"], 4).tolist()
    assert (nan[0], nan[1][0]) == (embed(["a"], 4)[0].tolist(), None)


@pytest.mark.parametrize(
    "body",
    [
        {"requests": []},
        {"requests": [{"content": {"parts": [{"text": ""}]}}]},
        {"requests": [{"content": {"parts": [{"text": "x"}]}, "output_dimensionality": 9999}]},
        {"requests": [{"content": {"parts": [{"text": "x"}]}, "colour": "red"}]},
        {"requests": [{"content": {"parts": [{"text": "x"}]}}] * 101},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(gemini_api: httpx.Client, body: object) -> None:
    answer = gemini_api.post(f"/v1/models/{MODEL}:batchEmbedContents", json=body)

    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_an_http_error_reaches_the_sdk(gemini_api: httpx.Client, google: genai.Client) -> None:
    gemini_api.post("/__standin__/faults", json=[{"kind": "unavailable", "endpoint": "embed"}])

    with pytest.raises(errors.ServerError, match="overloaded"):
        vectors(google, "x")
