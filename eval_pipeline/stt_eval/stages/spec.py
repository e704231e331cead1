"""The frozen specification of a speech run, claimed with the form that was filled in or read again."""

from functools import partial

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.specs import claim_or_find, store_spec
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval.estimate import estimate_run
from eval_pipeline.stt_eval.prepare import prepare_given
from eval_pipeline.stt_eval.spec import SttSpec


def make(task: Task) -> StageReader:
    """Claim the run's name with what was given, or read the frozen specification again."""
    key, deployment = task.key, task.deployment
    run, estimate = claim_or_find(
        task,
        prepare=partial(prepare_given, project=key.project, run=key.run, deployment=deployment),
        estimate=partial(estimate_run, deployment=deployment),
    )
    spec = SttSpec.from_json(run.spec)
    facts = {
        "mode": str(spec.mode),
        "models": [model.label for model in spec.models],
        "samples": spec.samples_count,
        "total_items_count": spec.total_items_count,
        "prompt_version": spec.prompt_version,
    }
    return store_spec(task, run=run, facts=facts, estimate=estimate)
