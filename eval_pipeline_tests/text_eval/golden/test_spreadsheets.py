"""One golden table as the text files of five spreadsheet programs, and what none of them may change."""

from pathlib import Path

import pytest

from eval_pipeline.text_eval.golden.files import read_golden
from eval_pipeline_tests.text_eval.golden.golden_files import refusal, usable, write

ROWS = [
    ("001", "How much is 1,5 + 1?", "2,5", '["2,5", "two and a half"]'),
    ("2", 'Who said "no"?\nAnd why?', "भारत; Ünal", ""),
]
HEADER = ("id", "question", "answer", "answers")


def table(delimiter: str, *, end: str = "\r\n", every_text: bool = False, blank_columns: int = 0) -> str:
    def cell(text: str) -> str:
        needs = every_text or any(mark in text for mark in (delimiter, '"', "\n", "\r"))
        doubled = text.replace('"', '""')
        return f'"{doubled}"' if needs and text else text

    rows = [(*row, *[""] * blank_columns) for row in (HEADER, *ROWS)]
    return "".join(delimiter.join(map(cell, row)) + end for row in rows)


FILES = {
    "Excel, CSV UTF-8": ("\ufeff" + table(",")).encode(),
    "Excel, CSV UTF-8 where the comma is decimal": ("\ufeff" + table(";")).encode(),
    "Excel, Unicode text": table("\t").encode("utf-16"),
    "Excel, with a line for itself": ("\ufeffsep=;\r\n" + table(";")).encode(),
    "LibreOffice, every text in quotes": table(",", end="\n", every_text=True).encode(),
    "LibreOffice, UTF-16": table(";", end="\n").encode("utf-16"),
    "Google Sheets": table(",").encode(),
    "Google Sheets, tab separated": table("\t").encode(),
    "Numbers": table(";").encode(),
    "WPS, columns without names": ("\ufeff" + table(",", blank_columns=2)).encode(),
    "WPS, old line ends": table(",", end="\r").encode(),
}


@pytest.mark.parametrize("program", FILES)
def test_the_table_is_the_same_whoever_saved_it(tmp_path: Path, program: str) -> None:
    rows = usable(write(tmp_path, FILES[program]))

    assert [(row.id, row.question, row.golden_answers) for row in rows] == [
        ("001", "How much is 1,5 + 1?", ("2,5", "two and a half")),
        ("2", 'Who said "no"?\nAnd why?', ("भारत; Ünal",)),
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis", "cp1251", "cp1253"])
def test_letters_of_another_region_are_not_taken_for_western_ones(tmp_path: Path, encoding: str) -> None:
    words = {
        "gb18030": "印度的首都",
        "shift_jis": "インドの首都",
        "cp1251": "Столица Индии",
        "cp1253": "πρωτεύουσα της Ινδίας",
    }
    text = f"question,answer\n{words[encoding]},{words[encoding]}\n"

    told = refusal(write(tmp_path, text.encode(encoding)))
    assert told.startswith("line 2 is no valid UTF-8")


def test_accents_of_western_europe_are_read_as_ever(tmp_path: Path) -> None:
    text = "question;answer\nOù est l\u2019été à São Paulo ?;\u201cŒuvre\u201d naïve \u2013 garçon, Größe 5 €\n"
    golden = read_golden(write(tmp_path, text.encode("cp1252")))

    assert [row.answer for row in usable(write(tmp_path, text.encode("cp1252")))] == [
        "\u201cŒuvre\u201d naïve \u2013 garçon, Größe 5 €"
    ]
    assert golden.table.encoding == "cp1252"
