"""Brings the clips of a batch run to their provider and submits them; a fast run needs no provider job."""

from contextlib import ExitStack

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.runs.batches import submit_first_round
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval.batches import Recordings
from eval_pipeline.stt_eval.spec import SttSpec


def make(task: Task, *, dataset: StageReader) -> StageReader:
    """Bring the clips to the provider and submit them; note that a fast run needs no provider job."""
    with ExitStack() as held:

        def work(run: RunRecord) -> BatchWork:
            return held.enter_context(Recordings(task, SttSpec.from_json(run.spec), dataset)).work()

        return submit_first_round(
            task,
            "transcription_batch",
            inputs={"dataset": dataset},
            work=work,
        )
