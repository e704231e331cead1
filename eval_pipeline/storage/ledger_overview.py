"""Sessions with what their latest run came to, page by page.

A page without a filter of status reads its sessions by their index, and then what is known of these few, so that it
costs the same however many there are. A filter of status is answered in the same query as the page.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, not_, or_, true

from eval_pipeline.core.datasets import Page
from eval_pipeline.core.session_results import SessionStatus
from eval_pipeline.core.sessions import SessionRecord, SessionScope
from eval_pipeline.storage.ledger_database import LedgerTable, read_page
from eval_pipeline.storage.ledger_session_results import is_at_work
from eval_pipeline.storage.ledger_sessions import in_order, page_of, read_session, scoped_sessions
from eval_pipeline.storage.session_result_tables import session_results
from eval_pipeline.storage.session_tables import sessions


class OverviewTable(LedgerTable):
    """The ledger's sessions by how they stand."""

    def sessions_standing(
        self,
        *,
        project: str,
        scope: SessionScope,
        statuses: Collection[SessionStatus],
        instrument: str | None,
        limit: int,
        offset: int,
    ) -> Page[SessionRecord]:
        """List sessions that stand in one of these ways, in the order of every list.

        Args:
            project: whose.
            scope: which of them.
            statuses: none: all.
            instrument: digest of what they would be judged with; None: of whatever they were judged with last.
            limit: of the page.
            offset: of the page.
        """
        with self._database.read() as connection:
            if not statuses:
                return page_of(connection, project, scope, limit=limit, offset=offset)
            query = in_order(_standing(scoped_sessions(project, scope), statuses, instrument=instrument))
            return read_page(connection, query, limit=limit, offset=offset, read=read_session)


def _standing(query: Select[Any], statuses: Collection[SessionStatus], *, instrument: str | None) -> Select[Any]:
    result = session_results.c
    latest = and_(
        result.project == sessions.c.project, result.session_id == sessions.c.session_id, result.is_latest == true()
    )
    stands = _conditions(instrument)
    return query.outerjoin(session_results, latest).where(or_(*(stands[status] for status in statuses)))


def _conditions(instrument: str | None) -> dict[SessionStatus, ColumnElement[bool]]:
    """Return what tells each status: running before failed before stale before partial before evaluated."""
    result = session_results.c
    running = is_at_work(sessions.c.project, sessions.c.session_id)
    changed = or_(
        result.session_fingerprint != sessions.c.fingerprint,
        false() if instrument is None else result.instrument != instrument,
    )
    judged = and_(not_(running), result.id.is_not(None))
    stands = and_(judged, result.status != SessionStatus.FAILED.value)
    return {
        SessionStatus.RUNNING: running,
        SessionStatus.PENDING: and_(not_(running), result.id.is_(None)),
        SessionStatus.FAILED: and_(judged, result.status == SessionStatus.FAILED.value),
        SessionStatus.STALE: and_(stands, changed),
        SessionStatus.PARTIAL: and_(stands, not_(changed), result.status == SessionStatus.PARTIAL.value),
        SessionStatus.EVALUATED: and_(stands, not_(changed), result.status == SessionStatus.EVALUATED.value),
    }
