import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval_pipeline.core.errors import NotFoundError, UsageError
from eval_pipeline.core.feedback import Change, ErrorTag, Mark, Verdict
from eval_pipeline.core.runs import Flow
from eval_pipeline.stt_eval.feedback import VerdictChange, set_verdicts, verdicts_of
from eval_pipeline.stt_eval.feedback_files import Imported, export_verdicts, import_verdicts
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.storage.records import KEY
from eval_pipeline_tests.stt_eval.judged_run import FLASH, HEARD, WHISPER, open_judged, transcribe

FIRST, SECOND = f"clip-1#{FLASH}", f"clip-1#{WHISPER}"
NOTHING_NEW = Imported(changed=0, unchanged=3, warnings=())


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    opened = open_judged(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "verdicts.csv"


def judge(deployment: Deployment, model: str = FLASH, **said: object) -> None:
    change = Change(**said)  # type: ignore[arg-type]  # parts of many types
    set_verdicts(deployment, KEY, [VerdictChange("clip-1", model, change)], reviewer="asha")


def exported(deployment: Deployment, sheet: Path) -> list[dict[str, str]]:
    export_verdicts(deployment, KEY, sheet, bom=False)
    with sheet.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(sheet: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def imported(deployment: Deployment, sheet: Path) -> Imported:
    return import_verdicts(deployment, KEY, sheet, reviewer="meera")


def stands(deployment: Deployment) -> dict[str, Verdict]:
    return verdicts_of(deployment, KEY)


def refusal(deployment: Deployment, sheet: Path, text: str) -> UsageError:
    """Return why a file is refused; nothing of it was recorded."""
    sheet.write_text(text, encoding="utf-8")
    before = stands(deployment)
    with pytest.raises(UsageError) as caught:
        imported(deployment, sheet)
    assert stands(deployment) == before
    assert caught.value.code == "invalid_verdict_file"
    return caught.value


def test_every_transcript_that_can_be_judged_is_written_with_what_helps_to_judge_it(
    deployment: Deployment, sheet: Path
) -> None:
    rows = exported(deployment, sheet)

    assert [(row["sample"], row["model"]) for row in rows] == [key for key, text in HEARD.items() if text is not None]
    assert rows[0]["transcript"] == HEARD["clip-1", FLASH]
    assert (rows[0]["reference"], rows[0]["file_name"], rows[0]["wer"]) == ("नमस्ते", "clip-1.wav", "0.0")
    assert {row["is_correct"] for row in rows} == {""}
    assert {row["entries"] for row in rows} == {"0"}


def test_what_a_model_wrote_cannot_run_in_a_spreadsheet_and_keeps_its_lines(
    deployment: Deployment, sheet: Path
) -> None:
    assert exported(deployment, sheet)[1]["transcript"] == "'=नमस्ते\nमेरा नाम"


def test_a_byte_order_mark_is_written_on_request_and_read(deployment: Deployment, sheet: Path) -> None:
    export_verdicts(deployment, KEY, sheet, bom=True)

    assert sheet.read_bytes().startswith(b"\xef\xbb\xbf")
    assert imported(deployment, sheet) == NOTHING_NEW


def test_a_file_that_comes_back_as_it_was_written_says_nothing_new(deployment: Deployment, sheet: Path) -> None:
    judge(deployment, is_correct=False, comment="=SUM(A1)\nसुनिए", tags=(ErrorTag.NAME, ErrorTag.WRONG_LANGUAGE))
    judge(deployment, WHISPER, is_correct=True)
    judge(deployment, WHISPER, is_correct=None, comment="'=1+1")
    exported(deployment, sheet)
    before = stands(deployment)

    assert imported(deployment, sheet) == NOTHING_NEW
    assert stands(deployment) == before


def test_a_file_that_was_written_before_the_clip_was_transcribed_again_says_nothing_new_either(
    deployment: Deployment, sheet: Path
) -> None:
    judge(deployment, is_correct=False)
    exported(deployment, sheet)
    transcribe(deployment, {**HEARD, ("clip-1", FLASH): "another"})

    assert imported(deployment, sheet) == NOTHING_NEW


def test_a_verdict_written_for_an_earlier_transcript_is_not_taken_for_the_new_one(
    deployment: Deployment, sheet: Path
) -> None:
    rows = exported(deployment, sheet)
    rows[0]["is_correct"] = "yes"
    write(sheet, rows)
    transcribe(deployment, {**HEARD, ("clip-1", FLASH): "another"})

    with pytest.raises(UsageError, match="line 2: the row was written for a transcript that has been replaced"):
        imported(deployment, sheet)
    assert stands(deployment) == {}


def test_a_stale_verdict_is_written_beside_empty_cells(deployment: Deployment, sheet: Path) -> None:
    judge(deployment, is_correct=False, comment="name")
    transcribe(deployment, {**HEARD, ("clip-1", FLASH): "another"})

    row = exported(deployment, sheet)[0]

    assert (row["is_correct"], row["comment"], row["earlier_verdict"], row["entries"]) == ("", "", "wrong", "1")
    assert row["wer"] == ""  # the scores are of the earlier transcripts
    assert imported(deployment, sheet) == NOTHING_NEW


def test_filled_in_rows_are_recorded_and_the_others_left_alone(deployment: Deployment, sheet: Path) -> None:
    judge(deployment, is_correct=True)
    rows = exported(deployment, sheet)
    rows[0].update(is_correct="No", comment="'=नाम", tags="name; Wrong Language")
    rows[1].update(is_correct="yes", reviewer="ravi", time="2026-05-01T10:00:00+05:30")
    write(sheet, rows)

    assert imported(deployment, sheet) == Imported(changed=2, unchanged=1, warnings=())

    first, second = stands(deployment)[FIRST], stands(deployment)[SECOND]
    assert (first.mark, first.comment, first.tags) == (
        Mark.WRONG,
        "=नाम",
        (ErrorTag.NAME, ErrorTag.WRONG_LANGUAGE),
    )
    assert [entry.reviewer for entry in first.history] == ["asha", "meera"]
    assert (second.history[0].reviewer, second.history[0].judged_at) == (
        "ravi",
        datetime(2026, 5, 1, 4, 30, tzinfo=UTC),
    )


def test_a_verdict_and_its_tags_can_be_cleared_and_an_empty_cell_clears_nothing(
    deployment: Deployment, sheet: Path
) -> None:
    judge(deployment, is_correct=True, comment="kept", tags=(ErrorTag.NAME,))
    sheet.write_text(f"sample,model,is_correct,comment,tags\nclip-1,{FLASH},clear,,clear\nclip-1,{WHISPER},,,\n")

    assert imported(deployment, sheet) == Imported(changed=1, unchanged=1, warnings=())
    verdict = stands(deployment)[FIRST]
    assert (verdict.mark, verdict.comment, verdict.tags) == (Mark.CLEARED, "kept", ())


def test_a_file_of_a_german_excel_is_read_with_a_word_about_it(deployment: Deployment, sheet: Path) -> None:
    sheet.write_text(f"Sample;Model;is_correct\r\nclip-1;{FLASH};yes\r\n", encoding="utf-8-sig")

    came = imported(deployment, sheet)

    assert came.changed == 1
    assert "semicolon" in came.warnings[0]


def test_empty_rows_that_a_spreadsheet_leaves_behind_are_passed_over(deployment: Deployment, sheet: Path) -> None:
    rows = exported(deployment, sheet)
    write(sheet, [{**rows[0], "is_correct": "no"}, *rows[1:]])
    with sheet.open("a", encoding="utf-8") as file:
        file.write(",,,,\n" + "," * (len(rows[0]) - 1) + "\n\n")

    assert imported(deployment, sheet) == Imported(changed=1, unchanged=2, warnings=())


def test_every_bad_row_is_named_with_its_line_and_none_is_recorded(deployment: Deployment, sheet: Path) -> None:
    error = refusal(
        deployment,
        sheet,
        "sample,model,is_correct,comment,tags,reviewer,time\n"
        f"clip-1,{FLASH},yes,,,,\n"
        f"clip-1,{WHISPER},maybe,,,,\n"
        f"clip-1,{WHISPER},,,nmae,,\n"
        f"clip1,{FLASH},yes,,,,\n"
        f"clip-2,{WHISPER},no,,,,\n"
        f"clip-1,{FLASH},no,,,,\n"
        f"clip-1,{WHISPER},yes,,,,2026-05-01T10:00\n"
        f"clip-1,{WHISPER},yes,,,,yesterday\n"
        f"clip-1,{WHISPER},yes,,,,9999-01-01T00:00:00Z\n"
        f"clip-1,{WHISPER},yes,{'x' * 5001},,,\n"
        f"clip-1,{WHISPER},yes,\x1b[31m,,,\n"
        f"clip-1,{WHISPER},yes,,,evil\u202ename,\n"
        f"clip-1,{WHISPER},yes\n",
    )

    assert error.message.startswith("the file of verdicts cannot be used: 12 rows cannot be used")
    problems = [line.strip() for line in error.message.splitlines()[1:]]
    expected = (
        "line 3: is_correct is 'maybe' (write yes, no or clear",
        "line 4: there is no error tag 'nmae' (use name, number",
        "line 5: the run has no sample 'clip1' (did you mean 'clip-1'",
        "line 6: sample 'clip-2', model 'openai/whisper-1' has no transcript to judge: refused",
        "line 7: line 2 judges the same result",
        "line 8: time '2026-05-01T10:00' has no time zone",
        "line 9: time is 'yesterday'",
        "line 10: time '9999-01-01T00:00:00Z' is still to come",
        "line 11: the comment has 5,001 characters",
        "line 12: the comment holds the control character U+001B",
        "line 13: the reviewer's name",
        "line 14: 3 cells where the header has 7",
    )
    assert len(problems) == len(expected)
    for problem, beginning in zip(problems, expected, strict=True):
        assert problem.startswith(beginning)


def test_of_very_many_bad_rows_the_first_are_told_and_all_are_counted(deployment: Deployment, sheet: Path) -> None:
    error = refusal(deployment, sheet, "sample,model,is_correct\n" + "nobody,x,yes\n" * 1_000)

    assert "1,000 rows" in error.message
    assert error.message.endswith("… and 980 more")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("sample,is_correct\na,yes\n", "it has no column 'model'"),
        ('{"sample": "clip-1", "model": "x"}\n', "it holds JSON Lines"),
        ('sample,model,is_correct\na,"b,yes\n', "opens a quote and does not close it"),
    ],
)
def test_a_file_that_is_no_table_of_verdicts_is_refused(
    deployment: Deployment, sheet: Path, text: str, problem: str
) -> None:
    assert problem in refusal(deployment, sheet, text).message


