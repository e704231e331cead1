"""A run of sessions as work for a panel: which items, what judges are shown of them, what their rows look like."""

from datetime import datetime
from decimal import Decimal

import orjson

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import shown
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.judging.material import Material
from eval_pipeline.runs.panels.cells import PanelItem
from eval_pipeline.runs.panels.work import PanelWork
from eval_pipeline.session_eval.chosen import session_store
from eval_pipeline.session_eval.request import Feedback
from eval_pipeline.session_eval.sessions.material import material_of
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment

STAGE = "judgements"
_COLUMNS = ("session_id", "session_fingerprint", "axes", "hits", "shown_characters")


def work_of(run: RunRecord, *, deployment: Deployment, sessions: StageReader) -> PanelWork:
    """Say what a run has judged."""
    spec = SessionSpec.from_json(run.spec)
    project = run.key.project
    return PanelWork(
        stage=STAGE,
        judges=spec.judges,
        endpoints=spec.endpoints,
        mode=spec.mode,
        concurrency=spec.concurrency,
        failure_threshold=spec.failure_threshold,
        items=[_item(row) for row in sessions.rows(list(_COLUMNS))],
        material=lambda item: stored_material(deployment, project, item.item_id, item.fingerprint),
        row=judgement_row,
        feedback_visible=spec.feedback is Feedback.SHOWN,
    )


def stored_material(deployment: Deployment, project: str, session_id: str, fingerprint: str) -> Material:
    """Read what judges are shown of a session, as it was when the run was claimed.

    Raises:
        NotFoundError: ``session_gone``, of one that somebody deleted or had forgotten since.
    """
    store = session_store()
    stored = store.find(deployment, project, session_id, fingerprint=fingerprint)
    if stored is None:
        raise NotFoundError(
            f"project {project} no longer has session {shown(session_id)} as the run was claimed with it",
            code="session_gone",
            hint="start another run: it judges what is there now",
        )
    return material_of(store.content(deployment, stored))


def _item(row: Row) -> PanelItem:
    return PanelItem(
        item_id=row["session_id"],
        fingerprint=row["session_fingerprint"],
        axes=tuple(orjson.loads(row["axes"])),
        flagged=row["hits"] != "[]",
        characters=row["shown_characters"],
    )


def judgement_row(item: PanelItem, row: Row) -> JsonDict:
    """Return the row of ``tables.JUDGEMENTS``."""
    cost = row["cost_usd"]
    return {
        **row,
        "session_id": item.item_id,
        "session_fingerprint": item.fingerprint,
        "cost_usd": None if cost is None else Decimal(cost),
        "created_at": datetime.fromisoformat(row["created_at"]),
    }
