"""From a request to a claimed speech run: everything that can be checked without paying is checked here, in one order.

Dataset, configuration, type, transport, keys, name: the command line and the Dagster form give the same answers.
"""

from dataclasses import replace

from eval_pipeline.core.datasets import DatasetKind, DatasetVersion
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey, shown, validate_project
from eval_pipeline.core.runs import RunMode
from eval_pipeline.runs.claims import Prepared, choose_concurrency, choose_failure_threshold, find_dataset_of
from eval_pipeline.stt_eval.clips.stored_manifest import require_audio_manifest
from eval_pipeline.stt_eval.figures.speakers import check_speaker_column
from eval_pipeline.stt_eval.prompts import choose_prompt
from eval_pipeline.stt_eval.rates import mode_of
from eval_pipeline.stt_eval.request import AudioTransport, SttRequest
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.endpoints import Endpoints


def prepare_given(
    given: Json, /, *, project: str, run: str, deployment: Deployment, needs_key: bool = True
) -> Prepared[SttSpec]:
    """Check what a person set, by whatever way."""
    request = SttRequest.from_mapping(given, endpoints=deployment.endpoints(validate_project(project)))
    return prepare(request, project=project, run=run, deployment=deployment, needs_key=needs_key)


def prepare(
    request: SttRequest, *, project: str, run: str, deployment: Deployment, needs_key: bool = True
) -> Prepared[SttSpec]:
    """Check a request against datasets and settings; nothing is paid, nothing is written.

    Args:
        request: what a person asks for.
        project: whose run it is.
        run: its name.
        deployment: where datasets are.
        needs_key: whether a provider will be called; an estimate needs no key.
    """
    dataset = find_dataset_of(DatasetKind.STT, deployment=deployment, project=project, reference=request.dataset)
    frozen = _freeze(request, dataset=dataset, deployment=deployment)
    endpoints = deployment.endpoints(project)
    asked = [(model.endpoint, model.name) for model in frozen.models]
    spec = replace(frozen, endpoints=endpoints.frozen(asked))
    _check_offered(spec, endpoints)
    _check_batches(spec)
    _check_transport(spec, deployment=deployment)
    require_audio_manifest(deployment.objects, dataset)
    if spec.speaker_column is not None:
        from eval_pipeline.stt_eval.clips.store import audio_samples  # noqa: PLC0415 - pyarrow: only where it is asked

        check_speaker_column(
            spec.speaker_column, (sample.metadata for sample in audio_samples(deployment.objects, dataset))
        )
    if needs_key:
        for name in spec.asked_endpoints:
            endpoints.find(name).require_key()
    return Prepared(key=RunKey.of(project=project, run=run), dataset=dataset, spec=spec)


def _freeze(request: SttRequest, *, dataset: DatasetVersion, deployment: Deployment) -> SttSpec:
    settings = deployment.settings
    threshold = choose_failure_threshold(request.failure_threshold, mode=request.mode, settings=settings)
    concurrency = choose_concurrency(request.concurrency, settings=settings)
    prompt, version = choose_prompt(request.prompt)
    return SttSpec(
        dataset_name=dataset.name,
        dataset_version=dataset.version,
        samples_count=dataset.original_items_count,
        mode=request.mode,
        models=request.models,
        prompt=prompt,
        prompt_version=version,
        language=request.language,
        audio_transport=request.audio_transport,
        failure_threshold=threshold,
        concurrency=concurrency,
        speaker_column=request.speaker_column,
    )


def _check_offered(spec: SttSpec, endpoints: Endpoints) -> None:
    """Refuse a model of an endpoint whose protocol takes no recordings."""
    for name in spec.asked_endpoints:
        endpoint = endpoints.find(name)
        if endpoint.plan.transcriber is None:
            raise models.not_offered(endpoint, "transcriptions")


def _check_batches(spec: SttSpec) -> None:
    """Refuse a batch run of which nothing could go out as a batch."""
    if spec.mode is RunMode.FAST or any(mode_of(model, spec) is RunMode.BATCH for model in spec.models):
        return
    raise UsageError(
        f"no batch API takes audio for {shown(spec.models[0].label)}",
        code="config_type_unsupported",
        hint="use --mode fast; in a batch run beside a Gemini model such models are asked live, too",
    )


def _check_transport(spec: SttSpec, *, deployment: Deployment) -> None:
    """Try to sign before anything is claimed."""
    if spec.mode is RunMode.BATCH and spec.audio_transport is AudioTransport.SIGNED_URL:
        deployment.objects.signed_url("probe", expires_s=deployment.settings.stt_signed_url_seconds)
