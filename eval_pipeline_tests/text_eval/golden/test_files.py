from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.core.errors import UsageError
from eval_pipeline.intake.table_file import TableFormat
from eval_pipeline.text_eval.golden.files import read_golden
from eval_pipeline_tests.text_eval.golden.golden_files import usable, write

CSV = "question,answer\nq,a\n"
JSONL = '{"question": "q", "answer": "a"}\n'


@pytest.mark.parametrize("name", ["golden.csv", "golden.jsonl.txt", "golden", "golden.dat", "GOLDEN.CSV"])
def test_the_content_tells_the_format_when_the_name_does_not(tmp_path: Path, name: str) -> None:
    for content, expected in ((CSV, TableFormat.CSV), (JSONL, TableFormat.JSONL)):
        path = write(tmp_path, content, name=name)

        assert read_golden(path).table.format is expected
        assert [(row.question, row.answer) for row in usable(path)] == [("q", "a")]


@pytest.mark.parametrize("name", ["golden.jsonl", "golden.NDJSON", "golden.json"])
def test_a_file_that_is_named_json_is_read_as_json_lines_also_when_it_begins_with_a_broken_line(
    tmp_path: Path, name: str
) -> None:
    assert read_golden(write(tmp_path, f"oops\n{JSONL}", name=name)).table.format is TableFormat.JSONL


def test_a_copy_is_read_under_the_name_of_the_original(tmp_path: Path) -> None:
    path = write(tmp_path, f"oops\n{JSONL}", name="copy")

    assert read_golden(path, name="golden.jsonl").table.format is TableFormat.JSONL
    assert read_golden(write(tmp_path, CSV, name="copy"), name="").table.format is TableFormat.CSV


PIECES = st.sampled_from(
    [
        *(
            b"question,answer\n",
            b"question;answer\r",
            b'{"question": "q", "answer": "a"}\n',
            b'{"question": "\\ud800"',
            b"[{",
        ),
        *(b"q,a\n", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"\0", b" ", b"{", b"}", b"[", b"1", b"\x81", b"\xe9"),
        *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\xd8", b"\xe0\xa4\x95", b"\xe2\x80\xa8"),
    ]
)


@settings(derandomize=True, max_examples=400, deadline=None, database=None)
@given(
    pieces=st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=15), name=st.sampled_from(["g.csv", "g.json"])
)
def test_any_bytes_whatever_are_read_or_refused_with_a_reason(pieces: list[bytes], name: str) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), b"".join(pieces), name=name)
        codes, lines = read_or_refused(path)
    assert lines == sorted(set(lines))
    assert codes in ([], ["invalid_dataset"])


def read_or_refused(path: Path) -> tuple[list[str], list[int]]:
    try:
        return [], [entry.line for entry in read_golden(path).entries()]
    except UsageError as error:
        return [error.code], []
