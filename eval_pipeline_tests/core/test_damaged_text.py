# ruff: noqa: RUF001 - text that was read as another encoding
import doctest

import pytest

from eval_pipeline.core import damaged_text
from eval_pipeline.core.damaged_text import Damage, DamagedRows, damage_of, is_lost


def test_the_examples_in_the_documentation_hold() -> None:
    assert not doctest.testmod(damaged_text).failed


@pytest.mark.parametrize(
    ("damage", "texts"),
    [
        (Damage.QUESTION_MARKS, ["????", "??", "???? ?? ??? ??", "???? ?? 5 ???", "????????, ???", "मेरा ??? है"]),
        (Damage.REPLACEMENT, ["Mik\ufffd", "\ufffd", "Ã¯Â¿Â½".encode("cp1252").decode()]),
        (Damage.MISREAD, ["à¤¨à¤®à¤¸à¥\x8dà¤¤à¥‡", "nÃ©e", "donâ€™t", "Â°C"]),
        (
            Damage.SPREADSHEET_ERROR,
            ["#NAME?", " #REF! ", "#N/A", "#VALUE!", "#DIV/0!", "########", "#ERROR!", "Err:502"],
        ),
        (Damage.PLACEHOLDER, ["nan", "NaN", "NULL", "null", "<NA>", "NaT", "undefined", "[object Object]", "\\N"]),
        (Damage.MAYBE_MEANT, ["None", "N/A", "nil"]),
    ],
)
def test_what_happened_to_a_text_is_told(damage: Damage, texts: list[str]) -> None:
    assert {text: damage_of(text) for text in texts} == dict.fromkeys(texts, damage)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "What??",
        "Ça va ??",
        "C'est ça ?? Oui",
        "what ???",
        "क्या??",
        "naïve",
        "É à Âge",
        "«é»",
        "São João",
        "none of it",
        "#1",
    ],
)
def test_what_people_write_is_whole(text: str) -> None:
    assert damage_of(text) is None


def test_a_text_is_lost_when_nothing_can_be_held_against_it() -> None:
    lost = ["nan", "NULL", "#NAME?", "????", "???? ?? 5", "à¤¨à¤®à¤¸à¥\x8dà¤¤à¥‡", "\ufffd\ufffd"]
    whole = ["None", "what???", "मेरा ??? है", "He said donâ€™t run", "Mik\ufffd lives here", "nan bread", "?"]

    assert [text for text in (*lost, *whole) if is_lost(text)] == lost


def test_rows_are_told_with_their_places_and_most_of_them_refuse_a_file() -> None:
    rows = DamagedRows(noun="rows")
    for line, text in enumerate(["????", "nan", "????", "fine"], start=2):
        rows.see(f"line {line}", "a question", text)
    question_marks, placeholder = rows.warnings()

    assert question_marks.startswith("2 rows hold question marks for letters, as ")
    assert question_marks.endswith(": line 2, line 4; save the original again as CSV UTF-8")
    assert placeholder.startswith("1 row holds what programs write for nothing")
    assert rows.most() is None
    rows.see("line 6", "#REF!", "?")
    problem, remedy = rows.most() or ("", "")
    assert problem.startswith("most of it is damaged, 3 of 5: 2 rows hold question marks for letters, as ")
    assert problem.endswith("; 1 row holds an error of a spreadsheet (such as #NAME?) instead of text: line 6")
    assert remedy == "save the original again as CSV UTF-8"


def test_of_two_rows_none_are_most() -> None:
    rows = DamagedRows(noun="rows")
    for line in (2, 3):
        rows.see(f"line {line}", "????")

    assert rows.most() is None
