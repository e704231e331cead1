"""The feedback table: what people said of results, appended entry by entry and gone only with the run."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from eval_pipeline.core.feedback import UNTOUCHED, Change, ErrorTag, FeedbackEntry
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.storage.ledger_database import LedgerTable
from eval_pipeline.storage.ledger_runs import run_not_found
from eval_pipeline.storage.ledger_schema import feedback, runs


class FeedbackTable(LedgerTable):
    """The ledger's feedback."""

    def add_feedback(self, entries: Sequence[FeedbackEntry]) -> None:
        """Append entries, all or none; raises ``run_not_found`` when a run of theirs is not there (any more)."""
        if not entries:
            return
        with self._database.write() as connection:
            for flow, key in sorted({(entry.flow, entry.key) for entry in entries}):
                _keep(connection, flow=flow, key=key)
            connection.execute(feedback.insert(), [_columns(entry) for entry in entries])

    def run_feedback(self, *, flow: Flow, key: RunKey) -> Sequence[FeedbackEntry]:
        """Return all entries of a run in the order in which they were recorded."""
        mine = (feedback.c.project == key.project, feedback.c.flow == flow.value, feedback.c.run == key.run)
        with self._database.read() as connection:
            rows = connection.execute(select(feedback).where(*mine).order_by(feedback.c.id))
            return [_entry(row) for row in rows]


def _keep(connection: Connection, *, flow: Flow, key: RunKey) -> None:
    """Keep a run from being deleted before the transaction ends: what is said of it would stay for another one."""
    mine = (runs.c.project == key.project, runs.c.flow == flow.value, runs.c.name == key.run)
    if connection.execute(select(runs.c.id).where(*mine).with_for_update(read=True)).one_or_none() is None:
        raise run_not_found(flow, key)


def _columns(entry: FeedbackEntry) -> dict[str, object]:
    parts = entry.change.parts
    return {
        "project": entry.key.project,
        "flow": entry.flow.value,
        "run": entry.key.run,
        "item_id": entry.item_id,
        "text_sha256": entry.text_sha256,
        "changed": list(parts),
        "is_correct": parts.get("is_correct"),
        "comment": parts.get("comment"),
        "tags": [tag.value for tag in parts.get("tags", ())],
        "reviewer": entry.reviewer,
        "judged_at": entry.judged_at,
    }


def _entry(row: Row[Any]) -> FeedbackEntry:
    return FeedbackEntry(
        flow=Flow(row.flow),
        key=RunKey(project=row.project, run=row.run),
        item_id=row.item_id,
        text_sha256=row.text_sha256,
        change=Change(
            is_correct=row.is_correct if "is_correct" in row.changed else UNTOUCHED,
            comment=row.comment if "comment" in row.changed else UNTOUCHED,
            tags=tuple(map(ErrorTag, row.tags)) if "tags" in row.changed else UNTOUCHED,
        ),
        reviewer=row.reviewer,
        judged_at=row.judged_at,
    )
