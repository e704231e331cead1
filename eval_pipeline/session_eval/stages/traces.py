"""Scores of every session in Langfuse; without its keys the run goes without them."""

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.task import Task


def make(task: Task, *, sessions: StageReader, session_scores: StageReader) -> StageReader | None:
    """Deliver nothing where no keys are set."""
    del sessions, session_scores
    task.say("no scores are delivered to Langfuse")
    return None
