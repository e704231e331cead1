"""Where versions of audio datasets lie: clips under their hashes, samples as Parquet, and a manifest written last.

datasets/{project}/{slug}/audio/{sha256}.{format}         shared by all versions of the dataset
datasets/{project}/{slug}/{version}/samples-{hash}.parquet
                                    original.csv          the manifest that was added
                                    manifest.json
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from eval_pipeline.core.datasets import DatasetVersion
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.stored_versions import checked_copy, create_manifest
from eval_pipeline.storage.columns import build_batch
from eval_pipeline.storage.manifests import sha256_of
from eval_pipeline.stt_eval.clips.audio_formats import AudioFormat
from eval_pipeline.stt_eval.clips.samples import Sample
from eval_pipeline.stt_eval.clips.stored_manifest import AudioManifest, find_audio_manifest, require_audio_manifest

SAMPLES = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("audio_sha256", pa.string(), nullable=False),
        pa.field("audio_key", pa.string(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("mime", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("duration_s", pa.float64()),
        pa.field("sample_rate_hz", pa.int64()),
        pa.field("channels", pa.int64()),
        pa.field("reference", pa.string()),
        pa.field("language", pa.string()),
        pa.field("file_name", pa.string(), nullable=False),
        pa.field("line", pa.int64()),
        pa.field("metadata", pa.string(), nullable=False),  # JSON object of the other columns
    ]
)
_GROUP_ROWS = 4_096
_GROUP_CHARACTERS = 8_388_608


def write_samples(samples: Iterable[Sample], path: Path) -> str:
    """Write samples as they come, group by group; return the sha256 of the file."""
    with pq.ParquetWriter(path, SAMPLES, compression="zstd") as writer:
        for group in _groups(samples):
            writer.write_batch(build_batch(group, SAMPLES))
    return sha256_of(path)


def _groups(samples: Iterable[Sample]) -> Iterator[list[JsonDict]]:
    """Cut the stream by rows and by characters: a few thousand long texts are a lot of memory."""
    group: list[JsonDict] = []
    characters = 0
    for sample in samples:
        row = _row(sample)
        group.append(row)
        characters += len(sample.reference or "") + len(row["metadata"])
        if len(group) == _GROUP_ROWS or characters > _GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _row(sample: Sample) -> JsonDict:
    return {
        "sample_id": sample.sample_id,
        "audio_sha256": sample.audio_sha256,
        "audio_key": sample.audio_key,
        "format": sample.format.value,
        "mime": sample.mime,
        "size_bytes": sample.size_bytes,
        "duration_s": sample.duration_s,
        "sample_rate_hz": sample.sample_rate_hz,
        "channels": sample.channels,
        "reference": sample.reference,
        "language": sample.language,
        "file_name": sample.file_name,
        "line": sample.line,
        "metadata": orjson.dumps(dict(sample.metadata)).decode(),
    }


def publish(
    objects: ObjectStore, manifest: AudioManifest, *, prefix: str, samples: Path, original: Path | None
) -> AudioManifest:
    """Store samples and original, then the manifest: nobody sees the version before it."""
    if original is not None and manifest.original_file is not None:
        objects.put_file(f"{prefix}/{manifest.original_file}", original)
    objects.put_file(f"{prefix}/{manifest.samples_file}", samples)
    stored = create_manifest(objects, prefix, asdict(manifest))
    return manifest if stored else find_audio_manifest(objects, prefix) or manifest


def audio_samples(objects: ObjectStore, dataset: DatasetVersion) -> Iterator[Sample]:
    """Stream the samples of a stored version in order; damaged bytes raise ``dataset_damaged``."""
    manifest = require_audio_manifest(objects, dataset)
    key = f"{dataset.prefix}/{manifest.samples_file}"
    with (
        checked_copy(objects, key, sha256=manifest.samples_sha256) as path,
        pq.ParquetFile(path, pre_buffer=False) as file,
    ):
        for batch in file.iter_batches(batch_size=_GROUP_ROWS):
            yield from map(_sample, batch.to_pylist())


def _sample(row: JsonDict) -> Sample:
    del row["mime"]
    return Sample(**{**row, "format": AudioFormat(row["format"]), "metadata": orjson.loads(row["metadata"])})
