"""How far the experts agree with each other, with people, and beyond what length alone would say."""

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.task import Task


def make(task: Task, *, sessions: StageReader, judgements: StageReader, session_scores: StageReader) -> StageReader:
    """Compare what was judged with whoever else judged it."""
    deployment, ref = task.deployment, task.ref("agreement")
    inputs = {"sessions": sessions, "judgements": judgements, "session_scores": session_scores}
    with at_work(deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage:
        stage.files.finish({"agreement": {"axes": [], "predicted": []}})
    return deployment.stages.open(ref)
