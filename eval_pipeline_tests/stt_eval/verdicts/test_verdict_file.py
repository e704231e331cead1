from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.feedback import UNTOUCHED, Change, ErrorTag, Verdict
from eval_pipeline.core.feedback_words import checked_comment
from eval_pipeline.reporting.csv_safety import csv_cell
from eval_pipeline.stt_eval.verdicts.verdict_file import VerdictRow

EMPTY = dict.fromkeys(("sample", "model", "is_correct", "comment", "tags", "reviewer", "time", "text_sha256"), "")
COMMENTS = st.text(st.sampled_from("='-+@1a \t\n\r\u200bअ\u0301"), max_size=8) | st.text(max_size=30)


def said(before: Verdict | None = None, **cells: str) -> Change:
    return VerdictRow(2, {**EMPTY, **cells}).change(before or Verdict())


@given(COMMENTS)
def test_any_comment_comes_back_from_a_spreadsheet_as_no_change(typed: str) -> None:
    with suppress(UsageError):  # of a character that is not kept
        comment = checked_comment(typed)
        assert said(Verdict(comment=comment), comment=csv_cell(comment)) == Change()


@given(COMMENTS)
def test_any_new_comment_is_read_as_it_was_meant(typed: str) -> None:
    with suppress(UsageError):
        comment = checked_comment(typed)
        if comment is not None and not comment.startswith("'"):
            assert said(comment=csv_cell(comment)).comment == comment


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("yes", True),
        (" TRUE ", True),
        ("1", True),
        ("No", False),
        ("wrong", False),
        ("0", False),
        ("clear", None),
        ("", UNTOUCHED),
        ("  ", UNTOUCHED),
    ],
)
def test_what_people_and_spreadsheets_write_for_yes_and_no_is_understood(cell: str, meant: object) -> None:
    assert said(is_correct=cell).is_correct is meant


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("name", (ErrorTag.NAME,)),
        ("Wrong language,name; ", (ErrorTag.NAME, ErrorTag.WRONG_LANGUAGE)),
        ("Clear", ()),
        (" ", UNTOUCHED),
    ],
)
def test_tags_are_read_from_a_list(cell: str, meant: object) -> None:
    assert said(tags=cell).tags == meant
