"""The frozen specification of a text run, claimed with the form that was filled in or read again."""

from functools import partial

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.specs import claim_or_find, store_spec
from eval_pipeline.runs.task import Task
from eval_pipeline.text_eval.estimate import estimate_run
from eval_pipeline.text_eval.prepare import prepare_given
from eval_pipeline.text_eval.spec import TextSpec


def make(task: Task) -> StageReader:
    """Claim the run's name with what was given, or read the frozen specification again."""
    key, deployment = task.key, task.deployment
    run, estimate = claim_or_find(
        task,
        prepare=partial(prepare_given, project=key.project, run=key.run, deployment=deployment),
        estimate=partial(estimate_run, deployment=deployment),
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
