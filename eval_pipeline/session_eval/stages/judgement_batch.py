"""Submits the judgements of a batch run, at every provider of its panel; a fast run needs no provider job."""

from functools import partial

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.panels.stage import submit_judgements
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.judged import work_of


def make(task: Task, *, sessions: StageReader) -> StageReader:
    """Submit what is to be judged first; note that a fast run needs no provider job."""
    return submit_judgements(
        task,
        "judgement_batch",
        inputs={"sessions": sessions},
        work=partial(work_of, deployment=task.deployment, sessions=sessions),
    )
