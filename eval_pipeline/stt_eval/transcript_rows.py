"""What became of every clip at every model, as rows: the cleaned transcript, the raw text, or why there is none.

A model that answers with nothing has heard nothing: that is a transcript, and the right one of a silent clip. An answer
that was cut, blocked or refused is none; its text is kept beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.record_columns import call_columns, error_columns
from eval_pipeline.core.tallies import ItemCost
from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.language.cleaning import clean_transcript
from eval_pipeline.stt_eval.models import SpeechModel

COMPLETED, FAILED = "completed", "failed"
HEARD = frozenset({ItemStatus.OK, ItemStatus.EMPTY})


@value
class Item:
    """One clip for one model."""

    item_id: str
    sample: Row
    """Row of ``tables.DATASET``."""
    model: SpeechModel


def item_id(sample_number: int, model_number: int) -> str:
    """Name a sample and a model of a run, both counted from 1.

    >>> item_id(1, 2), item_id(1_319_000, 10)
    ('s000001m02', 's1319000m10')
    """
    return f"s{sample_number:06d}m{model_number:02d}"


def items_of(dataset: StageReader, models: Sequence[SpeechModel]) -> Iterator[Item]:
    """Yield every pair of a run, sample by sample."""
    for number, sample in enumerate(dataset.rows(), start=1):
        for position, model in enumerate(models, start=1):
            yield Item(item_id(number, position), sample, model)


def as_heard(record: ItemRecord) -> ItemRecord:
    """Count an empty answer as one: the model said that there is nothing to hear."""
    if record.status is not ItemStatus.EMPTY:
        return record
    return replace(record, status=ItemStatus.OK, answer="", partial_answer=None, error=None, raw=None)


def transcript_row(item: Item, record: ItemRecord, cost: ItemCost) -> JsonDict:
    """Return the row of ``tables.TRANSCRIPTS``."""
    heard = record.status in HEARD
    raw = "" if record.status is ItemStatus.EMPTY else record.answer
    cleaned = clean_transcript(raw) if heard and raw is not None else None
    return {
        "item_id": item.item_id,
        "sample_id": item.sample["sample_id"],
        "model": item.model.label,
        "provider": item.model.endpoint,
        "status": COMPLETED if heard else FAILED,
        "outcome": str(record.status),
        "transcript": cleaned.text if cleaned else None,
        "raw_text": raw if heard else record.partial_answer,
        "cleaned": [str(removed) for removed in cleaned.removed] if cleaned else [],
        **error_columns(None if heard else record.error),
        **call_columns(record, cost),
        "returned_model": record.model,
        "audio_input_tokens": record.usage.audio_input if record.usage else None,
    }
