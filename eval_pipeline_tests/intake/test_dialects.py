"""Tables as people and programs have them; ``files`` holds some from public reports, each named after its trouble."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.intake.binary import looks_like
from eval_pipeline.intake.csv_records import CsvRecords
from eval_pipeline.intake.purpose import Purpose
from eval_pipeline.intake.table_file import TableFile, open_table

FILES = Path(__file__).with_name("files")
GOLDEN = Purpose(noun="golden file", required=("question", "answer"))
SPOKEN = Purpose(noun="audio manifest", required=("audio",), aliases=(("path", "audio"),))


def records(table: TableFile, purpose: Purpose) -> Iterator[list[str] | str]:
    with table.lines() as lines:
        found = CsvRecords(lines, delimiter=str(table.delimiter), purpose=purpose)
        yield found.take_header()
        for _, cells in found:
            yield cells.reason if isinstance(cells, SkippedRow) else cells


def read(folder: Path, text: str, *, purpose: Purpose = GOLDEN, name: str = "table.csv") -> list[list[str] | str]:
    path = folder / name
    path.write_bytes(text.encode())
    return list(records(open_table(path, purpose), purpose))


def test_a_line_for_excel_names_the_delimiter() -> None:
    table = open_table(FILES / "i07_sep_line.csv", GOLDEN)

    assert list(records(table, GOLDEN)) == [["question", "answer"], ["Q1", "A1"], ["Q2", "A2"]]
    assert table.warnings == ("columns are separated by semicolon, as the header line shows",)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffsep=;\nquestion;answer\nQ;A\n",
        '"sep=,"\nquestion,answer\nQ,A\n',
        "SEP=\t\nquestion\tanswer\nQ\tA\n",
        "sep=^\nquestion^answer\nQ^A\n",
        "sep=;\nquestion,answer\nQ,A\n",
    ],
)
def test_the_line_for_excel_may_be_written_in_many_ways(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == [["question", "answer"], ["Q", "A"]]


def test_quotes_behind_a_space_are_quotes() -> None:
    found = list(records(open_table(FILES / "i35_space_after_comma.csv", GOLDEN), GOLDEN))

    assert found[1:] == [["Q1, really?", "A1, yes"], ["Q2", "A2"]]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ('"a" , "b, c"', ["a", "b, c"]),
        ('a, "b\n, "" c"', ["a", 'b\n, " c']),
        ("a, b", ["a", " b"]),
        ('a,5 "inch"', ["a", '5 "inch"']),
        ('"a, "", b",c', ['a, ", b', "c"]),
        ('"a\n, ""b""\n",c', ['a\n, "b"\n', "c"]),
    ],
)
def test_only_spaces_between_delimiters_and_quotes_go(tmp_path: Path, row: str, cells: list[str]) -> None:
    assert read(tmp_path, f"question,answer\n{row}\nQ,A\n")[1:] == [cells, ["Q", "A"]]


def test_a_quote_that_closes_nowhere_in_its_line_is_text_in_a_file_of_tabs() -> None:
    found = list(records(open_table(FILES / "tsv_quote_open.tsv", SPOKEN), SPOKEN))

    assert found[1:] == [["clip_1.wav", '"क्या रास्ता खुला है?', "hi"], ["clip_2.wav", "दूसरा वाक्य", "hi"]]


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        ('a\t"Yes" he said', [["a", '"Yes" he said']]),
        ('a\t"open\nb\tc', [["a", '"open'], ["b", "c"]]),
        ('a\t"open', [["a", '"open']]),
        ('a\t"two\nlines"', [["a", "two\nlines"]]),
        ('"two\nlines"\tb', [["two\nlines", "b"]]),
        ('"a\tb"\t"c ""d"""', [["a\tb", 'c "d"']]),
        ('a\tsays "no"', [["a", 'says "no"']]),
    ],
)
def test_cells_of_tabs_keep_their_quotes_and_their_lines(tmp_path: Path, rows: str, cells: list[list[str]]) -> None:
    assert read(tmp_path, f"question\tanswer\n{rows}\n", name="table.tsv")[1:] == cells


def test_the_columns_of_a_refused_file_are_named_one_by_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="its columns are 'clip', 'sentence'"):
        read(tmp_path, "clip\tsentence\na\tb\n", purpose=SPOKEN)


@pytest.mark.parametrize("text", ["नमस्ते", "नमस्ते दुनिया", "வணக்கம்", "ನಮಸ್ಕಾರ", "مرحبا", "привет"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_told_in_any_script(text: str, encoding: str) -> None:
    assert str(looks_like(text.encode(encoding))).startswith("UTF-16")
    assert looks_like(text.encode()) is None


def test_the_file_of_a_report_is_told_and_tables_are_not() -> None:
    assert looks_like((FILES / "utf16_unmarked.txt").read_bytes()) == "UTF-16 text without a byte order mark"
    assert looks_like(b"question\tanswer\n1\t2\n") is None
    assert looks_like(b"no\tyes\tno\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "question,answer\rQ,A\rR,B\r",
        "question,answer\rQ,A\rR,B",
        "\ufeffquestion,answer\rQ,A\r\rR,B\r",
        'sep=;\rquestion;answer\rQ;A\r"R";"B"\r',
        "question\tanswer\rQ\tA\rR\tB\r",
        "question,answer\r\nQ,A\rR,B\n",
        "question,answer\r\r\nQ,A\r\r\nR,B\r\r\n",
        "question,answer\n\rQ,A\n\rR,B\n\r",
    ],
    ids=["cr", "no end", "blank lines", "delimiter named", "tabs", "mixed", "doubled", "turned round"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_any_line_end_ends_a_row(tmp_path: Path, text: str, encoding: str) -> None:
    """Old programs of the Mac write CR alone, and files that were put together have several."""
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))

    assert list(records(open_table(path, GOLDEN), GOLDEN)) == [["question", "answer"], ["Q", "A"], ["R", "B"]]
