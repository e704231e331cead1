# ruff: noqa: RUF001 - wide letters
import random
import time

import pytest

from eval_pipeline.stt_eval.language.answer_flags import loops, word_loops, wrong_script
from eval_pipeline.stt_eval.language.language_table import LANGUAGES
from eval_pipeline.stt_eval.language.letters import _SCRIPTS_BY_NAME, count_scripts

KENNEDY = "so my fellow americans ask not what your country can do for you ask what you can do for your country"
SPEECH = KENNEDY.split()


@pytest.mark.parametrize(
    "tokens",
    [
        ["no"] * 20,
        ["thank", "you"] * 10,
        [*SPEECH, *["हाँ"] * 25],
        [*SPEECH, *["i", "will", "do", "it"] * 5, *SPEECH],
        SPEECH * 5,
        list("谢" * 30),
    ],
)
def test_a_phrase_over_and_over_is_a_loop(tokens: list[str]) -> None:
    assert loops(tokens)


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        ["no"] * 4,
        ["no"] * 19,
        ["row", "row", "row", "your", "boat"] * 4,
        [*SPEECH, *SPEECH],
        [str(number) for number in range(100)],
        [word for number in range(30) for word in ("plus", str(number))],
        ["a", "b"] * 9 + ["c"] + ["a", "b"] * 9,
    ],
)
def test_speech_that_repeats_itself_is_no_loop(tokens: list[str]) -> None:
    assert not loops(tokens)


def test_a_phrase_longer_than_is_looked_for_is_no_loop() -> None:
    assert not loops([str(number) for number in range(51)] * 6)
    assert loops([str(number) for number in range(50)] * 6)


def test_looking_for_loops_in_a_long_answer_takes_no_time() -> None:
    chance = random.Random(1)  # noqa: S311 - must be repeatable
    tokens = [str(chance.randrange(2)) for _ in range(20_000)]
    started = time.process_time()

    assert not loops(tokens)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("mera naam ravi hai", "hi"),
        ("میرا نام روی ہے", "hi-IN"),
        ("मेरा नाम रवि है", "ur"),
        ("मेरा नाम रवि है", "hi-Latn"),
        ("my name is ravi", "ta"),
        ("ਮੇਰਾ ਨਾਮ", "hi"),
        ("こんにちは", "zh"),
        ("मेरा नाम", "en"),
    ],
)
def test_another_script_than_the_language_s_is_wrong(text: str, language: str) -> None:
    assert wrong_script(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("मैं office जा रहा हूँ", "hi"),
        ("मैं ok", "hi"),
        ("میرا نام", "ur"),
        ("میرا نام", "pa"),
        ("東京へ行くデータ", "ja"),
        ("mera naam", "hi-Latn"),
        ("my name", "und"),
        ("my name", "qaa"),
        ("123 %!", "hi"),
        ("", "hi"),
    ],
)
def test_its_own_script_with_some_foreign_words_is_not(text: str, language: str) -> None:
    assert not wrong_script(text, language)


@pytest.mark.parametrize(
    ("sample", "script"),
    [("ᱥᱟᱱᱛᱟᱲᱤ", "Olck"), ("ꯃꯩꯇꯩ", "Mtei"), ("ߒߞߏ", "Nkoo"), ("ﾃｽﾄ", "Kana"), ("ＡＢ", "Latn"), ("ދިވެހި", "Thaa")],
)
def test_scripts_are_told_by_their_letters(sample: str, script: str) -> None:
    assert count_scripts(f"{sample} 12 !?") == {script: len(sample)}


def test_every_script_of_a_language_can_be_told() -> None:
    """A script that is never counted would make every transcript of its languages wrong."""
    assert {script for _, known in LANGUAGES.values() for script in known.split()} <= set(_SCRIPTS_BY_NAME.values())


def test_a_model_can_be_stuck_within_a_word() -> None:
    assert word_loops(["हाँ" * 26])
    assert not word_loops(["हा" * 12, "hahahahaha", "donaudampfschifffahrtsgesellschaftskapitän"])
