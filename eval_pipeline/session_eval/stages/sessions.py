"""The sessions of a run, as they were when it was claimed: facts, the axes that apply, what addresses a judge."""

from collections.abc import Iterator
from typing import Final

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.judging.material import Material
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.panels.settling import canonical
from eval_pipeline.runs.panels.showing import hits_json
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval import session_feedback, session_store, tables
from eval_pipeline.session_eval.chosen import ChosenSession, read_chosen
from eval_pipeline.session_eval.contents import Contents
from eval_pipeline.session_eval.request import Feedback
from eval_pipeline.session_eval.sessions.facts import SessionFacts
from eval_pipeline.session_eval.sessions.material import applicable_axes
from eval_pipeline.session_eval.spec import SessionSpec

ROWS_AT_ONCE: Final = 500
_AROUND_A_LINE: Final = 60
"""Characters of label, nonce, speaker and escapes."""


def make(task: Task, *, spec: StageReader) -> StageReader:
    """Write a row for every session that the run judges."""
    deployment, ref = task.deployment, task.ref("sessions")
    inputs = {"spec": spec}
    with at_work(deployment, ref, schema=tables.SESSIONS, inputs=inputs, dagster_run_id=task.dagster_run_id) as stage:
        frozen = SessionSpec.from_json(stage.run.spec)
        counts = _Counts()
        chosen = [(one.session_id, one.fingerprint) for one in read_chosen(deployment, stage.run)]
        deployment.ledger.begin_sessions(task.key, [session_id for session_id, _ in chosen])
        contents = Contents(deployment, task.key.project, chosen)
        rows = _rows(task, frozen, read_chosen(deployment, stage.run), contents, counts)
        for some in chunks(rows, size=ROWS_AT_ONCE):
            stage.lease.check()
            stage.files.append(some)
        stage.files.finish(counts.told())
    return deployment.stages.open(ref)


class _Counts:
    def __init__(self) -> None:
        self.sessions = self.messages = self.flagged = 0

    def told(self) -> JsonDict:
        return {
            "sessions": self.sessions,
            "messages": self.messages,
            "flagged": self.flagged,
            "note": f"{counted(self.sessions, 'session')}; judged twice, for addressing a judge: {self.flagged:,}",
        }


def _rows(
    task: Task, spec: SessionSpec, chosen: Iterator[ChosenSession], contents: Contents, counts: _Counts
) -> Iterator[JsonDict]:
    for position, one in enumerate(chosen):
        material = contents.material(one.session_id)
        hits = hits_json(material)
        counts.sessions += 1
        counts.messages += one.message_count
        counts.flagged += bool(hits)
        facts = SessionFacts.from_json(one.facts)
        yield {
            "position": position,
            "session_id": one.session_id,
            "session_fingerprint": one.fingerprint,
            "profile_id": one.profile_id,
            "name": one.name,
            "created_at": one.created_at,
            "last_active": one.last_active,
            "message_count": one.message_count,
            "facts": canonical(facts.to_json()),
            "axes": canonical([axis.name for axis in applicable_axes(facts, spec.judges.panel.rubric)]),
            "hits": canonical(hits),
            "feedback": _feedback(task, spec, one.session_id),
            "shown_characters": _characters(material),
        }


def _feedback(task: Task, spec: SessionSpec, session_id: str) -> str | None:
    """Return what judges see of people's opinions, as it is now; None where they see nothing."""
    if spec.feedback is Feedback.HIDDEN:
        return None
    deployment, project = task.deployment, task.key.project
    likes, dislikes = session_feedback.thumbs(deployment, project, [session_id]).get(session_id, (0, 0))
    stored = session_store.find(deployment, project, session_id)
    outcome = None if stored is None else stored.outcome
    return canonical({"likes": likes, "dislikes": dislikes, "outcome": outcome})


def _characters(material: Material) -> int:
    return sum(_AROUND_A_LINE + len(part.head) + len(part.text) for part in material.parts)
