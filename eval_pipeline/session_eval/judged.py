"""A run of sessions as work for a panel: which items, what judges are shown of them, what their rows look like."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

import orjson

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.judging.material import Material
from eval_pipeline.runs.panels.cells import PanelItem
from eval_pipeline.runs.panels.work import PanelWork
from eval_pipeline.session_eval.contents import Contents
from eval_pipeline.session_eval.request import Feedback
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment

STAGE = "judgements"
_COLUMNS = ("session_id", "session_fingerprint", "axes", "hits", "feedback", "shown_characters")
_BEHIND_FINGERPRINT = "|"


def work_of(run: RunRecord, *, deployment: Deployment, sessions: StageReader) -> PanelWork:
    """Say what a run has judged."""
    spec = SessionSpec.from_json(run.spec)
    project = run.key.project
    rows = list(sessions.rows(list(_COLUMNS)))
    feedback = {row["session_id"]: row["feedback"] for row in rows if row["feedback"] is not None}

    contents = Contents(deployment, project, [(row["session_id"], row["session_fingerprint"]) for row in rows])

    def material(item: PanelItem) -> Material:
        return _with_feedback(contents.material(item.item_id), feedback.get(item.item_id))

    return PanelWork(
        stage=STAGE,
        judges=spec.judges,
        endpoints=spec.endpoints,
        mode=spec.mode,
        concurrency=spec.concurrency,
        failure_threshold=spec.failure_threshold,
        items=[_item(row, asked_anew=run.key.run if spec.anchors is not None else None) for row in rows],
        material=material,
        row=judgement_row,
        feedback_visible=spec.feedback is Feedback.SHOWN,
    )


def _item(row: Row, *, asked_anew: str | None) -> PanelItem:
    """Return what is judged.

    Args:
        row: of ``tables.SESSIONS``.
        asked_anew: the run that takes over no judgement of another one, and shares what it pays with its retries alone.
    """
    shown = _as_shown(row["session_fingerprint"], row["feedback"])
    return PanelItem(
        item_id=row["session_id"],
        fingerprint=shown if asked_anew is None else f"{shown}{_BEHIND_FINGERPRINT}run:{asked_anew}",
        axes=tuple(orjson.loads(row["axes"])),
        flagged=row["hits"] != "[]",
        characters=row["shown_characters"],
    )


def _as_shown(fingerprint: str, feedback: str | None) -> str:
    """Return what tells what a judge sees: of a run that shows people's opinions, they are part of it."""
    if feedback is None:
        return fingerprint
    return f"{fingerprint}{_BEHIND_FINGERPRINT}feedback:{sha256(feedback.encode()).hexdigest()}"


def _content_of(item: PanelItem) -> str:
    """Return the fingerprint of the session alone."""
    return item.fingerprint.partition(_BEHIND_FINGERPRINT)[0]


def _with_feedback(material: Material, feedback: str | None) -> Material:
    """Tell a judge what people thought, and what was verified, as facts."""
    if feedback is None:
        return material
    told = orjson.loads(feedback)
    outcome = told["outcome"]
    facts = {
        "likes_by_people": told["likes"],
        "dislikes_by_people": told["dislikes"],
        "verified_outcome": None if outcome is None else orjson.dumps(outcome).decode(),
    }
    return replace(material, facts={**material.facts, **facts})


def judgement_row(item: PanelItem, row: Row) -> JsonDict:
    """Return the row of ``tables.JUDGEMENTS``."""
    cost = row["cost_usd"]
    return {
        **row,
        "session_id": item.item_id,
        "session_fingerprint": _content_of(item),
        "cost_usd": None if cost is None else Decimal(cost),
        "created_at": datetime.fromisoformat(row["created_at"]),
    }
