"""The planted errors are exactly those that an independent aligner counts, whatever the text and the rates."""

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.standins.speech_errors import ErrorRates, first_alternatives, is_plain, plant, script_of

HINDI = "मैं घर जा रहा हूं और बाज़ार से सब्जी लाऊंगा बहुत बहुत।"
MANY = ErrorRates(substitutions=0.2, deletions=0.3, insertions=0.3, on_silence=1.0)
FEW_WORDS = st.lists(st.sampled_from(["a", "b", "a", "c", "the", "the", "cat"]), min_size=1, max_size=25).map(" ".join)


@given(reference=FEW_WORDS, clip=st.text("0123456789abcdef", min_size=4, max_size=8))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_jiwer_counts_what_was_planted_also_where_words_repeat(reference: str, clip: str) -> None:
    planted = plant(reference, clip=clip, model="m", rates=MANY)

    counted = jiwer.process_words(reference, planted.transcript or " ")

    assert (counted.substitutions, counted.deletions, counted.insertions) == (
        planted.substitutions,
        planted.deletions,
        planted.insertions,
    )


def test_a_clip_never_has_both_deletions_and_insertions_and_all_kinds_occur() -> None:
    planted = [plant(HINDI, clip=str(number), model="m", rates=MANY) for number in range(200)]

    assert not any(entry.deletions and entry.insertions for entry in planted)
    assert min(sum(entry.substitutions for entry in planted), sum(entry.deletions for entry in planted)) > 100
    assert sum(entry.insertions for entry in planted) > 100


def test_the_rates_are_kept_over_many_words() -> None:
    rates = ErrorRates(substitutions=0.1, deletions=0.0, insertions=0.0)
    planted = [plant("one two three four five", clip=str(number), model="m", rates=rates) for number in range(800)]

    assert 0.08 < sum(entry.edits for entry in planted) / 4000 < 0.12


def test_the_same_clip_is_heard_alike_by_one_model_and_otherwise_by_another() -> None:
    heard = [plant(HINDI, clip="c", model=model, rates=MANY).transcript for model in ("m", "m", "n")]

    assert heard[0] == heard[1] != heard[2]


@pytest.mark.parametrize("word", ["12,000", "<tag>", "[noise]", "well-known", "{", "/", "%", "₹500", "।", "don't"])
def test_words_that_normalisers_split_or_remove_are_left_alone(word: str) -> None:
    assert not is_plain(word)
    everything = ErrorRates(substitutions=1.0)

    heard = plant(f"first {word} last", clip="c", model="m", rates=everything).transcript.split()

    assert heard[1] == word or word in "{/"
    assert "first" not in heard


def test_wrong_words_are_written_in_the_script_of_the_reference() -> None:
    heard = plant(HINDI, clip="c", model="m", rates=ErrorRates(substitutions=1.0)).transcript

    assert script_of(heard) == script_of(HINDI) == "DEVANAGARI"


def test_of_alternatives_the_first_that_says_something_is_heard() -> None:
    heard = first_alternatives("see { the doctor / डॉक्टर } { @ / uh } now { @ }")

    assert heard == ["see", "the", "doctor", "uh", "now"]


@pytest.mark.parametrize(("rate", "insertions"), [(0.0, 0), (1.0, 3)])
def test_on_silence_a_model_hears_nothing_or_three_words(rate: float, insertions: int) -> None:
    planted = plant("", clip="c", model="m", rates=ErrorRates(on_silence=rate))

    assert (planted.insertions, len(planted.transcript.split()), planted.words) == (insertions, insertions, 0)
