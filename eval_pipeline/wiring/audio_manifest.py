"""What a stored version of an audio dataset consists of, apart from its rows; read without pyarrow, for listings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from eval_pipeline.core.datasets import DatasetVersion
from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.names import shown
from eval_pipeline.core.ports import ObjectStore

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
    try:
        stored: dict[str, Any] = orjson.loads(objects.read(f"{prefix}/manifest.json"))
    except NotFoundError:
        return None
    if stored["schema_version"] != SCHEMA_VERSION:
        raise ConflictError(
            f"dataset {prefix} is stored in form {stored['schema_version']}, this version reads form {SCHEMA_VERSION}",
            code="dataset_unreadable",
            hint="use the version of eval-pipeline that wrote it, or a newer one",
        )
    return AudioManifest(**{**stored, "warnings": tuple(stored["warnings"])})


def require_audio_manifest(objects: ObjectStore, dataset: DatasetVersion) -> AudioManifest:
    """Return the manifest of a recorded version, or raise ``dataset_missing``."""
    manifest = find_audio_manifest(objects, dataset.prefix)
    if manifest is not None:
        return manifest
    raise NotFoundError(
        f"the samples of dataset {shown(dataset.name)} are not where the ledger says ({objects.url(dataset.prefix)})",
        code="dataset_missing",
        hint="check that the store is the one in which the dataset was added",
    )
