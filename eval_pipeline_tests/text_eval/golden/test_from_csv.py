import csv
import io
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.intake.csv_records import MAX_CELL_CHARACTERS
from eval_pipeline.text_eval.golden.files import read_golden
from eval_pipeline.text_eval.golden.from_csv import csv_entries
from eval_pipeline.text_eval.golden.row import GoldenRow
from eval_pipeline_tests.text_eval.golden.golden_files import refusal, skipped, usable, write

HEADER = "question,answer\n"


def test_columns_are_found_by_their_stripped_and_lower_cased_names_and_the_others_kept(tmp_path: Path) -> None:
    path = write(tmp_path, " ID , Answer,QUESTION ,Category,Source\n7,42,What?, maths ,\n")

    assert usable(path) == [
        GoldenRow(line=2, question="What?", answer="42", category="maths", metadata={"id": "7", "source": ""}, id="7")
    ]


def test_a_blank_category_is_none_and_a_nameless_column_gets_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, "question,answer,category,\nq,a,  ,x\n")

    assert usable(path) == [GoldenRow(line=2, question="q", answer="a", category=None, metadata={"column_4": "x"})]


def test_texts_are_kept_character_for_character(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + '"  two\r\nlines ""quoted"", and more","\ttab "\n')

    assert [(row.question, row.answer) for row in usable(path)] == [
        ('  two\r\nlines "quoted", and more', "\ttab "),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_numbered_as_an_editor_does_with_any_line_end(tmp_path: Path, end: str) -> None:
    rows = ["question,answer", "first,1", '"two', 'lines",2', "", "short", "last,4"]
    path = write(tmp_path, end.join(rows))

    assert [(row.line, row.answer) for row in usable(path)] == [(2, "1"), (3, "2"), (7, "4")]
    assert skipped(path) == [(6, "1 cell where the header has 2")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",a", "blank question"),
        (" \t\u00a0,a", "blank question"),
        (",", "blank question"),
        ("q", "1 cell where the header has 2"),
        ("q,a,b", "3 cells where the header has 2"),
        ("q\0,a", "it holds a NUL character"),
        ('"say "hi" now",a', "broken quotes: text follows a closing quote"),
        (f"q,{'x' * (MAX_CELL_CHARACTERS + 1)}", "a cell has more than 4,194,304 characters"),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_a_row_that_cannot_be_asked_is_skipped_with_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    path = write(tmp_path, f"{HEADER}before,1\n{row}\nafter,2\n")

    assert skipped(path) == [(3, reason)]
    assert [row.answer for row in usable(path)] == ["1", "2"]


@pytest.mark.parametrize("text", ["", "\n\n", "   \n", "\n\r\n"])
def test_blank_lines_are_no_rows(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, f"{text}{HEADER}{text}q,a\n{text}")

    assert len(usable(path)) == 1
    assert skipped(path) == []


def test_a_long_text_is_a_cell_like_any_other(tmp_path: Path) -> None:
    long = "x" * MAX_CELL_CHARACTERS

    assert usable(write(tmp_path, f"{HEADER}q,{long}\n"))[0].answer == long


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'good,1\n"open,2\nlost,3\n',
            "the row that begins on line 3 opens a quote and does not close it (noticed at the end of the file)",
        ),
        (
            'good,1\n"open,2\n"other",3\n',
            "the row that begins on line 3 opens a quote and does not close it (noticed on line 4)",
        ),
        (
            'a"b,"open\n"other",3\n',
            "the row that begins on line 2 opens a quote and does not close it (noticed on line 3)",
        ),
        (
            'good,1\nlast,"cut off',
            "the row that begins on line 3 opens a quote and does not close it (noticed at the end of the file)",
        ),
        (
            '"odd"x",2\nnext,3\n',
            "the row that begins on line 2 opens a quote and does not close it (noticed on line 2)",
        ),
        (
            '"open,2\n' + ("x" * 999 + "\n") * 4_200,
            "the row that begins on line 2 opens a quote and does not close it (noticed on line 4,197)",
        ),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_a_quote_that_may_swallow_other_rows_refuses_the_file(tmp_path: Path, text: str, problem: str) -> None:
    assert refusal(write(tmp_path, HEADER + text)) == problem


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_taken_from_the_header_line_alone_and_told(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, f"question{delimiter}answer\none, two{delimiter}a,b,c\n")
    golden = read_golden(path)

    assert [(row.question, row.answer) for row in usable(path)] == [("one, two", "a,b,c")]
    assert golden.table.delimiter == delimiter
    assert "as the header line shows" in golden.table.warnings[0]


def test_commas_are_nothing_to_warn_about(tmp_path: Path) -> None:
    assert read_golden(write(tmp_path, HEADER + "q;x,a\n")).table.warnings == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,question\n1,q\n", "it has no column 'answer'; its columns are 'id', 'question'"),
        ("q;a\n1;2\n", "it has no column 'question' and no column 'answer'; its columns are 'q', 'a'"),
        (
            ",".join(f"c{number}" for number in range(30)),
            "it has no column 'question' and no column 'answer'; its columns are "
            + ", ".join(f"'c{number}'" for number in range(20))
            + " and 10 more",
        ),
        ("question,answer,Answer \nq,a,b\n", "it has several columns 'answer'"),
        ("question,answer,x,X\nq,a,1,2\n", "it has several columns 'x'"),
        ("question,answer,a\0b\nq,a,1\n", "its header holds a NUL character"),
        (
            '"question"x,answer\nq,a\n',
            "its header on line 1 cannot be read (broken quotes: text follows a closing quote)",
        ),
        ("x" * 5_000_000, "its header on line 1 cannot be read (a cell has more than 4,194,304 characters)"),
        (
            'question,"answer\nq,a\n',
            "the row that begins on line 1 opens a quote and does not close it (noticed at the end of the file)",
        ),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_a_header_that_cannot_be_understood_refuses_the_file(tmp_path: Path, text: str, problem: str) -> None:
    assert refusal(write(tmp_path, text)) == problem


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert list(read_golden(write(tmp_path, HEADER)).entries()) == []


def test_rows_come_before_the_rest_of_the_file_is_read() -> None:
    endless = chain([HEADER], repeat("q,a\n"))
    entries = csv_entries(endless, delimiter=",", has_nul=False)

    assert [next(entries).line for _ in range(3)] == [2, 3, 4]


CELLS = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), st.sampled_from('",\r\n \u2028=')
    ),
    max_size=12,
)


@settings(derandomize=True, max_examples=150, deadline=None, database=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6))
def test_whatever_a_csv_writer_writes_is_read_back_equal(rows: list[tuple[str, str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerows([("question", "answer", "note"), *rows])

    entries = csv_entries(io.StringIO(file.getvalue(), newline=""), delimiter=",", has_nul=False)
    read = [(entry.question, entry.answer, entry.metadata["note"]) for entry in entries if isinstance(entry, GoldenRow)]

    assert read == [(row[0], row[1] if row[1].strip() else "", row[2]) for row in rows if row[0].strip()]
