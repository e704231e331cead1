import codecs
import gzip
import io
import sqlite3
import zipfile
from pathlib import Path

import pytest

from eval_pipeline.intake.encoding import MAX_LINE_CHARACTERS
from eval_pipeline.text_eval.golden.files import read_golden
from eval_pipeline_tests.text_eval.golden.golden_files import refusal, usable, write

HINDI = "question,answer\r\nभारत की राजधानी?,दिल्ली\r\n"
FRENCH = "question,answer\nQui?,Café “Œuvre”: 5 €\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (HINDI.encode(), "utf-8"),
        (codecs.BOM_UTF8 + HINDI.encode(), "utf-8-sig"),
        (codecs.BOM_UTF16_LE + HINDI.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + HINDI.encode("utf-16-be"), "utf-16"),
        (codecs.BOM_UTF32_LE + HINDI.encode("utf-32-le"), "utf-32"),
        (codecs.BOM_UTF32_BE + HINDI.encode("utf-32-be"), "utf-32"),
    ],
    ids=lambda part: (
        part if isinstance(part, str) else ""
    ),  # archives hold the time: every worker must see the same ids
)
def test_a_byte_order_mark_decides_and_utf8_is_the_rule(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = write(tmp_path, content)

    assert [(row.question, row.answer) for row in usable(path)] == [("भारत की राजधानी?", "दिल्ली")]
    assert read_golden(path).table.encoding == encoding
    assert read_golden(path).table.warnings == ()


def test_json_lines_are_read_in_every_encoding_too(tmp_path: Path) -> None:
    path = write(tmp_path, '{"question": "क", "answer": "ख"}\n'.encode("utf-16"))

    assert [(row.question, row.answer) for row in usable(path)] == [("क", "ख")]


def test_what_is_no_utf8_is_read_as_cp1252_with_a_warning_that_names_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, FRENCH.encode("cp1252"))
    golden = read_golden(path)

    assert usable(path)[0].answer == "Café “Œuvre”: 5 €"
    assert golden.table.encoding == "cp1252"
    assert golden.table.warnings == ("line 2 is no valid UTF-8: the file was read as cp1252 (Windows, Western Europe)",)


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_a_byte_that_cp1252_does_not_define_refuses_the_file(tmp_path: Path, byte: int) -> None:
    content = b"question,answer\nq\xe9,a\nr,b\ns," + bytes([byte]) + b"\n"

    assert refusal(write(tmp_path, content)) == (
        f"line 2 is no valid UTF-8, and line 4 no valid cp1252 (byte 0x{byte:02X})"
    )


@pytest.mark.parametrize("place", [1_048_574, 1_048_575, 1_048_576, 3_000_000])
def test_a_wrong_byte_is_found_however_late_it_comes(tmp_path: Path, place: int) -> None:
    text = "question,answer\n" + "q,a\n" * 1_000_000
    content = text[:place].encode() + "é".encode() + b"\xe9" + text[place:].encode()

    assert (
        f"line {text[:place].count(chr(10)) + 1:,} is no valid UTF-8"
        in read_golden(write(tmp_path, content)).table.warnings[0]
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            codecs.BOM_UTF16_LE + HINDI.encode("utf-16-le") + b"q",
            "its byte order mark says utf-16, but line 3 is no valid utf-16 (truncated data)",
        ),
        (
            codecs.BOM_UTF16_LE + "question,answer\nq".encode("utf-16-le") + b"\x00\xd8,\x00",
            "its byte order mark says utf-16, but line 2 is no valid utf-16 (illegal UTF-16 surrogate)",
        ),
        (
            codecs.BOM_UTF8 + b"question,answer\nq\xff,a\n",
            "its byte order mark says utf-8-sig, but line 2 is no valid utf-8-sig (invalid start byte)",
        ),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_a_byte_order_mark_that_does_not_hold_refuses_the_file(tmp_path: Path, content: bytes, problem: str) -> None:
    assert refusal(write(tmp_path, content)) == problem


def workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("golden.csv", HINDI)
    return file.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (a)")
    content = connection.serialize()
    connection.close()
    return content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (codecs.BOM_UTF8, "it holds no text"),
        (b" \n\t\r\n", "it holds no text"),
        (workbook(), "it cannot be read as an Excel workbook (File contains no valid workbook part)"),
        (archive(), "it looks like a ZIP archive, or an office document such as .xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "it looks like an old office document such as .xls"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "it looks like a PDF document"),
        (gzip.compress(HINDI.encode(), mtime=0), "it looks like a gzip archive"),
        (database(), "it looks like an SQLite database"),
        (b"PAR1" + bytes(50), "it looks like a Parquet file"),
        (b"\n<!DOCTYPE html><html><body>Please log in</body></html>", "it looks like an HTML page"),
        (HINDI.encode("utf-16-le"), "it looks like UTF-16 or UTF-32 text without a byte order mark"),
        (FRENCH.encode("utf-16-le"), "it looks like UTF-16 or UTF-32 text without a byte order mark"),
        (FRENCH.encode("utf-16-be"), "it looks like UTF-16 or UTF-32 text without a byte order mark"),
        (FRENCH.encode("utf-32-le"), "it looks like UTF-16 or UTF-32 text without a byte order mark"),
        (bytes(1_000), "it looks like UTF-16 or UTF-32 text without a byte order mark"),
        (bytes(range(256)) * 40, "it looks like binary data"),
    ],
    ids=lambda part: ascii(part)[:20],  # an archive tells the time from its eleventh byte on
)
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    assert refusal(write(tmp_path, content)) == problem


def test_a_line_without_end_is_refused_before_it_is_read_into_memory(tmp_path: Path) -> None:
    content = "question,answer\nq," + "x" * MAX_LINE_CHARACTERS

    assert refusal(write(tmp_path, content)) == "it has a line of more than 16,777,216 characters"
