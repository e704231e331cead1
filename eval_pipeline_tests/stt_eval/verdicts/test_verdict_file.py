from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.errors import NotFoundError, UsageError
from eval_pipeline.core.feedback import UNTOUCHED, Change, ErrorTag, Verdict
from eval_pipeline.core.feedback_words import checked_comment
from eval_pipeline.intake.table_file import open_table
from eval_pipeline.reporting.csv_safety import csv_cell
from eval_pipeline.stt_eval.verdicts.results import COLUMNS, Results
from eval_pipeline.stt_eval.verdicts.verdict_file import VERDICTS, VerdictRow, read_rows

EMPTY = dict.fromkeys(
    ("sample", "model", "is_correct", "comment", "tags", "reviewer", "time", "text_sha256", "transcript", "entries"), ""
)
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
        ("WAHR", True),
        ("हाँ", True),
        ("FALSO", False),
        ("ग़लत", False),
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


def returned(name: str) -> list[VerdictRow]:
    """Return the rows of a file that a spreadsheet program saved; ``files`` holds two, of a run of five clips."""
    table = open_table(Path(__file__).with_name("files") / name, VERDICTS)
    return [row for row in read_rows(table) if isinstance(row, VerdictRow)]


HEARD = {"001": "नमस्ते", "002": "=SUM(1)"}
RESULTS = Results(
    [
        {
            **dict.fromkeys(COLUMNS, ""),
            "sample_id": name,
            "model": "whisper-1",
            "status": "completed",
            "transcript": text,
        }
        for name, text in HEARD.items()
    ],
    file_names={name: f"{name}.wav" for name in HEARD},
)


def test_ids_without_their_zeros_are_found_and_their_text_is_right() -> None:
    for row, name in zip(returned("excel_leading_zeros.csv"), HEARD, strict=True):
        result = RESULTS.find_cells(row.cells)
        row.check_text(result, RESULTS)

        assert result.sample_id == name
        assert row.change(Verdict()) == Change(is_correct=True, comment="ठीक")


def test_a_file_that_lost_its_letters_is_refused_row_by_row() -> None:
    for row in returned("ansi.csv")[:2]:
        with pytest.raises(UsageError, match=r"is '[? ]+': the file holds something else"):
            row.check_text(RESULTS.find_cells(row.cells), RESULTS)


@pytest.mark.parametrize(("cell", "sample"), [("1", "001"), ("1.0", "001"), ("12", "0012"), ("2", None), ("7", None)])
def test_an_id_that_lost_its_zeros_is_found_where_only_one_sample_has_the_number(cell: str, sample: str | None) -> None:
    names = ("001", "0012", "2.0", "02")
    rows = [dict(zip(COLUMNS, (f"i{name}", name, "m", "completed", "ok", "text"), strict=True)) for name in names]
    results, cells = Results(rows), {**EMPTY, "sample": cell, "model": "m", "file_name": ""}

    if sample is None:
        with pytest.raises(NotFoundError):
            results.find_cells(cells)
    else:
        assert results.find_cells(cells).sample_id == sample
