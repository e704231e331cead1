"""A speech run's results as one table for spreadsheets and scripts: a line per sample and model."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.endpoints import NO_ENDPOINTS, Endpoints
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.reporting import answered_by
from eval_pipeline.reporting.answered_by import AnsweredBy
from eval_pipeline.reporting.export_columns import ExportTable, metadata_keys
from eval_pipeline.reporting.export_files import ExportFormat, write_table
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.report.data import ShownVerdict
from eval_pipeline.stt_eval.scoring.scores import SampleRows

_HEARD = ("item_id", "sample_id", "model", "provider")
_SAMPLE = ("file_name", "language", "duration_s", "audio_sha256", "reference")
_ANSWER = ("transcript", "status", "outcome")
_RATES = ("wer", "cer", "hits", "substitutions", "deletions", "insertions", "reference_words")
_CHARACTERS = (
    "character_hits",
    "character_substitutions",
    "character_deletions",
    "character_insertions",
    "reference_characters",
)
_HEADLINE_ONLY = ("wip", "mer", "exact_match", "insertions_on_silence")
_CALLED = (
    "raw_text",
    "error_code",
    "error_type",
    "error_message",
    "input_tokens",
    "audio_input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
    "cost_usd",
    "latency_s",
    "attempts",
    "returned_model",
    "response_id",
    "endpoint",
)
_JUDGED = (
    pa.field("is_correct", pa.bool_()),
    pa.field("error_tags", pa.string()),
    pa.field("comment", pa.string()),
    pa.field("reviewer", pa.string()),
    pa.field("judged_at", pa.string()),
    pa.field("verdict_is_stale", pa.bool_()),
    pa.field("comment_by", pa.string()),
    pa.field("error_tags_by", pa.string()),
    pa.field("other_verdicts", pa.string()),
)


def export_rows(
    *,
    dataset: StageReader,
    transcripts: StageReader,
    scores: StageReader | None,
    endpoints: Endpoints = NO_ENDPOINTS,
    samples: SampleRows | None = None,
    path: Path,
    file_format: ExportFormat,
    bom: bool = False,
    verdicts: Mapping[str, ShownVerdict] | None = None,
) -> int:
    """Write one line per sample and model, in the order of the dataset; return the number of lines."""
    table = export_table(metadata_keys(dataset))
    judged, asked = verdicts or {}, AnsweredBy(endpoints)
    rows = (
        export_row(table, sample, heard, levels, verdict=judged.get(heard["item_id"]), asked=asked)
        for sample, heard, levels in side_by_side(samples or dataset, transcripts, scores)
    )
    return write_table(rows, table.schema, path=path, file_format=file_format, bom=bom)


def export_table(metadata: tuple[str, ...]) -> ExportTable:
    """Name the columns of an export of samples with this metadata."""
    fields = [
        *_fields(tables.TRANSCRIPTS, _HEARD),
        *_fields(tables.DATASET, _SAMPLE),
        *_fields(tables.TRANSCRIPTS, _ANSWER),
        pa.field("flags", pa.string()),
        pa.field("unscored_reason", pa.string()),
        *(tables.SCORES.field(name).with_name(f"{level}_{name}") for level in Level for name in _scored(level)),
        *_JUDGED,
        *_fields(tables.TRANSCRIPTS, _CALLED),
        *answered_by.FIELDS,
    ]
    return ExportTable.of(fields, metadata=metadata)


def export_row(
    table: ExportTable,
    sample: Row,
    heard: Row,
    levels: Sequence[Row] | None,
    *,
    verdict: ShownVerdict | None,
    asked: AnsweredBy,
) -> JsonDict:
    """Put one result into the columns.

    Args:
        table: as ``export_table`` made it.
        sample: row of ``tables.DATASET``.
        heard: row of ``tables.TRANSCRIPTS``.
        levels: its rows of ``tables.SCORES`` in the order of the levels; None where nothing was scored.
        verdict: of people; None where there is none.
        asked: the endpoints of the run.
    """
    values = [
        *(heard[name] for name in _HEARD),
        *(sample[name] for name in _SAMPLE),
        *(heard[name] for name in _ANSWER),
        *_score_values(levels),
        *_verdict_values(verdict),
        *(heard.get(name) for name in _CALLED),  # the first version had no endpoints
        *asked.values(heard.get("endpoint")),
        *table.metadata_values(sample["metadata"]),
    ]
    return table.row(values)


def _scored(level: Level) -> tuple[str, ...]:
    return (*_RATES, *_CHARACTERS, *(_HEADLINE_ONLY if level is Level.STANDARD else ()))


def _score_values(levels: Sequence[Row] | None) -> Iterator[Any]:
    yield None if levels is None else " ".join(levels[0]["flags"])
    yield None if levels is None else levels[0]["unscored_reason"]
    for position, level in enumerate(Level):
        for name in _scored(level):
            yield None if levels is None else levels[position][name]


def _verdict_values(verdict: ShownVerdict | None) -> Iterator[Any]:
    if verdict is None:
        yield from [None] * len(_JUDGED)
        return
    yield verdict.is_correct
    yield " ".join(verdict.tags)
    yield verdict.comment
    yield verdict.reviewer
    yield verdict.judged_at.isoformat()
    yield verdict.stale
    yield verdict.comment_by and verdict.comment_by.reviewer
    yield verdict.tags_by and verdict.tags_by.reviewer
    yield "; ".join(f"{name}: {'yes' if right else 'no'}" for name, right in verdict.others) or None


def side_by_side(
    dataset: SampleRows, transcripts: StageReader, scores: StageReader | None
) -> Iterator[tuple[Row, Row, Sequence[Row] | None]]:
    """Bring every transcript together with its sample, which stands for as many as there are models, and its scores."""
    samples, scored = dataset.rows(), None if scores is None else scores.rows()
    sample: Row | None = None
    for heard in transcripts.rows():
        while sample is None or sample["sample_id"] != heard["sample_id"]:
            sample = next(samples, None)
            if sample is None:
                raise _mismatch(transcripts)
        yield sample, heard, None if scored is None else _levels_of(heard, scored, transcripts)


def _levels_of(heard: Row, scored: Iterator[Row], transcripts: StageReader) -> list[Row]:
    levels = [row for _, row in zip(Level, scored, strict=False)]
    if [(row["item_id"], row["level"]) for row in levels] != [(heard["item_id"], str(level)) for level in Level]:
        raise _mismatch(transcripts)
    return levels


def _mismatch(transcripts: StageReader) -> ConflictError:
    return ConflictError(
        f"{transcripts.manifest.stage} is not of the samples and scores that the run has now",
        code="stages_do_not_match",
        hint="materialize scores of the run again: what is stored is not paid for twice",
    )


def _fields(schema: pa.Schema, names: Sequence[str]) -> list[pa.Field]:
    return [schema.field(name) for name in names]
