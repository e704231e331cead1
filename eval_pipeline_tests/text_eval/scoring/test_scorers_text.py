"""Exact match, contains, regex and token F1, in scripts that lose words to careless normalisation too."""

import json
import re
import string
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_text import chrf, contains, exact_match, token_f1

quick = settings(max_examples=300, deadline=None, derandomize=True)
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    ("golden", "answer"),
    [
        ("Paris", "paris"),
        ("Paris", "  PARIS\n"),
        ("New  York", "new\u00a0york"),
        (COMPOSED, DECOMPOSED),
        ("Straße", "STRASSE"),
    ],
)
def test_exact_match_ignores_case_white_space_and_composition(golden: str, answer: str) -> None:
    assert exact_match()(golden=golden, answer=answer).value == 1


@pytest.mark.parametrize(
    ("golden", "answer"), [("Paris", "Paris."), ("Paris", "Pariss"), ("की", "का"), ("cafe", COMPOSED), ("18", "18.0")]
)
def test_exact_match_ignores_nothing_else(golden: str, answer: str) -> None:
    score = exact_match()(golden=golden, answer=answer)

    assert score.value == 0
    assert score.comment == "differs from the golden answer"


def test_what_exact_match_ignores_can_be_switched() -> None:
    assert exact_match(ignore_case=False)(golden="Paris", answer="paris").value == 0
    assert exact_match(fold_whitespace=False)(golden="a b", answer="a  b").value == 0
    assert exact_match(ignore_punctuation=True)(golden="Paris", answer="Paris!").value == 1
    assert exact_match(ignore_punctuation=True)(golden="दिल्ली", answer="दिल्ली।").value == 1


def test_contains_looks_for_the_golden_answer_in_the_answer_and_not_the_other_way() -> None:
    assert contains()(golden="paris", answer="It is Paris, of course.").value == 1
    assert contains()(golden="It is Paris", answer="Paris").value == 0
    assert contains()(golden=COMPOSED, answer=f"un {DECOMPOSED} noir").value == 1


@pytest.mark.parametrize(
    ("golden", "answer", "expected"),
    [
        ("18", "180", 0),
        ("18", "180, no: 18.", 1),
        ("18", "18", 1),
        ("क", "का", 0),
        ("का", "राम का घर", 1),
        ("a", "ba ab", 0),
    ],
)
def test_contains_can_be_held_to_whole_words(golden: str, answer: str, expected: int) -> None:
    assert contains(whole_words=True)(golden=golden, answer=answer).value == expected
    assert contains()(golden=golden, answer=answer).value == 1


@pytest.mark.parametrize("rule", [exact_match(ignore_punctuation=True), contains(ignore_punctuation=True)])
def test_a_golden_answer_of_nothing_but_what_is_ignored_cannot_be_compared(rule: object) -> None:
    assert callable(rule)
    assert rule(golden="!?", answer="anything").reason is UnscoreableReason.EMPTY_GROUND_TRUTH


def squad_words(text: str) -> list[str]:
    """SQuAD 1.1's normalisation, written from the paper's description."""
    lowered = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", lowered).split()


def squad_f1(golden: str, answer: str) -> float:
    expected, found = squad_words(golden), squad_words(answer)
    if not expected or not found:
        return float(expected == found)
    left = Counter(found)
    common = 0
    for word in expected:
        common += left[word] > 0
        left[word] -= 1
    return 2 * common / (len(expected) + len(found))


@quick
@given(*[st.text(alphabet=st.sampled_from("aAnN tThe.,!?-$'\n 12bc"), max_size=40)] * 2)
def test_token_f1_is_squads_on_english(golden: str, answer: str) -> None:
    assert token_f1()(golden=golden, answer=answer).value == pytest.approx(squad_f1(golden, answer), abs=1e-12)


@quick
@given(*[st.lists(st.sampled_from(["राम", "रम", "की", "क", "दिल्ली", "the", "Paris"]), min_size=1, max_size=8)] * 2)
def test_token_f1_is_the_same_from_both_sides_and_1_only_for_the_same_words(
    golden: list[str], answer: list[str]
) -> None:
    rule = token_f1(drop_english_articles=False)
    score = rule(golden=" ".join(golden), answer=" ".join(answer)).value

    assert score == rule(golden=" ".join(answer), answer=" ".join(golden)).value
    assert (score == 1) == (sorted(golden) == sorted(answer))


def test_token_f1_keeps_vowel_signs_and_strips_the_danda() -> None:
    assert token_f1()(golden="भारत की राजधानी", answer="भारत की राजधानी।").value == 1
    assert token_f1()(golden="की", answer="का").value == 0
    assert token_f1()(golden="தமிழ் மொழி", answer="தமழ மழ").value == 0


