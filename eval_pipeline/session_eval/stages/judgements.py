"""The ``judgements`` stage: every session by every expert, live or by batches; a row for each, always."""

from functools import partial

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.panels.stage import make_judgements
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval import tables
from eval_pipeline.session_eval.judged import STAGE, work_of


def make(task: Task, *, sessions: StageReader, judgement_batch: StageReader) -> StageReader | None:
    """Have judged what is not judged yet, then store every judgement; None while batches are out."""
    return make_judgements(
        task,
        STAGE,
        schema=tables.JUDGEMENTS,
        made_from=sessions,
        submitted=judgement_batch,
        work=partial(work_of, deployment=task.deployment, sessions=sessions),
    )
