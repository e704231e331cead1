"""Checksums behind the lines of a journal."""

from io import BytesIO

import pytest

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.journal_lines import SealedFile, seal, unsealed

LINES = [b'{"item_id":"q1","answer":"Paris"}', b'{"item_id":"q2","answer":"\\t deadbeef"}', b"{}"]


def test_lines_come_back_as_they_were_written() -> None:
    file = BytesIO()
    for line in LINES:
        SealedFile(file).write(line)

    assert list(unsealed(file.getvalue().splitlines())) == LINES


def test_a_journal_of_an_earlier_version_is_read_as_it_is() -> None:
    assert list(unsealed(LINES)) == LINES


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"Paris", b"Lyons"), (b"q1", b"q9"), (seal(LINES[1]), LINES[1]), (b"{}\t", b"{ }\t"), (b"6697", b"6698")],
)
def test_an_edited_line_is_no_record(before: bytes, after: bytes) -> None:
    stored = b"\n".join(map(seal, LINES))
    assert before in stored

    with pytest.raises(UnavailableError, match=r"line \d was changed after it was written") as damaged:
        list(unsealed(stored.replace(before, after, 1).split(b"\n")))
    assert damaged.value.code == "journal_damaged"