def test_token_f1_counts_a_word_as_often_as_both_have_it() -> None:
    score = token_f1()(golden="red red blue", answer="red green red red")

    assert score.value == pytest.approx(2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3))
    assert score.comment == "2 of 3 golden words, 2 of 4 answer words"


@pytest.mark.parametrize(
    ("golden", "answer", "expected"), [("the", "an", 1), ("the", "Paris", 0), ("Paris", "the", 0), ("!", "?", 1)]
)
def test_token_f1_of_nothing_is_1_only_against_nothing(golden: str, answer: str, expected: int) -> None:
    assert token_f1()(golden=golden, answer=answer).value == expected


def test_articles_count_where_they_are_not_english() -> None:
    assert token_f1(drop_english_articles=False)(golden="casa a mare", answer="casa mare").value == pytest.approx(0.8)


def test_currency_signs_and_emoji_are_treated_as_sign_and_as_word() -> None:
    assert token_f1()(golden="₹500", answer="500").value == 1
    assert token_f1()(golden="😀", answer="😢").value == 0


PAIRS = [json.loads(line) for line in (Path(__file__).parent / "cases" / "text_pairs.jsonl").read_text().splitlines()]
RULES = {"exact_match": exact_match, "contains": contains, "token_f1": token_f1}


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair["scorer"] in RULES], ids=lambda pair: pair["id"])
def test_pairs_of_public_reports_are_judged_right(pair: dict[str, Any]) -> None:
    """Joiners, visarga typed as a colon, typographic variants, scripts without spaces."""
    value = RULES[pair["scorer"]]()(golden=pair["golden"], answer=pair["answer"]).value

    assert value is not None
    assert value > 0 if pair["expected"] == ">0" else value == pair["expected"]


@pytest.mark.parametrize(
    ("golden", "answer"),
    [
        ("\uff21\uff22", "ab"),
        ("\u201cyes\u201d \u2013 no\u2026", '"yes" - no...'),
        ("१२", "12"),
        ("दऱ्या", "दर्\u200dया"),
        ("m²", "m2"),
    ],
)
def test_one_spelling_of_a_text_is_as_good_as_another(golden: str, answer: str) -> None:
    assert exact_match()(golden=golden, answer=answer).value == 1


def test_two_words_stay_two() -> None:
    assert exact_match()(golden="दर्या", answer="दर्\u200dया").value == 0  # sea and valleys
    assert exact_match()(golden="उत्तर: हाँ", answer="उत्तरः हाँ").value == 0


@pytest.mark.parametrize(
    ("golden", "answer", "f1"),
    [
        ("北京大学", "他毕业于北京大学", 2 * 0.5 * 1 / 1.5),
        ("กรุงเทพ", "กรุงเทพ", 1),
        ("東京 tower", "東京 Tower", 1),
        ("မြန်မာ", "မြန်", 0.75),
        ("ភ្នំពេញ", "ណា", 0),
    ],
)
def test_characters_are_tokens_where_a_script_has_no_spaces(golden: str, answer: str, f1: float) -> None:
    value = token_f1()(golden=golden, answer=answer).value

    assert value is not None
    assert value == pytest.approx(f1, abs=0.1)


def test_chrf_is_that_of_its_definition() -> None:
    # 1-grams: 3 of 4 and 3 of 3; 2-grams: 2 of 3 and 2 of 2; 3-grams: 1 of 2 and 1 of 1
    recall = (3 / 4 + 2 / 3 + 1 / 2) / 3

    assert chrf()(golden="abcd", answer="a bc").value == pytest.approx(5 * recall / (4 + recall))
    assert chrf()(golden="दिल्ली में", answer="दिल्ली में").value == 1
    assert chrf()(golden="abc", answer="xyz").value == 0


@pytest.mark.parametrize(
    ("golden", "answer", "same"),
    [
        ("کتاب", "كتاب", 1),
        ("پانی", "پاني", 1),
        ("یہ", "یه", 1),
        ("گئے", "گیٔے", 1),
        ("على", "علي", 0),
        ("ښې", "ښي", 0),
        ("ไทยแลนด์", "ไทย\u200bแลนด์", 1),
        ("राम श्याम", "राम\u200bश्याम", 1),
    ],
)
def test_letters_that_keyboards_encode_apart_are_one_and_words_stay_two(golden: str, answer: str, same: int) -> None:
    assert exact_match()(golden=golden, answer=answer).value == same
    assert contains()(golden=golden, answer=f"x {answer}.").value == same
