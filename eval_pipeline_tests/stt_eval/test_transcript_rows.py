"""Rows of transcripts and scores, written to real stages and read back."""

from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import BilledCall, ItemError, ItemRecord, ItemStatus, Usage
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.protocols import GEMINI, OPENAI
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.tallies import ItemCost, missing_record
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.stages import StageStore
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.scoring.scores import score_samples
from eval_pipeline.stt_eval.tables import DATASET, SCORES, TRANSCRIPTS
from eval_pipeline.stt_eval.transcript_rows import Item, as_heard, item_id, items_of, transcript_row
from eval_pipeline_tests.storage.writing import allow

MODELS = (SpeechModel(GEMINI, "gemini-2.5-flash"), SpeechModel(OPENAI, "whisper-1"))
ERROR = ItemError(code="safety", type="finish_reason", message="the model stopped (SAFETY)", transient=False)
USAGE = Usage(input=100, cached_input=1, output=20, reasoning=3, total=120, audio_input=90)
FREE = ItemCost(Decimal(0))
Write = Callable[[str, pa.Schema, list[dict[str, Any]]], StageReader]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    stages = StageStore(LocalObjectStore(tmp_path / "store"), code_version="1")

    def write_rows(stage: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> StageReader:
        ref = StageRef(flow=Flow.STT, key=RunKey(project="default", run="first"), stage=stage)
        with stages.writer(ref, schema=schema, attempt=1, spec_hash="a" * 64, inputs={}, check=allow) as writer:
            writer.append(rows)
            writer.finish({})
        return stages.open(ref)

    return write_rows


def sample(number: int, reference: str | None = "एक दो") -> dict[str, Any]:
    return {
        "sample_id": f"clip {number}",
        "audio_sha256": f"{number:064d}",
        "audio_key": f"datasets/clips/{number}",
        "mime_type": "audio/wav",
        "format": "wav",
        "size_bytes": 10,
        "duration_s": 1.5,
        "sample_rate_hz": 16_000,
        "channels": 1,
        "reference": reference,
        "language": "hi",
        "file_name": f"{number}.wav",
        "metadata": "{}",
    }


def row(record: ItemRecord, cost: ItemCost = FREE) -> dict[str, Any]:
    return transcript_row(Item(record.item_id, sample(1), MODELS[0]), record, cost)


def test_every_pair_has_a_name_that_no_other_has(write: Write) -> None:
    dataset = write("dataset", DATASET, [sample(number) for number in range(3)])

    items = list(items_of(dataset, MODELS))

    assert [item.item_id for item in items] == [
        "s000001m01",
        "s000001m02",
        "s000002m01",
        "s000002m02",
        "s000003m01",
        "s000003m02",
    ]
    assert [(item.sample["sample_id"], item.model) for item in items[:2]] == [("clip 0", model) for model in MODELS]
    many = [item_id(number, model) for number in (1, 11, 111, 999_999, 1_000_000) for model in (1, 11, 50, 100)]
    assert len(set(many)) == len(many)


def test_a_transcript_is_kept_clean_and_as_it_was_said() -> None:
    said = "```\nTranscript: एक दो\n```"
    record = ItemRecord("s1", ItemStatus.OK, answer=said, usage=USAGE, model="gemini-2.5-flash-001", latency_s=0.5)

    found = row(record, ItemCost(Decimal("0.25")))

    assert (found["status"], found["outcome"]) == ("completed", "ok")
    assert (found["transcript"], found["raw_text"]) == ("एक दो", said)
    assert len(found["cleaned"]) == 2
    assert (found["input_tokens"], found["audio_input_tokens"], found["cost_usd"]) == (100, 90, Decimal("0.25"))
    assert (found["model"], found["returned_model"]) == ("gemini-2.5-flash", "gemini-2.5-flash-001")


def test_an_empty_answer_is_a_transcript_of_silence_and_no_error() -> None:
    silent = ItemRecord("s1", ItemStatus.EMPTY, error=ERROR, usage=USAGE, latency_s=0.5, attempts=3)

    found, heard = row(silent), as_heard(silent)

    assert (found["status"], found["outcome"], found["transcript"], found["raw_text"]) == ("completed", "empty", "", "")
    assert found["error_code"] is None
    assert (heard.status, heard.answer, heard.error) == (ItemStatus.OK, "", None)


def test_counting_an_empty_answer_as_one_loses_nothing_else_of_it() -> None:
    silent = ItemRecord(
        "s1",
        ItemStatus.EMPTY,
        error=ERROR,
        response_id="r1",
        model="m",
        usage=USAGE,
        retried=(BilledCall(USAGE),),
        unreported_calls=2,
        latency_s=0.5,
        attempts=3,
    )

    heard = as_heard(silent)

    kept = {field.name for field in fields(ItemRecord)} - {"status", "answer", "error"}
    assert {name: getattr(heard, name) for name in kept} == {name: getattr(silent, name) for name in kept}


def test_what_was_heard_or_failed_counts_as_it_is() -> None:
    for record in (ItemRecord("s1", ItemStatus.OK, answer="एक"), ItemRecord("s1", ItemStatus.REFUSED, error=ERROR)):
        assert as_heard(record) is record


@pytest.mark.parametrize("status", [ItemStatus.INCOMPLETE, ItemStatus.REFUSED, ItemStatus.MISSING, ItemStatus.FAILED])
def test_what_is_no_transcript_is_null_and_says_why(status: ItemStatus) -> None:
    found = row(ItemRecord("s1", status, partial_answer="एक", error=ERROR))

    assert (found["status"], found["outcome"]) == ("failed", str(status))
    assert (found["transcript"], found["raw_text"], found["cleaned"]) == (None, "एक", [])
    assert (found["error_code"], found["error_message"]) == ("safety", "the model stopped (SAFETY)")


def test_an_item_that_nothing_came_back_for_is_a_row() -> None:
    found = row(missing_record("s1"))

    assert (found["status"], found["outcome"], found["attempts"]) == ("failed", "missing", 0)


def transcripts(write: Write, dataset: StageReader) -> StageReader:
    """Write what two models made of every sample; the second one fails."""
    rows = [
        transcript_row(
            item,
            ItemRecord(item.item_id, ItemStatus.OK, answer="एक दो")
            if item.model == MODELS[0]
            else ItemRecord(item.item_id, ItemStatus.INCOMPLETE, partial_answer="एक", error=ERROR),
            FREE,
        )
        for item in items_of(dataset, MODELS)
    ]
    return write("transcripts", TRANSCRIPTS, rows)


def test_every_pair_is_scored_at_every_level_in_the_order_of_the_samples(write: Write) -> None:
    dataset = write("dataset", DATASET, [sample(1), sample(2, reference=None), sample(3, reference="")])

    scored = list(score_samples(dataset, transcripts(write, dataset), models=2, language=None))
    stored = write("scores", SCORES, [one for sample_scores in scored for one in sample_scores.rows])

    rows = list(stored.rows())
    assert len(rows) == 3 * 2 * 3
    assert [one["level"] for one in rows[:3]] == ["verbatim", "standard", "lenient"]
    assert [one["unscored_reason"] for one in rows[::3]] == [
        None,
        "failed",
        "no_reference",
        "no_reference",
        None,
        "failed",
    ]
    assert rows[0]["wer"] == 0
    assert rows[0]["hits"] == 2
    assert (rows[3]["reference_words"], rows[3]["hits"], rows[3]["flags"]) == (2, None, ["truncated"])
    assert (rows[12]["wer"], rows[12]["insertions_on_silence"]) == (None, 2)


@pytest.mark.parametrize(
    "samples",
    [[], [sample(2)], [sample(1), sample(1)], [sample(2), sample(1)], [sample(1), sample(2), sample(3)]],
)
def test_transcripts_of_other_samples_are_not_scored(write: Write, samples: list[dict[str, Any]]) -> None:
    heard = transcripts(write, write("dataset", DATASET, samples))
    now = write("dataset_now", DATASET, [sample(1), sample(2)])

    with pytest.raises(ConflictError) as caught:
        list(score_samples(now, heard, models=2, language=None))

    assert caught.value.code == "stages_do_not_match"
