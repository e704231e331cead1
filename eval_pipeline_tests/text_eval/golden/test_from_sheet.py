"""Golden rows from workbooks: as openpyxl writes them, and as other programs are known to."""

import datetime as dt
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.text_eval.golden.files import read_golden
from eval_pipeline.text_eval.golden.row import GoldenOptions, GoldenRow
from eval_pipeline_tests.text_eval.golden.golden_files import refusal, skipped, usable

HEADER = ("id", "question", "answer", "category", "note")


def book(*rows: Sequence[object], title: str = "Golden") -> Workbook:
    made = Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    return made


def saved(made: Workbook, tmp_path: Path) -> Path:
    path = tmp_path / "golden.xlsx"
    made.save(path)
    return path


def notes(path: Path, **options: Any) -> tuple[str, ...]:  # noqa: ANN401 - any option
    golden = read_golden(path, options=GoldenOptions(**options))
    list(golden.entries())
    return golden.warnings


def test_cells_are_read_as_they_are_shown(tmp_path: Path) -> None:
    made = book(HEADER)
    shown = [
        (1, "000", "001"),
        (1, "General", "1"),
        (18.0, "General", "18"),
        (18.5, "0.00", "18.50"),
        (0.125, "0%", "12.5%"),
        (0.18, "0%", "18%"),
        (0.1 + 0.2, "General", "0.3"),
        (1e21, "General", "1000000000000000000000"),
        (True, "General", "TRUE"),
        ("007", "@", "007"),
        ("1,5", "General", "1,5"),
        ("two\nlines _x000D_", "General", "two\nlines \r"),
        (dt.date(2024, 5, 21), "dd.mm.yyyy", "2024-05-21"),
        (dt.datetime(2024, 5, 21, 14, 30), "yyyy-mm-dd hh:mm", "2024-05-21 14:30:00"),  # noqa: DTZ001 - as in a sheet
        (dt.time(9, 5), "hh:mm", "09:05:00"),
    ]
    for number, (value, number_format, _) in enumerate(shown, start=2):
        made.active.append((f"r{number}", "q", value))
        made.active.cell(number, 3).number_format = number_format
    path = saved(made, tmp_path)

    assert [row.answer for row in usable(path)] == [text for _, _, text in shown]
    assert "dates are read as YYYY-MM-DD: C14, C15" in notes(path)


def test_numbers_as_ids_keep_the_zeros_that_are_shown_and_rows_are_named_by_their_numbers(tmp_path: Path) -> None:
    made = book(HEADER, (1, "q", "a"), (), (12, "r", "b"), (None, None, None), ("", "  ", None))
    made.active["A2"].number_format = "000"
    rows = usable(saved(made, tmp_path))

    assert [(row.line, row.id, row.answer) for row in rows] == [(2, "001", "a"), (4, "12", "b")]


def test_a_title_above_the_header_and_text_beside_the_table_are_told(tmp_path: Path) -> None:
    made = book(("Golden questions of November",), (), ("Prompt", "Expected"), ("q", "a", None, "see mail"))
    made.active.merge_cells("A1:D1")
    path = saved(made, tmp_path)

    assert [(row.line, row.question) for row in usable(path)] == [(4, "q")]
    assert notes(path) == (
        "the columns are named in row 3; what stands above is not read",
        "text outside of the columns that the header names is left out: D4",
        "the column 'prompt' is taken for 'question'",
        "the column 'expected' is taken for 'answer'",
    )


def test_a_formula_without_its_value_skips_its_row_and_names_its_cell(tmp_path: Path) -> None:
    path = saved(book(HEADER, ("1", "q", "=1+1"), ("2", "r", "b"), ("3", "=B2&B3", "c")), tmp_path)

    assert [row.id for row in usable(path)] == ["2"]
    remedy = "open the workbook in a spreadsheet program and save it"
    assert skipped(path) == [
        (2, f"cell C2 holds a formula without its value ('=1+1'): {remedy}"),
        (4, f"cell B4 holds a formula without its value ('=B2&B3'): {remedy}"),
    ]


