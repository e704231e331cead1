"""What a stored version of an audio dataset consists of, apart from its rows; read without pyarrow, for listings."""

from collections.abc import Mapping
from dataclasses import dataclass

from eval_pipeline.core.datasets import DatasetVersion
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.stored_versions import dataset_missing, read_manifest

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class AudioManifest:
    """The manifest of a version, written last."""

    schema_version: int
    samples: int
    samples_file: str
    samples_sha256: str
    original_file: str | None
    """The manifest that was added; None for a folder."""
    encoding: str
    clips: int
    """Distinct ones: samples with the same bytes share one."""
    size_bytes: int
    """Of the distinct clips."""
    duration_s: float
    """Of all samples whose duration is known."""
    unknown_durations: int
    labelled: int
    """With a reference, silence included."""
    unlabelled: int
    silent: int
    """Labelled as silence: the reference is blank."""
    languages: Mapping[str, int]
    """Samples by language tag; ``und`` (undetermined) for none."""
    formats: Mapping[str, int]
    warnings: tuple[str, ...]


def find_audio_manifest(objects: ObjectStore, prefix: str) -> AudioManifest | None:
    """Return the manifest of a version that is completely stored, or None."""
    stored = read_manifest(objects, prefix, forms=(SCHEMA_VERSION,))
    return None if stored is None else AudioManifest(**{**stored, "warnings": tuple(stored["warnings"])})


def require_audio_manifest(objects: ObjectStore, dataset: DatasetVersion) -> AudioManifest:
    """Return the manifest of a recorded version, or raise ``dataset_missing``."""
    manifest = find_audio_manifest(objects, dataset.prefix)
    if manifest is None:
        raise dataset_missing(objects, dataset, what="samples")
    return manifest
