"""Clips of stored samples as providers are given them."""

from functools import partial

from eval_pipeline.core.documents import Row
from eval_pipeline.core.ports.models import Clip
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.stored_versions import checked_copy

_SHOWN_DIGITS = 16


def clip_of(objects: ObjectStore, sample: Row) -> Clip:
    """Return the clip of a row of ``stt_eval.tables.DATASET``; its bytes are checked whenever it is opened."""
    sha256: str = sample["audio_sha256"]
    return Clip(
        sha256=sha256,
        mime_type=sample["mime_type"],
        size_bytes=sample["size_bytes"],
        name=f"{sha256[:_SHOWN_DIGITS]}.{sample['format']}",
        open=partial(checked_copy, objects, sample["audio_key"], sha256=sha256),
    )
