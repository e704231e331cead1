"""Exports of speech runs: a line per sample and model, with everything that is known of it."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.reporting.export_files import ExportFormat
from eval_pipeline.stt_eval.report.data import ShownVerdict
from eval_pipeline.stt_eval.report.export import export_rows
from eval_pipeline_tests.memory_stages import MemoryStage
from eval_pipeline_tests.stt_eval.report.speech_runs import NOW, Answer, Given, speech_run, stored_stages

GIVEN = [
    Given("एक, दो", ["एक दो", "=cmd()"], metadata={"district": "Gaya", "model": "of phone"}),
    Given("", ["Thank you", Answer(code="SAFETY", message="blocked", outcome="refused")]),
]


def stages() -> tuple[MemoryStage, MemoryStage, MemoryStage]:
    return stored_stages(speech_run(GIVEN).samples)


def exported(path: Path, **verdicts: ShownVerdict) -> list[dict[str, str]]:
    dataset, transcripts, scores = stages()
    export_rows(
        dataset=dataset,
        transcripts=transcripts,
        scores=scores,
        path=path,
        file_format=ExportFormat.CSV,
        verdicts=verdicts,
    )
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_result_is_a_line_with_the_rates_of_every_level(tmp_path: Path) -> None:
    rows = exported(tmp_path / "a.csv")

    assert [(row["sample_id"], row["model"]) for row in rows] == [
        ("clip-01", "gemini-2.5-flash"),
        ("clip-01", "whisper-1"),
        ("clip-02", "gemini-2.5-flash"),
        ("clip-02", "whisper-1"),
    ]
    first, _, silent, failed = rows
    assert [first[f"{level}_wer"] for level in ("verbatim", "standard", "lenient")] == ["0.5", "0.0", "0.0"]
    assert (first["verbatim_substitutions"], first["standard_hits"]) == ("1", "2")
    assert (silent["standard_wer"], silent["standard_insertions_on_silence"]) == ("", "2")
    assert (failed["unscored_reason"], failed["error_message"], failed["transcript"]) == ("failed", "blocked", "")


def test_metadata_follows_and_cannot_take_the_name_of_a_column(tmp_path: Path) -> None:
    row = exported(tmp_path / "a.csv")[0]

    assert (row["district"], row["model"], row["metadata_model"]) == ("Gaya", "gemini-2.5-flash", "of phone")


def test_nothing_becomes_a_formula(tmp_path: Path) -> None:
    assert exported(tmp_path / "a.csv")[1]["transcript"] == "'=cmd()"


def test_verdicts_stand_in_their_lines(tmp_path: Path) -> None:
    said = ShownVerdict(is_correct=False, comment="no", tags=("name", "number"), reviewer="asha", judged_at=NOW)
    rows = exported(tmp_path / "a.csv", s000001m02=said)

    names = ("is_correct", "error_tags", "comment", "reviewer", "judged_at", "verdict_is_stale")
    assert [rows[1][name] for name in names] == ["false", "name number", "no", "asha", NOW.isoformat(), "false"]
    assert [rows[0][name] for name in names] == [""] * 6


@pytest.mark.parametrize("file_format", [ExportFormat.JSONL, ExportFormat.PARQUET])
def test_other_formats_keep_texts_and_types(tmp_path: Path, file_format: ExportFormat) -> None:
    dataset, transcripts, scores = stages()
    path = tmp_path / f"a.{file_format}"

    count = export_rows(dataset=dataset, transcripts=transcripts, scores=scores, path=path, file_format=file_format)

    rows = (
        pq.read_table(path).to_pylist()
        if file_format is ExportFormat.PARQUET
        else [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    )
    assert count == len(rows) == 4
    assert (rows[1]["transcript"], rows[1]["standard_exact_match"], float(rows[1]["cost_usd"])) == (
        "=cmd()",
        False,
        1e-4,
    )


def test_transcripts_without_scores_can_be_exported(tmp_path: Path) -> None:
    dataset, transcripts, _ = stages()
    path = tmp_path / "a.jsonl"

    export_rows(dataset=dataset, transcripts=transcripts, scores=None, path=path, file_format=ExportFormat.JSONL)

    row = json.loads(path.read_text("utf-8").splitlines()[0])
    assert (row["transcript"], row["flags"], row["standard_wer"]) == ("एक दो", None, None)


def test_stages_of_different_runs_are_refused(tmp_path: Path) -> None:
    dataset, transcripts, scores = stages()
    others = stored_stages(speech_run(GIVEN[:1]).samples)

    for samples, levels in ((others[0], scores), (dataset, others[2])):
        with pytest.raises(ConflictError, match="not of the samples and scores"):
            export_rows(
                dataset=samples,
                transcripts=transcripts,
                scores=levels,
                path=tmp_path / "a.csv",
                file_format=ExportFormat.CSV,
            )
    assert list(tmp_path.iterdir()) == []
