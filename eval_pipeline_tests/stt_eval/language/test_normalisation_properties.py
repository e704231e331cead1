import unicodedata

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from eval_pipeline.core.spellings import LETTER_APOSTROPHES, TATWEEL, plain_forms, visarga_for_colon, whole_letters
from eval_pipeline.stt_eval.language.normalisation import Level, characters, normalise, words
from eval_pipeline_tests.stt_eval.any_text import BLOCKS, any_text, any_unicode, repeatable, text_of

UNSEEN_MARKS = {"\u034f", "\u20e3", "\u180b", "\u180c", "\u180d", "\u180f"} | set(map(chr, range(0xFE00, 0xFE10)))
LANGUAGES = st.sampled_from([None, "hi", "en-IN", "tr", "zh", "und", "ur", "ps", "ks"])
LEVELS = st.sampled_from(Level)
WITHOUT_BRACKETS = str.maketrans(dict.fromkeys("<>[](){}\uff3b\uff3d\uff08\uff09\u3010\u3011\u3008\u3009", " "))
WITHOUT_DOTS = str.maketrans(dict.fromkeys(".\uff0e\u0970", " "))
LEGACY = {
    "\u0930\u094d": "\u0931\u094d",
    "\u0d23\u0d4d": "\u0d7a",
    "\u0d28\u0d4d": "\u0d7b",
    "\u0d30\u0d4d": "\u0d7c",
    "\u0d32\u0d4d": "\u0d7d",
    "\u0d33\u0d4d": "\u0d7e",
    "\u0d15\u0d4d": "\u0d7f",
    "\u09a4\u09cd": "\u09ce",
}


def _is_unseen(character: str) -> bool:
    is_selector = character in UNSEEN_MARKS or 0xE0100 <= ord(character) < 0xE01F0
    return is_selector or unicodedata.category(character) == "Cf"


def _letters_and_marks(text: str) -> str:
    kept = (character for character in text if unicodedata.category(character)[0] in "LM")
    return "".join(character for character in kept if character not in LETTER_APOSTROPHES)


def _visible(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


@pytest.mark.parametrize("block", sorted(BLOCKS))
@settings(repeatable, max_examples=60)
@given(data=st.data(), level=LEVELS)
def test_normalising_twice_changes_nothing_in_any_script(block: str, data: st.DataObject, level: Level) -> None:
    once = normalise(data.draw(text_of(block)), level)

    assert normalise(once, level) == once


@settings(repeatable, max_examples=120)
@given(any_text | any_unicode, LEVELS, LANGUAGES)
@example("\u03b1\u0345\u200d\u0301", Level.STANDARD, None)
@example("I\u0307\u0327 \u0130 \u1e9e", Level.STANDARD, "tr")
@example("\u0cbf\u0cbc\u0cd5", Level.LENIENT, None)
@example("1,0\u200d00,00", Level.STANDARD, None)
def test_normalising_twice_changes_nothing(text: str, level: Level, language: str | None) -> None:
    once = normalise(text, level, language=language)

    assert normalise(once, level, language=language) == once


@settings(repeatable, max_examples=150)
@given(any_text)
@example("\u00a8\u200d\u0300 e\u034f\u0301 \u0149 e\u200b\u0301")
def test_standard_removes_no_letter_and_no_mark(text: str) -> None:
    """The letters and marks of the result are those of the text, in one spelling and case-folded, in the same order.

    Left out of the text: brackets (a marker goes with its words), what nobody sees, tatweel and apostrophes that count
    as letters; joiners, as a chillu or khanda ta spelled with one is another letter (its own test).
    """
    bare = unicodedata.normalize("NFC", text.translate(WITHOUT_BRACKETS)).replace("\u200d", "")
    bare = bare.translate(WITHOUT_BRACKETS)
    plain = visarga_for_colon(plain_forms(unicodedata.normalize("NFC", bare))).replace("\u200b", " ")
    seen = "".join(character for character in plain if not _is_unseen(character) and character != TATWEEL)
    expected = unicodedata.normalize("NFC", whole_letters(unicodedata.normalize("NFC", seen)).casefold())

    assert _letters_and_marks(normalise(bare, Level.STANDARD)) == _letters_and_marks(expected)


@settings(repeatable, max_examples=150)
@given(any_text, LEVELS, LANGUAGES)
@example("<a\u226f b <c>", Level.STANDARD, None)
def test_decomposed_text_has_the_same_form(text: str, level: Level, language: str | None) -> None:
    decomposed = unicodedata.normalize("NFD", text)

    assert normalise(decomposed, level, language=language) == normalise(text, level, language=language)


@settings(repeatable, max_examples=150)
@given(any_text.map(lambda text: text.translate(WITHOUT_BRACKETS)), st.sampled_from(["\u200c", "\u200d"]), st.data())
def test_a_joiner_changes_nothing_but_a_chillu_or_khanda_ta(text: str, joiner: str, data: st.DataObject) -> None:
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).translate(WITHOUT_BRACKETS))
    at = data.draw(st.integers(0, len(composed)))
    before, after = composed[:at], composed[at:]
    selected = LEGACY.get(before[-2:]) if joiner == "\u200d" else None
    expected = before[:-2] + selected + after if selected else composed
    assume(after[:1] not in {"\u200c", "\u200d"})

    assert normalise(before + joiner + after, Level.STANDARD) == normalise(expected, Level.STANDARD)


@settings(repeatable, max_examples=150)
@given(any_text, LEVELS, LANGUAGES)
def test_tokens_joined_are_the_normalised_text(text: str, level: Level, language: str | None) -> None:
    found = words(text, level, language=language)

    assert " ".join(word.token for word in found) == normalise(text, level, language=language)
    assert not any(word.token == "" or " " in word.token for word in found)


@settings(repeatable, max_examples=150)
@given(any_text, LEVELS)
def test_surfaces_joined_are_the_whole_text(text: str, level: Level) -> None:
    found = words(text, level)

    if found:
        assert _visible("".join(word.surface for word in found)) == _visible(text)


@settings(repeatable, max_examples=120)
@given(any_text, st.sampled_from([Level.STANDARD, Level.LENIENT]))
def test_only_letters_marks_numbers_and_two_kinds_of_signs_are_left(text: str, level: Level) -> None:
    left = {unicodedata.category(character) for character in normalise(text, level).replace("%", "")}

    assert left <= {"Zs", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Sc", "Co", "Cn"}


@settings(repeatable, max_examples=120)
@given(any_text, LEVELS)
def test_characters_are_the_text_and_without_spaces_where_words_are_not_separated(text: str, level: Level) -> None:
    spaced = normalise(text, level)

    assert "".join(characters(text, level, language="hi")) == spaced
    assert "".join(characters(text, level, language="th")) == spaced.replace(" ", "")


@settings(repeatable, max_examples=120)
@given(any_text.map(lambda text: text.translate(WITHOUT_DOTS)))
def test_what_standard_calls_equal_lenient_does_too(text: str) -> None:
    """But for dots, which tell ``A.T.M.`` from three words and are punctuation at ``standard``."""
    assert normalise(normalise(text, Level.STANDARD), Level.LENIENT) == normalise(text, Level.LENIENT)
