"""From a request to a claimed text run: everything that can be checked without paying is checked here, in one order.

Dataset, configuration, type, size, name: the command line and the Dagster form give the same answers.
"""

from dataclasses import replace

from eval_pipeline.core.configuration import check_range
from eval_pipeline.core.counting import counted
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey, shown
from eval_pipeline.core.recorded import RECORDED
from eval_pipeline.core.runs import RunMode
from eval_pipeline.runs.claims import (
    Prepared,
    check_budget,
    check_priced,
    choose_concurrency,
    choose_failure_threshold,
    find_dataset_of,
)
from eval_pipeline.text_eval.choice import check_offered, choose_embedding, choose_model, require_provider, usual_mode
from eval_pipeline.text_eval.golden_store import GoldenManifest, require_manifest
from eval_pipeline.text_eval.recorded_answers import FoundAnswers, find_answers
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.scoring.scorers import parse_scorers
from eval_pipeline.text_eval.spec import (
    DEFAULT_SCORERS,
    TextSpec,
    build_model_body,
    check_dimensions,
    embeds,
)
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.endpoints import Endpoints


def prepare_given(
    given: Json, /, *, project: str, run: str, deployment: Deployment, needs_key: bool = True
) -> Prepared[TextSpec]:
    """Check what a person set, by whatever way."""
    request = TextRequest.from_mapping(given)
    return prepare(
        request,
        project=project,
        run=run,
        deployment=deployment,
        needs_key=needs_key,
        chooses_mode=given.get("mode") is None,
    )


def prepare(
    request: TextRequest,
    *,
    project: str,
    run: str,
    deployment: Deployment,
    needs_key: bool = True,
    chooses_mode: bool = False,
) -> Prepared[TextSpec]:
    """Check a request against datasets and settings; nothing is paid, nothing is written.

    Args:
        request: what a person asks for.
        project: whose run it is.
        run: its name.
        deployment: where datasets are.
        needs_key: whether a provider will be called; an estimate needs no key.
        chooses_mode: whether nobody said how it is asked.
    """
    dataset = find_dataset_of(DatasetKind.TEXT, deployment=deployment, project=project, reference=request.dataset)
    endpoints = deployment.endpoints(project)
    found = find_answers(request, dataset=dataset, deployment=deployment)
    if chooses_mode and found is None:
        request = replace(request, mode=usual_mode(request, endpoints))
    frozen = _freeze(request, dataset=dataset, deployment=deployment, endpoints=endpoints, found=found)
    spec = replace(frozen, endpoints=endpoints.frozen(frozen.asked_models))
    check_budget(request.max_cost_usd)
    require_provider(request, endpoints)
    check_offered(spec, endpoints)
    _check_size(spec, dataset=dataset, deployment=deployment)
    _check_scorable(spec, require_manifest(deployment.objects, dataset))
    if needs_key:
        _require_keys(spec, endpoints)
    tariffs = (models.tariff(spec.endpoints[name], model, mode=spec.mode) for name, model in spec.asked_models)
    check_priced(request.max_cost_usd, tariffs)
    key = RunKey.of(project=project, run=run)
    handed_in, notes = (None, ()) if found is None else (found.handed_in, found.notes)
    return Prepared(
        key=key, dataset=dataset, spec=spec, max_cost_usd=request.max_cost_usd, handed_in=handed_in, notes=notes
    )


def _freeze(
    request: TextRequest,
    *,
    dataset: DatasetVersion,
    deployment: Deployment,
    endpoints: Endpoints,
    found: FoundAnswers | None,
) -> TextSpec:
    settings = deployment.settings
    default_repeats = dataset.duplication_factor if found is None else found.repeats
    repeats = default_repeats if request.repeats is None else request.repeats
    check_range("repeats", value=repeats, low=1, high=settings.max_duplication_factor)
    threshold = choose_failure_threshold(request.failure_threshold, mode=request.mode, settings=settings)
    concurrency = choose_concurrency(request.concurrency, settings=settings)
    if found is None:
        endpoint, body = choose_model(request, endpoints)
    else:
        endpoint, body = RECORDED, build_model_body(request, default_model=found.model)
    embedding = choose_embedding(request.embedding_model, answering=endpoint, endpoints=endpoints)
    if request.embedding_dimensions is not None:
        check_dimensions(request.embedding_dimensions, model=embedding.model)
    return TextSpec(
        dataset_name=dataset.name,
        dataset_version=dataset.version,
        original_items_count=dataset.original_items_count,
        repeats=int(repeats),
        mode=request.mode,
        endpoint=endpoint,
        model_body=body,
        embedding_endpoint=embedding.endpoint or embeds(embedding.model),
        embedding_model=embedding.model,
        embedding_dimensions=request.embedding_dimensions,
        scorers=parse_scorers(request.scorers or DEFAULT_SCORERS),
        failure_threshold=threshold,
        concurrency=concurrency,
        recorded=None if found is None else found.frozen,
    )


def _require_keys(spec: TextSpec, endpoints: Endpoints) -> None:
    """Raise unless everybody can be asked; of recorded answers that is whoever embeds, and nobody has to."""
    for name in spec.endpoints:
        try:
            endpoints.find(name).require_key()
        except UsageError as error:
            if spec.recorded is None:
                raise
            without = "or score the recorded answers without embeddings, and nobody is asked: --scorer contains"
            raise UsageError(error.message, code=error.code, hint=f"{error.hint}; {without}") from None


def _check_scorable(spec: TextSpec, manifest: GoldenManifest) -> None:
    """Refuse a run none of whose answers could be scored, before anything is paid."""
    if manifest.without_golden_count < manifest.rows or not all(one.scorer.needs_golden for one in spec.scorers):
        return
    names = ", ".join(one.score_name for one in spec.scorers)
    raise UsageError(
        f"none of the {counted(manifest.rows, 'row')} of dataset {shown(spec.dataset_name)} has a golden "
        f"answer, and {names} "
        "cannot score without one",
        code="golden_missing",
        hint="add golden answers, or score by what needs none: --scorer regex:PATTERN",
    )


def _check_size(spec: TextSpec, *, dataset: DatasetVersion, deployment: Deployment) -> None:
    if spec.mode is not RunMode.FAST or not spec.asked_models:
        return
    if models.answer_mode(spec.answers_at, mode=RunMode.BATCH) is RunMode.FAST:
        return  # an endpoint without batches has no other way
    settings = deployment.settings
    if not dataset.eligible_for_fast(settings.fast_max_unique_rows):
        raise UsageError(
            f"dataset {shown(dataset.name)} has {counted(dataset.original_items_count, 'question')}, "
            f"a fast run may have {settings.fast_max_unique_rows:,}",
            code="dataset_too_large_for_fast",
            hint="raise EVAL_FAST_MAX_UNIQUE_ROWS, or choose a smaller dataset",
        )
    if dataset.size_bytes > settings.fast_max_file_bytes:
        raise UsageError(
            f"the file of dataset {shown(dataset.name)} has {dataset.size_bytes:,} bytes, "
            f"a fast run may have {settings.fast_max_file_bytes:,}",
            code="dataset_too_large_for_fast",
            hint="raise EVAL_FAST_MAX_FILE_BYTES, or choose a smaller dataset",
        )
