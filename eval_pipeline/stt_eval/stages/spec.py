"""The frozen specification of a speech run, claimed with the form that was filled in or read again."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.runs.specs import claim_or_find, store_spec
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval.estimate import estimate_run
from eval_pipeline.stt_eval.prepare import prepare
from eval_pipeline.stt_eval.spec import SttRequest, SttSpec


def make(task: Task) -> StageReader:
    """Claim the run's name with what was given, or read the frozen specification again."""
    run, estimate = claim_or_find(
        task, prepare=partial(_prepare, task), estimate=partial(estimate_run, deployment=task.deployment)
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
    return prepare(request, project=task.key.project, run=task.key.run, deployment=task.deployment)
