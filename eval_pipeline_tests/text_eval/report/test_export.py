import codecs
import csv
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.reporting.export_files import ExportFormat, export_format
from eval_pipeline.text_eval.report.export import export_grouped, export_rows
from eval_pipeline_tests.memory_stages import MemoryStage
from eval_pipeline_tests.text_eval.tables import (
    answered,
    asked,
    dataset_stage,
    responses_stage,
    scored,
    scores_stage,
)

Export = Callable[..., int]
FORMATS = list(ExportFormat)
ITEMS = [
    asked(1, 1, category="maths", metadata='{"source": "web", "status": "draft"}'),
    asked(1, 2, category="maths", metadata='{"source": "web", "status": "draft"}'),
    asked(2, 1, question='=HYPERLINK("http://x")', golden_answer="a\r\nb", metadata='{"नोट": "-5"}'),
    asked(2, 2, question='=HYPERLINK("http://x")', golden_answer="a\r\nb", metadata='{"नोट": "-5"}'),
]
RESPONSES = [
    answered(
        ITEMS[0],
        'multi\nline, "quoted" \u2028 हिन्दी',
        model="gpt-5-2026",
        response_id="resp_1",
        input_tokens=10,
        cached_input_tokens=2,
        output_tokens=5,
        reasoning_tokens=1,
        total_tokens=15,
        latency_s=0.25,
        attempts=2,
        cost_usd=Decimal("0.000012300000000000"),
    ),
    answered(ITEMS[1], None, error_code="rate_limit_exceeded", error_message="=too many\nrequests"),
    answered(ITEMS[2], "-5"),
    answered(ITEMS[3], "@SUM(A1)", partial_answer="@SU"),
]
SCORES = [
    row
    for item, cosine, exact in zip(ITEMS, (0.1 + 0.2, None, -1.5, 0.5), (1.0, None, 0.0, 0.0), strict=True)
    for row in (
        scored(item, "cosine_similarity", cosine, unscoreable_reason="response_failed" if cosine is None else None),
        scored(
            item,
            "exact_match",
            exact,
            unscoreable_reason="response_failed" if exact is None else None,
            comment="=it differs" if exact == 0 else None,
        ),
    )
]
SCORE_COLUMNS = [f"{name}{end}" for name in ("cosine_similarity", "exact_match") for end in ("", "_reason", "_comment")]
ROW_COLUMNS = [
    *("item_id", "question_id", "repeat", "category", "question", "golden_answer"),
    *("answer", "partial_answer", "status"),
    *SCORE_COLUMNS,
    *("error_code", "error_message", "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens"),
    *("total_tokens", "cost_usd", "latency_s", "attempts", "model", "response_id", "endpoint"),
    *("service_tier", "thinking", "endpoint_protocol", "endpoint_account"),
    *("source", "metadata_status", "नोट"),
]
SCORES_STAGE = scores_stage(*SCORES)


def exported(
    export: Export, path: Path, *, scores: MemoryStage | None = SCORES_STAGE, bom: bool = False
) -> list[dict[str, Any]]:
    """Export the run above and read the file back with the plainest reader there is."""
    count = export(
        dataset=dataset_stage(*ITEMS),
        responses=responses_stage(*RESPONSES),
        scores=scores,
        path=path,
        file_format=export_format(path),
        bom=bom,
    )
    rows = read_back(path)
    assert count == len(rows)
    return rows


def read_back(path: Path) -> list[dict[str, Any]]:
    match export_format(path):
        case ExportFormat.CSV:
            with path.open(encoding="utf-8-sig", newline="") as file:
                return list(csv.DictReader(file))
        case ExportFormat.JSONL:
            return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
        case ExportFormat.PARQUET:
            rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
            return rows
        case ExportFormat.XLSX:
            header, *lines = load_workbook(path).worksheets[0].iter_rows(values_only=True)
            return [dict(zip(map(str, header), line, strict=True)) for line in lines]


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_has_one_line_per_item_with_the_same_columns(tmp_path: Path, file_format: ExportFormat) -> None:
    rows = exported(export_rows, tmp_path / f"out.{file_format}")

    assert list(rows[0]) == ROW_COLUMNS
    assert [row["item_id"] for row in rows] == ["q000001#1", "q000001#2", "q000002#1", "q000002#2"]


