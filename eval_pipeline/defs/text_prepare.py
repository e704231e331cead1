"""The stages before anything is paid: the frozen specification, the frozen items, and the notes of what is live."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.defs.text_batches import Questions, Texts
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.runs.at_work import at_work, content_sha256
from eval_pipeline.runs.batches import submit_first_round
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.runs.specs import claim_or_find, store_spec
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.dataset import expand
from eval_pipeline.text_eval.spec import TextRequest, TextSpec
from eval_pipeline.wiring import text_runs
from eval_pipeline.wiring.golden_store import golden_rows
from eval_pipeline.wiring.text_estimate import estimate_run

ROWS_AT_ONCE = 2_000
NOT_COMPARED = "no scorer compares embeddings"


def record_spec(task: Task, *, given: Mapping[str, Any]) -> StageReader:
    """Claim the run's name with what was given, or read the frozen specification again."""
    run, estimate = claim_or_find(
        task, given=given, prepare=partial(_prepare, task), estimate=partial(estimate_run, deployment=task.deployment)
    )
    spec = TextSpec.from_json(run.spec)
    facts = {
        "mode": str(spec.mode),
        "model": spec.model,
        "original_items_count": spec.original_items_count,
        "duplication_factor": spec.repeats,
        "total_items_count": spec.total_items_count,
    }
    return store_spec(task, run=run, facts=facts, estimate=estimate)


def _prepare(task: Task, given: Mapping[str, Any]) -> Prepared[TextSpec]:
    request = TextRequest.from_mapping(given)
    return text_runs.prepare(request, project=task.key.project, run=task.key.run, deployment=task.deployment)


def make_dataset(task: Task, *, spec: StageReader) -> StageReader:
    """Pin the dataset version and expand its repeats; from here on, ids never change."""
    deployment, ref = task.deployment, task.ref("dataset")
    with at_work(
        deployment, ref, schema=tables.DATASET, inputs={"spec": spec}, dagster_run_id=task.dagster_run_id
    ) as stage:
        pinned = TextSpec.from_json(stage.run.spec)
        version = deployment.ledger.pinned_dataset(
            project=task.key.project, name=pinned.dataset_name, version=pinned.dataset_version
        )
        rows = expand(golden_rows(deployment.objects, version), repeats=pinned.repeats)
        for chunk in chunks(rows, size=ROWS_AT_ONCE):
            stage.files.append(chunk)
        stage.files.finish(
            {
                "dataset": version.name,
                "dataset_version": version.version,
                "original_items_count": pinned.original_items_count,
                "total_items_count": pinned.total_items_count,
                "duplication_factor": pinned.repeats,
                "skipped_rows_count": version.skipped_rows_count,
                "skipped_rows": [{"line": row.line, "reason": row.reason} for row in version.skipped_rows],
                "encoding": version.encoding,
                "warnings": list(version.warnings),
            }
        )
    return deployment.stages.open(ref)


def make_response_batch(task: Task, *, dataset: StageReader) -> StageReader:
    """Submit the questions of a batch run; note that a fast run needs no provider job."""

    def work(run: RunRecord) -> BatchWork:
        return Questions(task, TextSpec.from_json(run.spec), dataset).work()

    return submit_first_round(
        task,
        "response_batch",
        inputs={"dataset": dataset},
        made_from=content_sha256(dataset.manifest),
        work=work,
    )


def make_embedding_batch(task: Task, *, dataset: StageReader, responses: StageReader) -> StageReader:
    """Submit the texts of a batch run; note that a fast run needs no provider job."""

    def work(run: RunRecord) -> BatchWork | str:
        spec = TextSpec.from_json(run.spec)
        return Texts(task, spec, dataset, responses).work() if spec.needs_embeddings else NOT_COMPARED

    return submit_first_round(
        task,
        "embedding_batch",
        inputs={"responses": responses},
        made_from=content_sha256(responses.manifest),
        work=work,
    )
