"""Scores of every session in Langfuse, on the session that it knows by the same id; without its keys, nothing.

Ids are made of project, session, its content and the panel: what is sent again replaces what is there.
"""

import uuid
from collections.abc import Iterator
from typing import Final

import orjson

from eval_pipeline.core.documents import Row
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.tracing import SessionScore, TraceScore
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.models import open_score_sink

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/eval-pipeline/session-score")
MEAN: Final = "session_mean"
_NUMERIC: Final = "NUMERIC"


def make(task: Task, *, sessions: StageReader, session_scores: StageReader) -> StageReader | None:
    """Deliver every score of every session; again without duplicates. None where Langfuse is off."""
    if not task.credentials.traces_to_langfuse:
        task.say("Langfuse is off: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set")
        return None
    deployment, ref = task.deployment, task.ref("traces")
    inputs = {"sessions": sessions, "session_scores": session_scores}
    with at_work(
        deployment, ref, schema=None, inputs=inputs, dagster_run_id=task.dagster_run_id, optional=True
    ) as stage:
        sink = open_score_sink(task.credentials)
        delivered = sink.send_scores(_scores(stage.run, session_scores))
        stage.files.finish({"langfuse": task.credentials.langfuse_base_url, "counts": {"scores": delivered}})
    return deployment.stages.open(ref)


def _scores(run: RunRecord, session_scores: StageReader) -> Iterator[SessionScore]:
    panel = SessionSpec.from_json(run.spec).judges.panel
    for row in session_scores.rows():
        means = {MEAN: row["mean"], **{name: axis["mean"] for name, axis in orjson.loads(row["axes"]).items()}}
        for name, mean in means.items():
            if mean is not None:
                score_id = _score_id(run, row, name, panel.fingerprint)
                comment = f"panel {panel.version}, run {run.key.run}"
                yield SessionScore(
                    row["session_id"], TraceScore(score_id, name, mean, _NUMERIC, comment), at=run.created_at
                )


def _score_id(run: RunRecord, row: Row, name: str, panel_fingerprint: str) -> str:
    told = (run.key.project, row["session_id"], row["session_fingerprint"], panel_fingerprint, name)
    return str(uuid.uuid5(NAMESPACE, "|".join(told)))