def test_a_csv_keeps_newlines_and_numbers_and_defuses_formulas(tmp_path: Path) -> None:
    first, failed, third, fourth = exported(export_rows, tmp_path / "out.csv")

    assert first["answer"] == 'multi\nline, "quoted" \u2028 हिन्दी'
    assert (first["cosine_similarity"], first["cost_usd"], first["attempts"]) == (
        "0.30000000000000004",
        "0.0000123",
        "2",
    )
    assert (failed["answer"], failed["status"], failed["cosine_similarity"]) == ("", "failed", "")
    assert (failed["cosine_similarity_reason"], failed["error_message"]) == ("response_failed", "'=too many\nrequests")
    assert (third["question"], third["golden_answer"]) == ('\'=HYPERLINK("http://x")', "a\r\nb")
    assert (third["answer"], third["cosine_similarity"], third["नोट"]) == ("-5", "-1.5", "-5")
    assert (fourth["answer"], fourth["source"]) == ("'@SUM(A1)", "")
    assert (first["source"], first["metadata_status"]) == ("web", "draft")
    assert (fourth["partial_answer"], fourth["exact_match_comment"]) == ("'@SU", "'=it differs")


def test_pandas_reads_the_csv_with_numbers_as_numbers(tmp_path: Path) -> None:
    exported(export_rows, tmp_path / "out.csv")
    frame = pd.read_csv(tmp_path / "out.csv")

    assert len(frame) == 4
    assert frame["cosine_similarity"].tolist()[2:] == [-1.5, 0.5]
    assert frame["cosine_similarity"].isna().tolist() == [False, True, False, False]
    assert frame["input_tokens"].sum() == 10


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_other_formats_hold_the_untouched_values(tmp_path: Path, suffix: str) -> None:
    first, failed, third, fourth = exported(export_rows, tmp_path / f"out.{suffix}")

    assert (third["question"], fourth["answer"], third["golden_answer"]) == (
        '=HYPERLINK("http://x")',
        "@SUM(A1)",
        "a\r\nb",
    )
    assert (failed["answer"], failed["cosine_similarity"], failed["cost_usd"]) == (None, None, None)
    assert (first["cosine_similarity"], float(first["cost_usd"]), first["repeat"]) == (0.1 + 0.2, 0.0000123, 1)
    assert (first["नोट"], third["source"]) == (None, None)
    assert (first["partial_answer"], fourth["partial_answer"]) == (None, "@SU")
    assert (first["exact_match_comment"], third["exact_match_comment"]) == (None, "=it differs")


def test_parquet_keeps_costs_exact(tmp_path: Path) -> None:
    assert exported(export_rows, tmp_path / "out.parquet")[0]["cost_usd"] == Decimal("0.0000123")


@pytest.mark.parametrize("file_format", FORMATS)
def test_grouped_exports_have_one_line_per_question(tmp_path: Path, file_format: ExportFormat) -> None:
    rows = exported(export_grouped, tmp_path / f"out.{file_format}")

    assert list(rows[0]) == [
        *("question_id", "category", "question", "golden_answer", "answer_1", "answer_2", "status_1", "status_2"),
        *(f"{name}_{end}" for name in ("cosine_similarity", "exact_match") for end in ("1", "2", "mean", "std")),
        *("source", "status", "नोट"),
    ]
    assert [row["question_id"] for row in rows] == ["q000001", "q000002"]


def test_a_question_has_the_mean_and_the_population_deviation_of_its_scored_repeats(tmp_path: Path) -> None:
    first, second = exported(export_grouped, tmp_path / "out.jsonl")

    assert (first["status_1"], first["status_2"], first["answer_2"]) == ("ok", "failed", None)
    assert (first["exact_match_1"], first["exact_match_2"]) == (1.0, None)
    assert (first["exact_match_mean"], first["exact_match_std"]) == (1.0, 0.0)
    assert (second["cosine_similarity_mean"], second["cosine_similarity_std"]) == (-0.5, 1.0)


