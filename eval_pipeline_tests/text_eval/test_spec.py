import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from eval_pipeline.core.configuration import check_range
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.runs import RunMode
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.scoring.scorers import parse_scorers
from eval_pipeline.text_eval.spec import (
    EMBEDDING_DIMENSIONS,
    TextSpec,
    build_model_body,
    check_dimensions,
    choose_embedding_model,
)

SPEC = TextSpec(
    dataset_name="स्वर्ण",
    dataset_version="0" * 64,
    original_items_count=3,
    repeats=2,
    mode=RunMode.FAST,
    endpoint="openai",
    model_body={"model": "gpt-5", "temperature": 0, "tools": [{"type": "file_search"}]},
    embedding_endpoint="openai",
    embedding_model="text-embedding-3-large",
    embedding_dimensions=None,
    scorers=parse_scorers(["cosine_similarity", {"name": "numeric", "tolerance": 0.1}]),
    failure_threshold=0.5,
    concurrency=10,
)


def _body(body: object = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return build_model_body(TextRequest(dataset="golden", model_body=body, **changes))  # type: ignore[arg-type]  # bad on purpose


def _refused(values: dict[Any, Any]) -> UsageError:
    with pytest.raises(UsageError) as raised:
        TextRequest.from_mapping(values)
    assert raised.value.hint
    return raised.value


def test_a_spec_comes_back_from_the_json_that_a_ledger_keeps() -> None:
    kept = json.loads(json.dumps(SPEC.to_json()))

    assert TextSpec.from_json(kept) == SPEC
    assert TextSpec.from_json(kept).hash == SPEC.hash


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset_version": "1" * 64},
        {"repeats": 1},
        {"model_body": {"model": "gpt-5"}},
        {"embedding_dimensions": 256},
        {"scorers": parse_scorers(["numeric"])},
        {"failure_threshold": 0.4},
        {"concurrency": 11},
    ],
)
def test_whatever_changes_the_run_changes_the_hash(changes: dict[str, Any]) -> None:
    assert replace(SPEC, **changes).hash != SPEC.hash


def test_the_order_of_keys_does_not_change_the_hash() -> None:
    turned = dict(reversed(list(SPEC.model_body.items())))

    assert replace(SPEC, model_body=turned).hash == SPEC.hash


def test_the_denominator_is_questions_times_repeats() -> None:
    assert SPEC.total_items_count == 6


def test_embeddings_are_needed_where_a_scorer_compares_them() -> None:
    assert SPEC.needs_embeddings
    assert not replace(SPEC, scorers=parse_scorers(["numeric", "exact_match"])).needs_embeddings


def test_a_request_is_read_with_defaults_for_what_is_null() -> None:
    request = TextRequest.from_mapping({"dataset": "golden", "mode": "fast", "scorers": "numeric", "repeats": None})

    assert request == TextRequest(dataset="golden", mode=RunMode.FAST, scorers=("numeric",))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "no dataset"),
        ({"dataset": ""}, "no dataset"),
        ({"dataset": "golden", "modle": "gpt-5"}, "'modle'"),
        ({"dataset": 5}, "dataset is '5'"),
        ({"dataset": "golden", "mode": "quick"}, "'quick'"),
        ({"dataset": "golden", "model": ["gpt-5"]}, "model is"),
        ({"dataset": "golden", "instructions": 7}, "instructions is '7'"),
        ({"dataset": "golden", "embedding_model": 3}, "embedding_model is '3'"),
        ({"dataset": "golden", "provider": {}}, "provider is"),
        ({"dataset": "golden", "scorers": 3}, "scorers is '3'"),
        ({"dataset": "golden", "repeats": 2.5}, "repeats is '2.5'"),
        ({"dataset": "golden", "concurrency": "10"}, "concurrency is '10'"),
        ({"dataset": "golden", "concurrency": True}, "concurrency is 'True'"),
        ({"dataset": "golden", "failure_threshold": "half"}, "failure_threshold is 'half'"),
        ({"dataset": "golden", "max_cost_usd": [1]}, "max_cost_usd is '[1]'"),
        ({"dataset": "golden", 3: 4}, "'3'"),
    ],
)
def test_a_bad_request_is_told_with_its_value(values: dict[str, Any], said: str) -> None:
    error = _refused(values)

    assert error.code == "invalid_config"
    assert said in error.message


def test_unknown_keys_of_mixed_kinds_are_told() -> None:
    assert "unknown key" in _refused({"dataset": "golden", 3: 4, "x": 1, None: 2}).message


def test_model_and_instructions_win_over_the_body() -> None:
    assert _body({"model": "old", "temperature": 0}, model="new", instructions="Be brief.") == {
        "model": "new",
        "temperature": 0,
        "instructions": "Be brief.",
    }


def test_a_body_without_model_gets_the_default() -> None:
    assert _body() == {"model": "gpt-4o-mini"}


def test_a_body_is_frozen_as_json_keeps_it() -> None:
    """YAML has keys that are numbers: unsorted, unhashed, they would come back from the ledger as text."""
    body = _body({"metadata": {1: "one", "two": (2,)}})

    assert body["metadata"] == {"1": "one", "two": [2]}
    spec = replace(SPEC, model_body=body)
    assert TextSpec.from_json(json.loads(json.dumps(spec.to_json()))).hash == spec.hash


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (["gpt-5"], "not a mapping"),
        ({"input": "mine"}, "'input'"),
        ({"stream": True}, "'stream'"),
        ({"background": True}, "'background'"),
        ({"model": ""}, "model is ''"),
        ({"model": 5}, "model is '5'"),
        ({"temperature": float("nan")}, "not JSON"),
        ({"user": date(2026, 1, 1)}, "not JSON"),
        ({"user": "\ud800"}, "not JSON"),
    ],
)
def test_a_body_that_cannot_work_is_refused_before_anything_is_paid(body: object, said: str) -> None:
    with pytest.raises(UsageError, match="model") as raised:
        _body(body)

    assert raised.value.code == "invalid_config"
    assert said in raised.value.message


def test_switched_off_streaming_is_no_harm() -> None:
    assert _body({"stream": False})["stream"] is False


def test_only_known_embedding_models_are_chosen() -> None:
    assert [choose_embedding_model(name) for name in EMBEDDING_DIMENSIONS] == list(EMBEDDING_DIMENSIONS)
    with pytest.raises(UsageError, match="word2vec") as refused:
        choose_embedding_model("word2vec")
    assert "ENDPOINT/MODEL" in refused.value.hint


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1, True, "0.5", None, float("inf")])
def test_a_number_out_of_range_is_refused(value: Any) -> None:  # noqa: ANN401 - bad on purpose
    with pytest.raises(UsageError, match="failure_threshold"):
        check_range("failure_threshold", value=value, low=0, high=1)


@pytest.mark.parametrize(("model", "dimensions"), [("text-embedding-ada-002", 256), ("text-embedding-3-small", 3_072)])
def test_a_width_that_the_embedding_model_does_not_offer_is_refused_before_anything_is_paid(
    model: str, dimensions: int
) -> None:
    with pytest.raises(UsageError):
        check_dimensions(dimensions, model=model)
