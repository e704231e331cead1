"""Freezes the samples of a run: clips, references, languages, under ids that never change again."""

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.clips.samples import Sample
from eval_pipeline.stt_eval.clips.store import audio_samples
from eval_pipeline.stt_eval.clips.stored_manifest import require_audio_manifest
from eval_pipeline.stt_eval.spec import SttSpec

ROWS_AT_ONCE = 2_000


def make(task: Task, *, spec: StageReader) -> StageReader:
    """Pin the samples of the dataset version; from here on, ids never change."""
    deployment, ref = task.deployment, task.ref("dataset")
    with at_work(
        deployment, ref, schema=tables.DATASET, inputs={"spec": spec}, dagster_run_id=task.dagster_run_id
    ) as stage:
        pinned = SttSpec.from_json(stage.run.spec)
        version = deployment.ledger.pinned_dataset(
            project=task.key.project, name=pinned.dataset_name, version=pinned.dataset_version
        )
        for chunk in chunks(map(_row, audio_samples(deployment.objects, version)), size=ROWS_AT_ONCE):
            stage.files.append(chunk)
        manifest = require_audio_manifest(deployment.objects, version)
        stage.files.finish(
            {
                "dataset": version.name,
                "dataset_version": version.version,
                "samples": manifest.samples,
                "clips": manifest.clips,
                "audio_hours": manifest.duration_s / 3_600,
                "without_duration": manifest.unknown_durations,
                "labelled": manifest.labelled,
                "unlabelled": manifest.unlabelled,
                "silent": manifest.silent,
                "languages": dict(manifest.languages),
                "formats": dict(manifest.formats),
                "warnings": list(manifest.warnings),
            }
        )
    return deployment.stages.open(ref)


def _row(sample: Sample) -> JsonDict:
    return {
        "sample_id": sample.sample_id,
        "audio_sha256": sample.audio_sha256,
        "audio_key": sample.audio_key,
        "mime_type": sample.mime,
        "format": str(sample.format),
        "size_bytes": sample.size_bytes,
        "duration_s": sample.duration_s,
        "sample_rate_hz": sample.sample_rate_hz,
        "channels": sample.channels,
        "reference": sample.reference,
        "language": sample.language,
        "file_name": sample.file_name,
        "metadata": orjson.dumps(dict(sample.metadata)).decode(),
    }
