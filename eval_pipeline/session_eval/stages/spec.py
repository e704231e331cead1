"""The frozen specification of a run of sessions, claimed with the form that was filled in or read again."""

from functools import partial

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.panels.labels import note_labels
from eval_pipeline.runs.specs import claim_or_find, store_spec
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.estimate import estimate_run
from eval_pipeline.session_eval.prepare import prepare_given
from eval_pipeline.session_eval.spec import SessionSpec


def make(task: Task) -> StageReader:
    """Claim the run's name with what was given, or read the frozen specification again."""
    key, deployment = task.key, task.deployment
    run, estimate = claim_or_find(
        task,
        prepare=partial(prepare_given, project=key.project, run=key.run, deployment=deployment),
        estimate=partial(estimate_run, deployment=deployment),
    )
    spec = SessionSpec.from_json(run.spec)
    note_labels(deployment, key.project, spec.judges.panel)
    facts = {
        "mode": str(spec.mode),
        "scope": str(spec.scope),
        "sessions": spec.sessions_count,
        **({} if spec.anchors is None else {"anchors": f"{spec.anchors.name}, version {spec.anchors.number}"}),
        "panel": spec.judges.panel.version,
        "panel_fingerprint": spec.judges.panel.fingerprint,
        "experts": [f"{seat.id}: {seat.endpoint}/{seat.model}" for seat in spec.judges.seats],
    }
    return store_spec(task, run=run, facts=facts, estimate=estimate)
