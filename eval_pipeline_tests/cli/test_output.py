"""What is written: one JSON document, aligned tables, nothing that a terminal obeys."""

import json

import pytest

from eval_pipeline.cli.output import page_footer, printable, write_error, write_json, write_table
from eval_pipeline.core.datasets import Page
from eval_pipeline.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("red \x1b[31m", "red \\x1b[31m"),
        ("8-bit \x9b31m", "8-bit \\x9b31m"),
        ("turned \u202e round", "turned \\u202e round"),
        ("line\r\nbreak", "line\\r\\nbreak"),
        ("हिन्दी क्\u200dष", "हिन्दी क्\u200dष"),
        ("عربى", "عربى"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_json_keeps_every_value_and_writes_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"answer": "\x1b[2J \x9b \u2028 \u202e \udc80 हिन्दी", "mean": 0.1}
    write_json(document)
    written = capsys.readouterr().out

    assert json.loads(written) == document
    assert "हिन्दी" in written
    assert all(character.isprintable() or character == "\n" for character in written)


def test_not_a_number_is_refused_for_it_is_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"mean": float("nan")})


def test_errors_keep_their_lines_and_lose_their_escape_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    write_error(UsageError("first\nsecond \x1b[31m", code="x", hint="do this"))

    assert capsys.readouterr().err == "error: first\nsecond \\x1b[31m\nhint: do this\n"


def test_tables_are_aligned_and_none_is_an_empty_cell(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(("A", "LONG"), [("first", None), ("x", 1)])

    assert capsys.readouterr().out == "A      LONG\nfirst\nx      1\n"


@pytest.mark.parametrize(
    ("page", "footer"),
    [
        (Page(items=(), total=0, limit=5, offset=0), "none"),
        (Page(items=("a", "b"), total=1_234, limit=2, offset=1_000), "1,001-1,002 of 1,234"),
        (Page(items=(), total=3, limit=5, offset=10), "none from 11 on; there are 3"),
    ],
)
def test_the_footer_says_which_part_is_shown(page: Page[str], footer: str) -> None:
    assert page_footer(page) == footer
