"""Recorded sessions: a row each, as it came in last; earlier contents, parts of the store, people's thumbs beside.

A hundred thousand sessions come in at once, so that rows are written many to a statement and read without conversion.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from eval_pipeline.core.datasets import Page
from eval_pipeline.core.sessions import (
    Arrival,
    ContentPlace,
    KnownSession,
    SessionRecord,
    SessionScope,
    SessionThumb,
    arrival_of,
)
from eval_pipeline.storage.ledger_database import LedgerTable, read_page
from eval_pipeline.storage.session_result_tables import session_ratings, sessions_at_work
from eval_pipeline.storage.session_tables import (
    session_contents,
    session_counts,
    session_parts,
    session_thumbs,
    sessions,
)

_AT_ONCE: Final = 500
"""Sessions named in one statement."""
_WRITING, _WHOLE, _WITHDRAWN = "writing", "whole", "withdrawn"


class SessionTable(LedgerTable):
    """The ledger's recorded sessions."""

    def known_sessions(self, *, project: str, session_ids: Collection[str]) -> Mapping[str, KnownSession]:
        """Return what is known of those that there are or were."""
        with self._database.read() as connection:
            return {session_id: _known(row) for session_id, row in _stored(connection, project, session_ids).items()}

    def begin_part(self, *, project: str, key: str) -> None:
        """Note that an object with contents is about to be written."""
        row = {"project": project, "key": key, "state": _WRITING, "begun_at": self._now()}
        with self._database.write() as connection:
            connection.execute(insert(session_parts), [row])

    def record_sessions(
        self, *, project: str, key: str, sessions: Sequence[SessionRecord]
    ) -> Mapping[str, Arrival] | None:
        """Record sessions whose contents were written under ``key``, in one transaction.

        Earlier contents stay, for audit. Returns what each was; None, and nothing is recorded, when the part was
        withdrawn meanwhile.
        """
        try:
            with self._database.write() as connection:
                return self._record(connection, project=project, key=key, coming=sessions)
        except IntegrityError:  # PostgreSQL: another process recorded one of them at this moment
            return self.record_sessions(project=project, key=key, sessions=sessions)

    def _record(
        self, connection: Connection, *, project: str, key: str, coming: Sequence[SessionRecord]
    ) -> Mapping[str, Arrival] | None:
        mine = (session_parts.c.project == project, session_parts.c.key == key, session_parts.c.state == _WRITING)
        if not connection.execute(update(session_parts).where(*mine).values(state=_WHOLE)).rowcount:
            return None
        now = self._now()
        stored = _stored(connection, project, [session.session_id for session in coming], lock=True)
        arrivals = {
            one.session_id: arrival_of(one.fingerprint, one.about, _known_or_none(stored.get(one.session_id)))
            for one in coming
        }
        new = [one for one in coming if arrivals[one.session_id] is Arrival.NEW]
        if new:
            connection.execute(insert(sessions), [_columns(one, project=project, now=now) for one in new])
        again = [one for one in coming if arrivals[one.session_id] in {Arrival.CHANGED, Arrival.UPDATED}]
        if again:
            before = [_earlier(stored[one.session_id], project=project, now=now) for one in again]
            connection.execute(insert(session_contents), before)
        for one in again:
            values = {**_columns(one, project=project, now=now), "hidden_at": None}
            connection.execute(update(sessions).where(sessions.c.id == stored[one.session_id].id).values(values))
        back = [one for one in again if stored[one.session_id].hidden_at is not None]
        _count(connection, project=project, more=len(new) + len(back))
        return arrivals

    def drop_part(self, *, project: str, key: str) -> None:
        """Forget a part whose object is gone."""
        with self._database.write() as connection:
            connection.execute(
                delete(session_parts).where(session_parts.c.project == project, session_parts.c.key == key)
            )

    def withdraw_parts(self, *, project: str, begun_before: datetime | None = None) -> None:
        """Note of parts that were begun (before then) and not recorded that nobody wants them; who writes finds out."""
        mine = [session_parts.c.project == project, session_parts.c.state == _WRITING]
        if begun_before is not None:
            mine.append(session_parts.c.begun_at < begun_before)
        with self._database.write() as connection:
            connection.execute(update(session_parts).where(*mine).values(state=_WITHDRAWN))

    def withdrawn_parts(self, *, project: str) -> Sequence[str]:
        """Return the parts that nobody wants."""
        query = select(session_parts.c.key).where(
            session_parts.c.project == project, session_parts.c.state == _WITHDRAWN
        )
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(session_parts.c.id)).scalars())

    def find_session(self, *, project: str, session_id: str) -> SessionRecord | None:
        """Return a session, or None."""
        query = _shown(project).where(sessions.c.session_id == session_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else read_session(row)

    def earlier_content(self, *, project: str, session_id: str, fingerprint: str) -> ContentPlace | None:
        """Return where the content lies that a session had before, or None."""
        table = session_contents.c
        mine = (*_of(session_contents, project, [session_id]), table.fingerprint == fingerprint)
        query = select(table.part, table.row).where(*mine).order_by(table.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else ContentPlace(row.part, row.row)

    def list_sessions(self, *, project: str, scope: SessionScope, limit: int, offset: int) -> Page[SessionRecord]:
        """List pinned ones first, then by last activity, newest first, filtered before paging."""
        with self._database.read() as connection:
            return page_of(connection, project, scope, limit=limit, offset=offset)

    def next_sessions(
        self, *, project: str, scope: SessionScope, after: tuple[datetime | None, str] | None, limit: int
    ) -> Sequence[SessionRecord]:
        """Return the sessions behind a place in the order of last activity (those without one first), then id."""
        activity, name = sessions.c.last_active, sessions.c.session_id
        query = _scoped(_shown(project), scope)
        if after is not None:
            moment, session_id = after
            behind = (
                or_(activity.is_not(None), and_(activity.is_(None), name > session_id))
                if moment is None
                else or_(activity > moment, and_(activity == moment, name > session_id))
            )
            query = query.where(behind)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(activity.nulls_first(), name).limit(limit))
            return [read_session(row) for row in rows]

    def hide_sessions(self, *, project: str, session_ids: Collection[str]) -> int:
        """Take sessions out of every list; contents stay for audit. Returns how many there were."""
        hidden = 0
        with self._database.write() as connection:
            for some in _some(session_ids):
                mine = (*_of(sessions, project, some), sessions.c.hidden_at.is_(None))
                hidden += connection.execute(update(sessions).where(*mine).values(hidden_at=self._now())).rowcount
            _count(connection, project=project, more=-hidden)
        return hidden

    def places_of(self, *, project: str, session_ids: Collection[str]) -> Mapping[str, Sequence[int]]:
        """Return, by part, the rows of all present and earlier contents of sessions, hidden ones too."""
        found: dict[str, list[int]] = {}
        with self._database.read() as connection:
            for some in _some(session_ids):
                for table in (sessions, session_contents):
                    query = select(table.c.part, table.c.row).where(*_of(table, project, some), table.c.part != "")
                    for part, row in connection.execute(query):
                        found.setdefault(part, []).append(row)
        return found

    def begin_forgetting(self, *, project: str, session_ids: Collection[str]) -> int:
        """Let sessions not be taken in again, and remove what is known of them but counts and places of contents.

        Returns how many were not forgotten before.
        """
        now, count, hidden = self._now(), 0, 0
        with self._database.write() as connection:
            if connection.dialect.name == "sqlite":  # else what was deleted stays in the file until its place is used
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            for some in _some(session_ids):
                mine = _of(sessions, project, some)
                fresh = (*mine, sessions.c.forgotten_at.is_(None))
                count += connection.execute(update(sessions).where(*fresh).values(forgotten_at=now)).rowcount
                visible = (*mine, sessions.c.hidden_at.is_(None))
                hidden += connection.execute(update(sessions).where(*visible).values(hidden_at=now)).rowcount
                connection.execute(update(sessions).where(*mine).values(name=None, outcome=None, hidden_at=now))
                for table in (session_thumbs, sessions_at_work):
                    connection.execute(delete(table).where(*_of(table, project, some)))
                rated = _of(session_ratings, project, some)
                connection.execute(update(session_ratings).where(*rated).values(comment=None))
            _count(connection, project=project, more=-hidden)
        return count

    def end_forgetting(self, *, project: str, session_ids: Collection[str]) -> None:
        """Let the places go: nothing lies there any more."""
        with self._database.write() as connection:
            for some in _some(session_ids):
                gone = {"part": "", "row": 0, "fingerprint": "", "about": ""}
                connection.execute(update(sessions).where(*_of(sessions, project, some)).values(**gone))
                connection.execute(delete(session_contents).where(*_of(session_contents, project, some)))
        self._database.empty_log()

    def add_thumbs(self, *, project: str, thumbs: Sequence[SessionThumb]) -> int:
        """Append what people said, all or none; what stands there to the letter is not told twice. Returns the new."""
        with self._database.write() as connection:
            there = {_told(thumb) for thumb in _thumbs(connection, project, {one.session_id for one in thumbs})}
            new = [thumb for thumb in dict.fromkeys(thumbs) if _told(thumb) not in there]
            if new:
                connection.execute(insert(session_thumbs), [_thumb_columns(one, project=project) for one in new])
        return len(new)

    def thumbs(self, *, project: str, session_ids: Collection[str] | None = None) -> Sequence[SessionThumb]:
        """Return what was said of some sessions or of all, in the order in which it was recorded."""
        with self._database.read() as connection:
            return _thumbs(connection, project, session_ids)

    def orphan_thumbs(self, *, project: str, there: Mapping[str, Collection[tuple[int, str]]]) -> None:
        """Mark what was said of messages that are not there (any more), and no longer mark what is there again.

        Args:
            project: whose sessions.
            there: the places of the messages of each session, with their digests.
        """
        table = session_thumbs
        query = select(table.c.id, table.c.session_id, table.c.message_index, table.c.message_sha256, table.c.orphaned)
        with self._database.read() as connection:
            rows = [row for some in _some(there) for row in connection.execute(query.where(*_of(table, project, some)))]
        changed: dict[bool, list[int]] = {True: [], False: []}
        for row in rows:
            orphaned = (row.message_index, row.message_sha256) not in there[row.session_id]
            if orphaned != row.orphaned:
                changed[orphaned].append(row.id)
        if not any(changed.values()):
            return
        with self._database.write() as connection:
            for orphaned, ids in changed.items():
                for start in range(0, len(ids), _AT_ONCE):
                    mine = table.c.id.in_(ids[start : start + _AT_ONCE])
                    connection.execute(update(table).where(mine).values(orphaned=orphaned))


def _count(connection: Connection, *, project: str, more: int) -> None:
    """Count sessions that a transaction shows or hides: as its last word, so that others wait for its end alone."""
    if not more:
        return
    insert_or_add = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    counted = insert_or_add(session_counts).values(project=project, shown=more)
    connection.execute(
        counted.on_conflict_do_update(
            index_elements=[session_counts.c.project], set_={"shown": session_counts.c.shown + counted.excluded.shown}
        )
    )


def _stored(
    connection: Connection, project: str, session_ids: Collection[str], *, lock: bool = False
) -> dict[str, Row[Any]]:
    table = sessions.c
    columns = (
        table.id,
        table.session_id,
        table.fingerprint,
        table.about,
        table.hidden_at,
        table.forgotten_at,
        table.part,
        table.row,
        table.ingested_at,
    )
    found: dict[str, Row[Any]] = {}
    for some in _some(session_ids):
        query = select(*columns).where(*_of(sessions, project, some))
        for row in connection.execute(query.with_for_update() if lock else query):
            found[row.session_id] = row
    return found


def _known(row: Row[Any]) -> KnownSession:
    return KnownSession(
        fingerprint=row.fingerprint,
        about=row.about,
        is_hidden=row.hidden_at is not None,
        is_forgotten=row.forgotten_at is not None,
    )


def _known_or_none(row: Row[Any] | None) -> KnownSession | None:
    return None if row is None else _known(row)


def scoped_sessions(project: str, scope: SessionScope) -> Select[Any]:
    """Return the query of the sessions that are meant; hidden ones are not among them."""
    return _scoped(_shown(project), scope)


def page_of(
    connection: Connection, project: str, scope: SessionScope, *, limit: int, offset: int
) -> Page[SessionRecord]:
    """Return one page of the sessions that are meant; how many a whole project has is known without counting them."""
    query = in_order(scoped_sessions(project, scope))
    if scope != SessionScope():
        return read_page(connection, query, limit=limit, offset=offset, read=read_session)
    counted = select(session_counts.c.shown).where(session_counts.c.project == project)
    total = connection.execute(counted).scalar_one_or_none() or 0
    rows = connection.execute(query.limit(limit).offset(offset))
    return Page(items=tuple(read_session(row) for row in rows), total=total, limit=limit, offset=offset)


def in_order(query: Select[Any]) -> Select[Any]:
    """Put sessions into the order of every list: pinned ones first, then by last activity, newest first, then by id."""
    activity = sessions.c.last_active.desc().nulls_last()
    return query.order_by(sessions.c.pinned.desc(), activity, sessions.c.session_id)


def _shown(project: str) -> Select[Any]:
    return select(sessions).where(sessions.c.project == project, sessions.c.hidden_at.is_(None))


def _scoped(query: Select[Any], scope: SessionScope) -> Select[Any]:
    if scope.session_ids is not None:
        query = query.where(sessions.c.session_id.in_(list(scope.session_ids)))
    if scope.profile is not None:
        query = query.where(sessions.c.profile_id == scope.profile)
    if scope.since is not None:
        query = query.where(sessions.c.last_active >= scope.since)
    if scope.search:
        escaped = scope.search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        query = query.where(func.lower(sessions.c.name).like(f"%{escaped}%", escape="\\"))
    return query


def _columns(session: SessionRecord, *, project: str, now: datetime) -> dict[str, Any]:
    return {
        "project": project,
        "session_id": session.session_id,
        "fingerprint": session.fingerprint,
        "about": session.about,
        "profile_id": session.profile_id,
        "name": session.name,
        "pinned": session.pinned,
        "created_at": session.created_at,
        "last_active": session.last_active,
        "messages": session.messages,
        "facts": session.facts,
        "outcome": session.outcome,
        "part": session.place.part,
        "row": session.place.row,
        "ingested_at": now,
    }


def _earlier(row: Row[Any], *, project: str, now: datetime) -> dict[str, Any]:
    return {
        "project": project,
        "session_id": row.session_id,
        "fingerprint": row.fingerprint,
        "part": row.part,
        "row": row.row,
        "ingested_at": row.ingested_at,
        "replaced_at": now,
    }


def read_session(row: Row[Any]) -> SessionRecord:
    """Read a row of the table."""
    return SessionRecord(
        session_id=row.session_id,
        fingerprint=row.fingerprint,
        about=row.about,
        profile_id=row.profile_id,
        name=row.name,
        pinned=row.pinned,
        created_at=row.created_at,
        last_active=row.last_active,
        messages=row.messages,
        facts=row.facts,
        outcome=row.outcome,
        place=ContentPlace(row.part, row.row),
        ingested_at=row.ingested_at,
    )


def _thumbs(connection: Connection, project: str, session_ids: Collection[str] | None) -> list[SessionThumb]:
    query = select(session_thumbs).where(session_thumbs.c.project == project)
    parts = (
        [query] if session_ids is None else [query.where(*_of(session_thumbs, project, s)) for s in _some(session_ids)]
    )
    rows = [row for part in parts for row in connection.execute(part)]
    return [_thumb(row) for row in sorted(rows, key=lambda row: int(row.id))]


def _thumb(row: Row[Any]) -> SessionThumb:
    return SessionThumb(
        session_id=row.session_id,
        message_index=row.message_index,
        message_id=row.message_id,
        message_sha256=row.message_sha256,
        rating=row.rating,
        comment=row.comment,
        author=row.author,
        said_at=row.said_at,
        is_orphaned=row.orphaned,
    )


def _thumb_columns(thumb: SessionThumb, *, project: str) -> dict[str, Any]:
    return {
        "project": project,
        "session_id": thumb.session_id,
        "message_index": thumb.message_index,
        "message_id": thumb.message_id,
        "message_sha256": thumb.message_sha256,
        "rating": thumb.rating,
        "comment": thumb.comment,
        "author": thumb.author,
        "said_at": thumb.said_at,
        "orphaned": thumb.is_orphaned,
    }


def _told(thumb: SessionThumb) -> tuple[Any, ...]:
    """Return what makes two entries the same saying."""
    said = (thumb.rating, thumb.comment, thumb.author, thumb.said_at)
    return (thumb.session_id, thumb.message_index, thumb.message_sha256, *said)


def _of(table: Any, project: str, session_ids: Sequence[str]) -> tuple[Any, ...]:  # noqa: ANN401 - any of the tables
    return (table.c.project == project, table.c.session_id.in_(session_ids))


def _some(session_ids: Collection[str]) -> Iterator[list[str]]:
    ordered = list(dict.fromkeys(session_ids))
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
