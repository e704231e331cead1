import pytest

from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE, flags_of, heard_text, reference_form


def word_edits(reference: str, said: str, *, language: str | None = "hi", level: Level = HEADLINE) -> int:
    form = reference_form(reference, level, language=language)
    return form.count_words(heard_text(said, level, language=language)).edits


def character_counts(reference: str, said: str, *, language: str | None) -> tuple[int, int]:
    form = reference_form(reference, HEADLINE, language=language)
    counted = form.count_characters(heard_text(said, HEADLINE, language=language))
    return counted.edits, counted.reference_length


@pytest.mark.parametrize(
    ("said", "edits"),
    [
        ("मुझे डॉक्टर चाहिए", 0),
        ("मुझे doctor चाहिए", 0),
        ("मुझे Doctor, चाहिए।", 0),
        ("मुझे टीका चाहिए", 1),
        ("मुझे चाहिए", 1),
        ("", 3),
    ],
)
def test_any_of_the_alternatives_is_right(said: str, edits: int) -> None:
    assert word_edits("मुझे { doctor / डॉक्टर } चाहिए", said) == edits


@pytest.mark.parametrize(("said", "edits"), [("कहा कि आज", 0), ("कहा आज", 0), ("कहा जो आज", 1)])
def test_a_word_that_may_be_left_out_is_no_deletion(said: str, edits: int) -> None:
    assert word_edits("कहा { कि / @ } आज", said) == edits


def test_alternatives_may_have_several_words_and_the_way_that_is_counted_is_aligned() -> None:
    form = reference_form("{ 250 / दो सौ पचास } रुपये", HEADLINE, language="hi")
    heard = heard_text("दो सौ पच्चीस रुपये", HEADLINE, language="hi")

    counted, aligned = form.count_words(heard), form.align_words(heard)

    assert (counted.edits, counted.reference_length) == (1, 4)
    assert [token.reference for token in aligned] == ["दो", "सौ", "पचास", "रुपये"]
    assert form.words == ("250", "रुपये"), "a model that failed is held against the shortest way"


@pytest.mark.parametrize(
    ("reference", "said", "edits", "length"),
    [
        ("今日は 晴れ", "今日は晴れ", 0, 5),
        ("{ 今日 / きょう } は晴れ", "きょうは晴れ", 0, 6),
        ("{ 今日 / きょう } は晴れ", "今日は雨", 2, 5),
    ],
)
def test_where_words_are_not_written_apart_spaces_do_not_count(
    reference: str, said: str, edits: int, length: int
) -> None:
    assert character_counts(reference, said, language="ja") == (edits, length)


def test_spaces_between_words_count_as_characters_elsewhere() -> None:
    assert character_counts("एक दो", "एकदो", language="hi")[0] == 1
    assert character_counts("{ एक / १ } दो", "एकदो", language="hi")[0] == 1


def test_levels_forgive_more_and_more() -> None:
    edits = [word_edits("हिंदी, है।", "हिन्दी है", level=level) for level in Level]

    assert edits == sorted(edits, reverse=True)
    assert (edits[0], edits[-1]) == (2, 0)


def flags(transcript: str | None, *, truncated: bool = False, language: str | None = "hi") -> list[str]:
    heard = None if transcript is None else heard_text(transcript, HEADLINE, language=language)
    return flags_of(transcript, truncated=truncated, heard=heard, language=language)


@pytest.mark.parametrize(
    ("transcript", "found"),
    [
        ("मुझे टीका चाहिए", []),
        ("", ["empty"]),
        ("।", ["empty"]),
        ("हाँ जी " * 40, ["loop"]),
        ("mujhe teeka chahiye aur dawa", ["wrong_script"]),
        ("I'm sorry, but I can't transcribe this audio.", ["wrong_script", "refusal"]),
        (None, []),
    ],
)
def test_what_is_odd_about_a_transcript_is_named(transcript: str | None, found: list[str]) -> None:
    assert flags(transcript) == found


def test_a_transcript_that_was_cut_is_flagged_though_there_is_none() -> None:
    assert flags(None, truncated=True) == ["truncated"]


def test_without_a_language_no_script_is_wrong() -> None:
    assert flags("mujhe teeka chahiye aur dawa", language=None) == []
