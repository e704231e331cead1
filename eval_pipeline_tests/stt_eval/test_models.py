import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.errors import UsageError
from eval_pipeline.stt_eval.models import MOST_NAME_CHARACTERS, SpeechModel
from eval_pipeline_tests.stt_eval.any_text import repeatable

PARTS = st.sampled_from(["gemini", "openai", "models", "gemini-2.5-flash", "whisper-1", "org", "a b", " ", ""])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join).filter(str.strip)


@pytest.mark.parametrize(
    ("asked", "provider", "name"),
    [
        ("gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
        (" gemini/gemini-2.5-flash ", "gemini", "gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
        ("gemini/models/gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
        ("gemini/tunedModels/mine", "gemini", "tunedModels/mine"),
        ("gpt-4o-transcribe", "openai", "gpt-4o-transcribe"),
        ("openai/whisper-large-v3", "openai", "whisper-large-v3"),
        ("openai/openai/whisper-large-v3", "openai", "openai/whisper-large-v3"),
        ("openai/gemini-like", "openai", "gemini-like"),
        ("ai4bharat/indic-conformer", "openai", "ai4bharat/indic-conformer"),
        ("openai/models/a", "openai", "models/a"),
    ],
)
def test_the_name_tells_the_provider_unless_it_is_said(asked: str, provider: str, name: str) -> None:
    assert SpeechModel.parse(asked) == SpeechModel(provider, name)


@repeatable
@given(NAMES)
def test_a_label_is_read_back_as_the_same_model(asked: str) -> None:
    model = SpeechModel.parse(asked)

    assert SpeechModel.parse(model.label) == model
    assert SpeechModel.parse(model.label).label == model.label


@pytest.mark.parametrize(
    "asked", ["", "  ", None, 5, ["whisper-1"], "a\nb", "x" * (MOST_NAME_CHARACTERS + 1), "a\u202eb"]
)
def test_what_cannot_be_a_models_name_is_refused(asked: object) -> None:
    with pytest.raises(UsageError) as caught:
        SpeechModel.parse(asked)

    assert (caught.value.code, len(caught.value.message) < 300) == ("invalid_config", True)
    assert caught.value.hint