def test_a_question_without_any_score_has_no_mean(tmp_path: Path) -> None:
    unscored = scores_stage(*(scored(item, "exact_match", None) for item in ITEMS))
    rows = exported(export_grouped, tmp_path / "out.jsonl", scores=unscored)

    assert {(row["exact_match_mean"], row["exact_match_std"]) for row in rows} == {(None, None)}


@pytest.mark.parametrize("export", [export_rows, export_grouped])
def test_a_run_without_scores_has_no_score_columns(tmp_path: Path, export: Export) -> None:
    rows = exported(export, tmp_path / "out.jsonl", scores=None)

    assert not [column for column in rows[0] if "cosine" in column or "exact" in column]


def test_the_byte_order_mark_is_there_when_asked_for(tmp_path: Path) -> None:
    exported(export_rows, tmp_path / "plain.csv")
    exported(export_rows, tmp_path / "excel.csv", bom=True)

    plain, excel = ((tmp_path / name).read_bytes() for name in ("plain.csv", "excel.csv"))
    assert plain.startswith(b"item_id,")
    assert excel == codecs.BOM_UTF8 + plain


def test_column_names_from_the_dataset_are_defused_too(tmp_path: Path) -> None:
    item = asked(1, metadata='{"=1+1": "x"}')
    export_rows(
        dataset=dataset_stage(item),
        responses=responses_stage(answered(item)),
        scores=None,
        path=tmp_path / "out.csv",
        file_format=ExportFormat.CSV,
    )

    assert list(read_back(tmp_path / "out.csv")[0])[-1] == "'=1+1"


def test_a_line_says_in_which_protocol_and_under_which_account_its_address_was_asked(tmp_path: Path) -> None:
    items = [asked(number) for number in (1, 2, 3)]
    addresses = ("https://a.example/v1/", "https://elsewhere.example/v1", None)
    frozen = {"openai": FrozenEndpoint(ApiProtocol.OPENAI_RESPONSES, base_url="https://a.example/v1", account="4f2a")}
    export_rows(
        dataset=dataset_stage(*items),
        responses=responses_stage(
            *(answered(item, endpoint=address) for item, address in zip(items, addresses, strict=True))
        ),
        scores=None,
        endpoints=frozen,
        path=tmp_path / "out.jsonl",
        file_format=ExportFormat.JSONL,
    )

    assert [(row["endpoint_protocol"], row["endpoint_account"]) for row in read_back(tmp_path / "out.jsonl")] == [
        ("openai_responses", "4f2a"),
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize("export", [export_rows, export_grouped])
@pytest.mark.parametrize("file_format", FORMATS)
def test_stages_that_do_not_match_leave_an_earlier_export_untouched(
    tmp_path: Path, export: Export, file_format: ExportFormat
) -> None:
    path = tmp_path / f"out.{file_format}"
    path.write_text("earlier")

    with pytest.raises(ConflictError, match="stage responses does not belong"):
        export(
            dataset=dataset_stage(*ITEMS),
            responses=responses_stage(*RESPONSES[:3]),
            scores=None,
            path=path,
            file_format=file_format,
        )
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(path.name, "earlier")]


ENDLESS = 5_000


class EndlessStage(MemoryStage):
    """A stage that could not be held in memory, cut off by the test."""

    __slots__ = ()

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        for number in range(1, ENDLESS + 1):
            item = asked(number)
            empty = dict.fromkeys(self.table.schema.names)
            row = item if self.manifest.stage.stage == "dataset" else {**empty, **answered(item)}
            yield row if columns is None else {name: row[name] for name in columns}


@pytest.mark.parametrize("file_format", FORMATS)
def test_large_runs_are_written_as_they_are_read(tmp_path: Path, file_format: ExportFormat) -> None:
    dataset, responses = dataset_stage(), responses_stage()
    count = export_rows(
        dataset=EndlessStage(dataset.manifest, dataset.table),
        responses=EndlessStage(responses.manifest, responses.table),
        scores=None,
        path=tmp_path / "out",
        file_format=file_format,
    )

    assert count == ENDLESS
