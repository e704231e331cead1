from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.protocols import GEMINI, OPENAI
from eval_pipeline.core.runs import RunMode
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.request import MOST_MODELS, AudioTransport, SttRequest
from eval_pipeline.stt_eval.spec import SttSpec

SPEC = SttSpec(
    dataset_name="clips",
    dataset_version="v1",
    samples_count=49,
    mode=RunMode.BATCH,
    models=(SpeechModel(GEMINI, "gemini-2.5-flash"), SpeechModel(OPENAI, "org/whisper")),
    prompt="Schreib es auf: \u2028“नमस्ते”",
    prompt_version="own",
    language="hi",
    audio_transport=AudioTransport.FILES_API,
    failure_threshold=0.5,
    concurrency=8,
)
OTHER: Mapping[str, Any] = {
    "dataset_name": "other",
    "dataset_version": "v2",
    "samples_count": 50,
    "mode": RunMode.FAST,
    "models": SPEC.models[:1],
    "prompt": "other",
    "prompt_version": "transcribe-1",
    "language": None,
    "audio_transport": AudioTransport.SIGNED_URL,
    "failure_threshold": 0.25,
    "concurrency": 4,
    "speaker_column": "speaker_id",
    "endpoints": {"gemini": FrozenEndpoint(protocol="gemini", base_url="http://127.0.0.1:1", account=None)},
}
CLIPS: Mapping[str, Any] = {"dataset": "clips", "models": ["gemini-2.5-flash"]}


def test_a_specification_comes_back_as_it_was_frozen() -> None:
    assert SttSpec.from_json(SPEC.to_json()) == SPEC
    assert SttSpec.from_json(SPEC.to_json()).hash == SPEC.hash


@pytest.mark.parametrize("name", [field.name for field in fields(SttSpec)])
def test_whatever_is_another_way_makes_it_another_run(name: str) -> None:
    assert replace(SPEC, **{name: OTHER[name]}).hash != SPEC.hash


def test_without_a_column_of_speakers_a_specification_is_that_of_earlier_versions() -> None:
    assert "speaker_column" not in SPEC.to_json()
    named = replace(SPEC, speaker_column="speaker_id")
    assert SttSpec.from_json(named.to_json()) == named


def test_the_denominator_is_samples_times_models() -> None:
    assert SPEC.total_items_count == 98


def test_a_request_says_only_what_is_not_the_default() -> None:
    request = SttRequest.from_mapping({**CLIPS, "prompt": None, "language": None, "concurrency": None})

    assert request == SttRequest(dataset="clips", models=(SpeechModel(GEMINI, "gemini-2.5-flash"),))
    assert request.mode is RunMode.BATCH


def test_a_request_is_read_in_full() -> None:
    values = {
        "dataset": "clips@v1",
        "mode": "fast",
        "models": ["gemini-2.5-flash", "whisper-1"],
        "prompt": "Write.",
        "language": "HI_in",
        "audio_transport": "signed_url",
        "speaker_column": "speaker_id",
        "failure_threshold": 0.1,
        "concurrency": 3,
    }
    assert set(values) == {field.name for field in fields(SttRequest)}

    request = SttRequest.from_mapping(values)

    assert (request.mode, request.language) == (RunMode.FAST, "hi-IN")
    assert request.audio_transport is AudioTransport.SIGNED_URL
    assert [model.label for model in request.models] == ["gemini-2.5-flash", "whisper-1"]


def test_one_model_may_stand_without_a_list() -> None:
    assert SttRequest.from_mapping({"dataset": "clips", "models": "whisper-1"}).models[0].name == "whisper-1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "whisper-1"}, "invalid_config"),
        ({"dataset": None}, "invalid_config"),
        ({"dataset": 5}, "invalid_config"),
        ({"models": None}, "invalid_config"),
        ({"models": []}, "invalid_config"),
        ({"models": 5}, "invalid_config"),
        ({"models": {"a": "b"}}, "invalid_config"),
        ({"models": [None]}, "invalid_config"),
        ({"models": ["whisper-1", " openai/whisper-1"]}, "invalid_config"),
        ({"models": ["models/gemini-2.5-flash", "gemini-2.5-flash"]}, "invalid_config"),
        ({"models": [f"m{number}" for number in range(MOST_MODELS + 1)]}, "invalid_config"),
        ({"mode": "slow"}, "invalid_config"),
        ({"mode": ["live"]}, "invalid_config"),
        ({"audio_transport": "carrier_pigeon"}, "invalid_config"),
        ({"language": "hindi"}, "unknown_language"),
        ({"language": 5}, "invalid_config"),
        ({"prompt": ["a"]}, "invalid_config"),
        ({"concurrency": 2.5}, "invalid_config"),
        ({"concurrency": True}, "invalid_config"),
        ({"failure_threshold": "half"}, "invalid_config"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(changes: Mapping[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        SttRequest.from_mapping({**CLIPS, **changes})

    assert caught.value.code == code
    assert caught.value.hint