def test_merged_cells_say_the_same_of_every_row_where_they_are_no_rows_own(tmp_path: Path) -> None:
    made = book(HEADER, ("1", "q", "a", "sums"), ("2", "r", "b"), ("3", "s", "c"), ("4", "t", "d", "x"))
    made.active.merge_cells("D2:D4")

    assert [row.category for row in usable(saved(made, tmp_path))] == ["sums", "sums", "sums", "x"]


@pytest.mark.parametrize("cells", ["B2:B3", "C2:C3", "A2:A3", "B2:C2", "B1:C1", "D1:D2", "A3:E3"])
def test_merged_cells_that_take_a_rows_own_text_are_refused_by_their_address(tmp_path: Path, cells: str) -> None:
    made = book(HEADER, ("1", "q", "a", "sums"), ("2", "r", "b"))
    if cells == "B1:C1":
        made.active["C1"] = None
        made.active["D1"] = "answer"
    made.active.merge_cells(cells)

    with pytest.raises(UsageError, match=f"the cells {cells} of sheet 'Golden' are merged"):
        usable(saved(made, tmp_path))


def test_the_only_sheet_with_the_columns_is_read_and_said_so(tmp_path: Path) -> None:
    made = book(("Export summary",), title="Summary")
    sheet = made.create_sheet("Table 1")
    sheet.append(("question", "answer"))
    sheet.append(("q", "a"))
    hidden = made.create_sheet("Old")
    hidden.append(("question", "answer"))
    hidden.append(("old", "o"))
    hidden.sheet_state = "hidden"
    path = saved(made, tmp_path)

    assert [row.question for row in usable(path)] == ["q"]
    assert notes(path) == ("the sheet 'Table 1' is read, of 3", "hidden sheets are not read: 'Old'")
    named = read_golden(path, options=GoldenOptions(sheet="old"))
    assert [entry.question for entry in named.entries() if isinstance(entry, GoldenRow)] == ["old"]
    with pytest.raises(UsageError, match="no sheet 'New'; its sheets are 'Summary', 'Table 1', 'Old' \\(hidden\\)"):
        read_golden(path, options=GoldenOptions(sheet="New"))


def test_sheets_that_cannot_be_told_apart_are_refused_by_their_names(tmp_path: Path) -> None:
    made = book(("question", "answer"), ("q", "a"), title="A")
    made.create_sheet("B").append(("question", "answer"))
    assert refusal(saved(made, tmp_path)) == "2 of its sheets have 'question' and 'answer': 'A', 'B'"
    for sheet in made.worksheets[1:]:
        made.remove(sheet)
    made.create_sheet("C").append(("x", "y"))
    made["A"].sheet_state = "hidden"
    assert refusal(saved(made, tmp_path)) == "only its hidden sheets have 'question' and 'answer': 'A'"
    made.remove(made["A"])
    assert refusal(saved(made, tmp_path)) == (
        "it has no column 'question' and no column 'answer'; its columns are 'x', 'y'"
    )


CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/sharedStrings.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{0}" '
    'Target="{1}"/>{2}</Relationships>'
)
STRINGS = (
    '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" '
    'Target="sharedStrings.xml"/>'
)
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
WORKBOOK = (
    f'<workbook {MAIN} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
HEADER_CELLS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>question</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>answer</t></is></c></row>'
)
SHEETS = {
    # a size that is not true, texts in the cells themselves (as WPS and some exporters write)
    "wrong dimension": f'<worksheet {MAIN}><dimension ref="A1"/><sheetData>{HEADER_CELLS}'
    '<row r="2"><c r="A2" t="inlineStr"><is><t>q</t></is></c><c r="B2" t="inlineStr"><is><t>7</t></is></c></row>'
    "</sheetData></worksheet>",
    # no addresses at all
    "no addresses": f'<worksheet {MAIN}><sheetData><row><c t="inlineStr"><is><t>question</t></is></c>'
    '<c t="inlineStr"><is><t>answer</t></is></c></row><row><c t="inlineStr"><is><t>q</t></is></c><c><v>7</v></c></row>'
    "</sheetData></worksheet>",
    # rich text in shared strings, a formula with its value, gaps (as Excel and LibreOffice write)
    "shared strings": f'<worksheet {MAIN}><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c>'
    '<c r="B1" t="s"><v>1</v></c></row><row r="5"><c r="A5" t="s"><v>2</v></c><c r="B5"><f>3+4</f><v>7</v></c></row>'
    "</sheetData></worksheet>",
    # a formula whose value is an empty text is no formula without value
    "empty formula": f'<worksheet {MAIN}><sheetData>{HEADER_CELLS}<row r="2"><c r="A2" t="inlineStr"><is><t>q</t></is>'
    '</c><c r="B2"><v>7</v></c></row><row r="3"><c r="A3" t="str"><f>IF(1,"","x")</f><v></v></c></row>'
    "</sheetData></worksheet>",
    # a prefix for every element (as ClosedXML writes)
    "prefixed": '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
    '<x:row r="1"><x:c r="A1" t="str"><x:v>question</x:v></x:c><x:c r="B1" t="str"><x:v>answer</x:v></x:c></x:row>'
    '<x:row r="2"><x:c r="A2" t="str"><x:v>q</x:v></x:c><x:c r="B2"><x:v>7.0</x:v></x:c></x:row>'
    "</x:sheetData></x:worksheet>",
}
SHARED = (
    f"<sst {MAIN}><si><t>question</t></si><si><t>answer</t></si>"
    "<si><r><t>q</t></r><r><rPr><b/></rPr><t></t></r></si></sst>"
)


@pytest.mark.parametrize("dialect", SHEETS)
def test_other_programs_write_the_same_sheet_otherwise(tmp_path: Path, dialect: str) -> None:
    path = tmp_path / "golden.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS.format("officeDocument", "xl/workbook.xml", ""))
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format("worksheet", "worksheets/sheet1.xml", STRINGS))
        archive.writestr("xl/worksheets/sheet1.xml", SHEETS[dialect])
        archive.writestr("xl/sharedStrings.xml", SHARED)

    assert [(row.question, row.answer) for row in usable(path)] == [("q", "7")]
    assert skipped(path) == []


def test_a_workbook_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "golden.xlsx"
    path.write_bytes(b"PK\x03\x04" + bytes(200))

    assert refusal(path).startswith("it is no whole workbook")
    path.write_bytes(b"question,answer\nq,a\n")
    assert [row.answer for row in usable(path)] == ["a"]
    with pytest.raises(UsageError, match="no workbook, and so has no sheets"):
        read_golden(path, options=GoldenOptions(sheet="A"))


TEXTS = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        st.sampled_from("\n\t=;,\"' "),
    ),
    max_size=8,
)
VALUES = st.one_of(TEXTS, st.integers(-(10**12), 10**12), st.booleans(), st.none(), st.dates())


@settings(derandomize=True, max_examples=20, deadline=None, database=None)
@given(rows=st.lists(st.tuples(TEXTS, VALUES, VALUES), max_size=5))
def test_whatever_stands_in_a_sheet_every_row_is_read_or_told(rows: list[tuple[Any, ...]]) -> None:
    made = Workbook()
    sheet = made.active
    sheet.append(("question", "answer", "note"))
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        entries = _read(made)
    told = {entry.line: entry for entry in entries}
    for number, (question, answer, note) in enumerate(rows, start=2):
        is_empty = not any(str(value).strip() for value in (question, answer, note) if value is not None)
        entry = told.get(number)
        assert (entry is None) is is_empty
        if isinstance(entry, GoldenRow):
            assert _same(entry.question, question)
            assert entry.answer == "" or _same(entry.answer, answer)
        elif entry is not None:
            assert isinstance(entry, SkippedRow)
            assert not str(question).strip()


def _same(read: str, written: object) -> bool:
    shown = str(written).upper() if isinstance(written, bool) else str(written)
    return read == shown


def _read(made: Workbook) -> list[GoldenRow | SkippedRow]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "golden.xlsx"
        made.save(path)
        return list(read_golden(path).entries())
