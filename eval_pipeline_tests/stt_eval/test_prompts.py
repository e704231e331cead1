import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.stt_eval.prompts import (
    DEFAULT_PROMPT,
    MAX_PROMPT_CHARACTERS,
    PROMPT_VERSION,
    choose_prompt,
    prompt_for,
)


def test_without_a_prompt_the_versioned_one_is_used() -> None:
    assert choose_prompt(None) == (DEFAULT_PROMPT, PROMPT_VERSION)
    assert choose_prompt("Write it down.") == ("Write it down.", "own")


@pytest.mark.parametrize("given", ["", " \n\u3000", "x" * (MAX_PROMPT_CHARACTERS + 1)])
def test_a_prompt_that_says_nothing_or_too_much_is_refused(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_prompt(given)

    assert caught.value.code == "invalid_config"
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("language", "hint"),
    [
        ("hi", " The language is Hindi (hi)."),
        ("hi-Latn", " The language is Hindi (Latn) (hi-Latn)."),
        (None, ""),
        ("und", ""),
        ("zxx", ""),
        ("mul", ""),
    ],
)
def test_the_hint_names_one_language_or_is_left_out(language: str | None, hint: str) -> None:
    assert prompt_for("Transcribe.{language} Text only.", language=language) == f"Transcribe.{hint} Text only."
    assert "{" not in prompt_for(DEFAULT_PROMPT, language=language)


@pytest.mark.parametrize("prompt", ["{}", "{0} {language.x}", "%s %(language)s", "\\1 ${language"])
def test_other_braces_are_text(prompt: str) -> None:
    assert prompt_for(prompt, language="hi") == prompt
