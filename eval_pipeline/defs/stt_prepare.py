"""The stages of the speech flow before anything is transcribed: the specification, the samples, the first round."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import orjson

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.defs.stt_batches import Recordings
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.runs.at_work import at_work, content_sha256
from eval_pipeline.runs.batches import submit_first_round
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.runs.specs import claim_or_find, store_spec
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.clips.samples import Sample
from eval_pipeline.stt_eval.spec import SttRequest, SttSpec
from eval_pipeline.wiring import stt_runs
from eval_pipeline.wiring.audio_manifest import require_audio_manifest
from eval_pipeline.wiring.audio_store import audio_samples
from eval_pipeline.wiring.stt_estimate import estimate_run

ROWS_AT_ONCE = 2_000


def record_spec(task: Task, *, given: Mapping[str, Any]) -> StageReader:
    """Claim the run's name with what was given, or read the frozen specification again."""
    run, estimate = claim_or_find(
        task, given=given, prepare=partial(_prepare, task), estimate=partial(estimate_run, deployment=task.deployment)
    )
    spec = SttSpec.from_json(run.spec)
    facts = {
        "mode": spec.mode_name,
        "models": [model.label for model in spec.models],
        "samples": spec.samples_count,
        "total_items_count": spec.total_items_count,
        "prompt_version": spec.prompt_version,
    }
    return store_spec(task, run=run, facts=facts, estimate=estimate)


def _prepare(task: Task, given: Mapping[str, Any]) -> Prepared[SttSpec]:
    request = SttRequest.from_mapping(given)
    return stt_runs.prepare(request, project=task.key.project, run=task.key.run, deployment=task.deployment)


def make_dataset(task: Task, *, spec: StageReader) -> StageReader:
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


def _row(sample: Sample) -> dict[str, Any]:
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


def make_transcription_batch(task: Task, *, dataset: StageReader) -> StageReader:
    """Bring the clips to the provider and submit them; note that a live run needs no provider job."""
    with ExitStack() as held:

        def work(run: RunRecord) -> BatchWork:
            return held.enter_context(Recordings(task, SttSpec.from_json(run.spec), dataset)).work()

        return submit_first_round(
            task,
            "transcription_batch",
            inputs={"dataset": dataset},
            made_from=content_sha256(dataset.manifest),
            work=work,
        )