def test_a_file_that_cannot_be_read_is_named(deployment: Deployment, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read '/.*No such file") as caught:
        imported(deployment, tmp_path / "nowhere.csv")

    assert caught.value.code == "file_unreadable"


def test_a_sample_that_a_spreadsheet_would_run_is_found_again(tmp_path: Path, sheet: Path) -> None:
    deployment = open_judged(tmp_path / "home")
    transcribe(deployment, {(sample, FLASH): "a" for sample in ("=clip", "=clip-2", "'=clip-2")})
    sheet.write_text(f"sample,model,is_correct\n'=clip,{FLASH},yes\n")

    assert imported(deployment, sheet).changed == 1
    assert set(stands(deployment)) == {f"=clip#{FLASH}"}
    sheet.write_text(f"sample,model,is_correct\n'=clip-2,{FLASH},yes\n")
    with pytest.raises(UsageError, match="behind an apostrophe"):
        imported(deployment, sheet)
    deployment.close()


def test_an_unknown_format_and_an_unknown_run_are_told(deployment: Deployment, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        export_verdicts(deployment, KEY, tmp_path / "verdicts.ods", bom=False)
    assert caught.value.code == "export_format_unsupported"

    deployment.ledger.delete_run(flow=Flow.STT, key=KEY)
    with pytest.raises(NotFoundError):
        export_verdicts(deployment, KEY, tmp_path / "verdicts.csv", bom=False)
    assert not (tmp_path / "verdicts.csv").exists()


def test_an_older_file_reverts_nothing_in_rows_that_nobody_touched(deployment: Deployment, sheet: Path) -> None:
    judge(deployment, is_correct=True, comment="clear")
    rows = exported(deployment, sheet)
    judge(deployment, is_correct=False, tags=(ErrorTag.NAME,))
    rows[1]["is_correct"] = "no"
    write(sheet, rows)

    assert imported(deployment, sheet) == Imported(changed=1, unchanged=2, warnings=())
    assert stands(deployment)[FIRST].mark is Mark.WRONG
    assert stands(deployment)[SECOND].mark is Mark.WRONG


def test_a_row_that_contradicts_what_was_said_since_is_refused_alone(deployment: Deployment, sheet: Path) -> None:
    rows = exported(deployment, sheet)
    judge(deployment, is_correct=False)
    rows[0] |= {"is_correct": "yes", "comment": "fine"}
    rows[1]["is_correct"] = "yes"
    write(sheet, rows)
    came = imported(deployment, sheet)

    assert (came.changed, came.unchanged) == (1, 1)
    [conflict] = came.conflicts
    assert conflict.startswith(
        f"line 2: sample 'clip-1', model '{FLASH}' was judged since the file was exported, by 'asha'"
    )
    assert "(is_correct 'no')" in conflict
    assert (stands(deployment)[FIRST].mark, stands(deployment)[FIRST].comment) == (Mark.WRONG, None)


def test_what_was_said_since_of_something_else_is_no_conflict(deployment: Deployment, sheet: Path) -> None:
    rows = exported(deployment, sheet)
    judge(deployment, comment="the village")
    rows[0]["is_correct"] = "no"
    write(sheet, rows)

    assert imported(deployment, sheet).changed == 1
    verdict = stands(deployment)[FIRST]
    assert {part: entry.reviewer for part, entry in verdict.authors.items()} == {
        "comment": "asha",
        "is_correct": "meera",
    }


def test_a_name_beside_a_verdict_that_stands_confirms_it(deployment: Deployment, sheet: Path) -> None:
    judge(deployment, is_correct=False, comment="10 is missing")
    rows = exported(deployment, sheet)
    rows[0]["reviewer"] = "ravi"
    write(sheet, rows)

    assert imported(deployment, sheet).changed == 1
    verdict = stands(deployment)[FIRST]
    assert {name: own.is_correct for name, own in verdict.reviewers.items()} == {"asha": False, "ravi": False}
    assert verdict.authors["comment"].reviewer == "asha"
    assert imported(deployment, sheet) == NOTHING_NEW


def test_ids_that_a_spreadsheet_changed_are_found_by_file_and_text(deployment: Deployment, sheet: Path) -> None:
    rows = exported(deployment, sheet)
    rows[0] |= {"sample": "1", "is_correct": "yes"}
    rows[1] |= {"sample": "1", "is_correct": "no", "file_name": ""}
    write(sheet, rows)

    assert imported(deployment, sheet).changed == 2
    assert (stands(deployment)[FIRST].mark, stands(deployment)[SECOND].mark) == (Mark.CORRECT, Mark.WRONG)


def test_a_transcript_of_another_sample_beside_a_verdict_is_refused(deployment: Deployment, sheet: Path) -> None:
    """Who sorts one column of a spreadsheet judges other texts than the row is about, whatever its digest says."""
    rows = exported(deployment, sheet)
    other = next(row for row in rows if row["sample"] != rows[0]["sample"])
    other |= {"transcript": rows[0]["transcript"], "is_correct": "yes"}
    write(sheet, rows)

    told = refusal(deployment, sheet, sheet.read_text(encoding="utf-8")).message
    assert f"is that of sample '{rows[0]['sample']}', not of '{other['sample']}'" in told


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"transcript": "??????", "comment": "???? ??"}, "the transcript is '??????': the file holds something else"),
        ({"comment": "???? ?? ??? ??"}, "the comment is '???? ?? ??? ??': the file holds something else"),
        ({"comment": "#NAME?"}, "the comment is '#NAME?'"),
        ({"text_sha256": "", "transcript": "another text"}, "the transcript 'another text' is not that of sample"),
        (
            {"file_name": "clip-2.wav", "text_sha256": ""},
            "the transcript 'नमस्ते, मेरा नाम मीरा है' is that of sample 'clip-1', not",
        ),
        ({"entries": "many"}, "entries is 'many'"),
    ],
)
def test_a_row_that_lost_its_letters_or_its_place_is_refused(
    deployment: Deployment, sheet: Path, cells: dict[str, str], problem: str
) -> None:
    rows = exported(deployment, sheet)
    rows[0] |= {"is_correct": "yes", **cells}
    write(sheet, rows)
    message = refusal(deployment, sheet, sheet.read_text(encoding="utf-8")).message

    assert problem in message


def test_a_workbook_goes_out_and_comes_back_with_its_text(deployment: Deployment, tmp_path: Path) -> None:
    from openpyxl import load_workbook  # noqa: PLC0415 - here alone

    judge(deployment, is_correct=True, comment="=1+1")
    path = tmp_path / "verdicts.xlsx"
    export_verdicts(deployment, KEY, path, bom=False)
    assert imported(deployment, path) == NOTHING_NEW

    book = load_workbook(path)
    page = book.worksheets[0]
    columns = {cell.value: cell.column for cell in page[1]}
    assert (page.cell(2, columns["comment"]).value, page.cell(2, columns["comment"]).data_type) == ("=1+1", "s")
    assert page.cell(2, columns["sample"]).number_format == "@"
    page.cell(3, columns["is_correct"]).value = False
    page.cell(3, columns["comment"]).value = "गाँव"
    book.save(path)

    assert imported(deployment, path).changed == 1
    verdict = stands(deployment)[SECOND]
    assert (verdict.mark, verdict.comment) == (Mark.WRONG, "गाँव")


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"xl/" * 40])
def test_what_is_no_workbook_is_refused(deployment: Deployment, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "verdicts.xlsx"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        imported(deployment, path)
    assert caught.value.code == "invalid_verdict_file"
