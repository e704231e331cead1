"""What runs came to for sessions, what they were judged with, and what people rated.

Which row of a session is the latest, and which counts in its series, is written down whenever rows come or go, so that
a page of an overview costs the same however much history there is.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, exists, func, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.session_results import ScoredStatus, SeriesRow, SessionRating, SessionResult, StandingRow
from eval_pipeline.storage.ledger_database import LedgerTable
from eval_pipeline.storage.ledger_schema import runs
from eval_pipeline.storage.session_result_tables import (
    session_instruments,
    session_ratings,
    session_results,
    sessions_at_work,
)

_AT_ONCE: Final = 500
"""Sessions named in one statement; SQLite takes some thousand values."""
_ROWS_AT_ONCE: Final = 2_000
_AT_WORK: Final = (RunState.REQUESTED.value, RunState.RUNNING.value, RunState.WAITING.value)


_RUN_AT_WORK: Final = exists().where(
    runs.c.project == sessions_at_work.c.project,
    runs.c.name == sessions_at_work.c.run,
    runs.c.flow == Flow.SESSIONS.value,
    runs.c.state.in_(_AT_WORK),
)


class SessionResultTable(LedgerTable):
    """The ledger's results and ratings of sessions."""

    def begin_sessions(self, key: RunKey, session_ids: Collection[str]) -> None:
        """Note that a run is to judge these sessions, and no others."""
        with self._database.write() as connection:
            connection.execute(delete(sessions_at_work).where(*_of_run(sessions_at_work, key)))
            for some in _some(session_ids):
                rows = [{"project": key.project, "session_id": one, "run": key.run} for one in some]
                connection.execute(insert(sessions_at_work), rows)

    def sessions_at_work(self, *, project: str, session_ids: Collection[str] | None = None) -> frozenset[str]:
        """Return the sessions, of some or of all, that a run which has not ended is to judge."""
        query = select(sessions_at_work.c.session_id).where(sessions_at_work.c.project == project, _RUN_AT_WORK)
        with self._database.read() as connection:
            return frozenset(
                row.session_id
                for part in _parts(query, sessions_at_work.c.session_id, session_ids)
                for row in connection.execute(part)
            )

    def keep_instrument(self, *, project: str, digest: str, document: Json) -> None:
        """Record what sessions are judged with; once recorded it stays as it is."""
        row = {"project": project, "digest": digest, "document": dict(document), "kept_at": self._now()}
        mine = (session_instruments.c.project == project, session_instruments.c.digest == digest)
        try:
            with self._database.write() as connection:
                if connection.execute(select(session_instruments.c.digest).where(*mine)).one_or_none() is None:
                    connection.execute(insert(session_instruments), [row])
        except IntegrityError:  # another process was first, with the same
            return

    def instruments(self, *, project: str) -> Mapping[str, Json]:
        """Return all that sessions of a project were judged with, by digest."""
        query = select(session_instruments).where(session_instruments.c.project == project)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(session_instruments.c.kept_at, session_instruments.c.digest))
            return {row.digest: row.document for row in rows}

    def record_results(self, key: RunKey, results: Sequence[SessionResult]) -> None:
        """Record what a run came to, in one transaction; what it came to before for the same sessions is replaced.

        These sessions are no longer at work in this run.
        """
        for_session = {result.session_id: result for result in results}
        with self._database.write() as connection:
            _alone(connection, project=key.project)
            for some in _some(for_session):
                _replace(connection, key, [for_session[one] for one in some])
                done = (*_of_run(sessions_at_work, key), sessions_at_work.c.session_id.in_(some))
                connection.execute(delete(sessions_at_work).where(*done))
                _recount(connection, project=key.project, session_ids=some)

    def session_results(self, *, project: str, session_id: str) -> Sequence[SessionResult]:
        """Return what all runs came to for a session, newest first."""
        mine = (session_results.c.project == project, session_results.c.session_id == session_id)
        query = select(session_results).where(*mine).order_by(session_results.c.id.desc())
        with self._database.read() as connection:
            return [_result(row) for row in connection.execute(query)]

    def latest_results(self, *, project: str, session_ids: Collection[str] | None = None) -> Iterator[SessionResult]:
        """Return what the latest run came to, of some sessions or of all."""
        query = select(session_results).where(
            session_results.c.project == project, session_results.c.is_latest == true()
        )
        with self._database.read() as connection:
            for part in _parts(query, session_results.c.session_id, session_ids):
                for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(part):
                    yield _result(row)

    def latest_standings(self, *, project: str, session_ids: Collection[str] | None = None) -> Iterator[StandingRow]:
        """Return of the same as much as tells how sessions stand."""
        table = session_results.c
        query = select(
            table.session_id,
            table.session_fingerprint,
            table.instrument,
            table.status,
            table.may_be_retried,
            table.failed_tries,
        ).where(table.project == project, table.is_latest == true())
        with self._database.read() as connection:
            for part in _parts(query, table.session_id, session_ids):
                for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(part):
                    yield StandingRow(*row)

    def series_results(
        self, *, project: str, since: datetime | None = None, profile: str | None = None
    ) -> Iterator[SeriesRow]:
        """Return, of every session and instrument, the latest result with a score, else the latest one.

        Args:
            project: whose sessions.
            since: of sessions that were active then or later, or at no known time; None: of all.
            profile: of these alone.
        """
        table = session_results.c
        query = select(
            table.session_id,
            table.instrument,
            table.last_active,
            table.mean,
            table.complexity,
            table.axes,
            table.cost_usd,
        ).where(table.project == project, table.is_series == true())
        if since is not None:
            query = query.where(or_(table.last_active >= since, table.last_active.is_(None)))
        if profile is not None:
            query = query.where(table.profile_id == profile)
        with self._database.read() as connection:
            for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query):
                yield SeriesRow(*row)

    def last_judged_activity(self, *, project: str, profile: str | None = None) -> datetime | None:
        """Return when the session was last active that was active last of all with a result; None: of none is known."""
        table = session_results.c
        query = select(func.max(table.last_active)).where(table.project == project, table.is_series == true())
        if profile is not None:
            query = query.where(table.profile_id == profile)
        with self._database.read() as connection:
            found: datetime | None = connection.execute(query).scalar_one()
        return found

    def delete_results(self, *, project: str, session_ids: Collection[str]) -> None:
        """Forget what was said of sessions, by runs and by people."""
        with self._database.write() as connection:
            for some in _some(session_ids):
                for table in (session_results, session_ratings, sessions_at_work):
                    mine = (table.c.project == project, table.c.session_id.in_(some))
                    connection.execute(delete(table).where(*mine))

    def add_ratings(self, *, project: str, ratings: Sequence[SessionRating]) -> None:
        """Append what people say of sessions, all or none."""
        if not ratings:
            return
        rows = [
            {
                "project": project,
                "session_id": one.session_id,
                "session_fingerprint": one.session_fingerprint,
                "axis": one.axis,
                "rater": one.rater,
                "level": one.level,
                "comment": one.comment,
                "rated_at": one.rated_at,
            }
            for one in ratings
        ]
        with self._database.write() as connection:
            connection.execute(insert(session_ratings), rows)

    def session_ratings(self, *, project: str, session_ids: Collection[str] | None = None) -> Sequence[SessionRating]:
        """Return all entries, of some sessions or of all, in the order in which they were recorded."""
        query = select(session_ratings).where(session_ratings.c.project == project)
        with self._database.read() as connection:
            rows = [
                row
                for part in _parts(query, session_ratings.c.session_id, session_ids)
                for row in connection.execute(part)
            ]
        return [_rating(row) for row in sorted(rows, key=lambda row: int(row.id))]


def is_at_work(project: ColumnElement[str], session_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Tell, of the session in two columns, whether a run that has not ended is to judge it."""
    table = sessions_at_work.c
    return exists().where(table.project == project, table.session_id == session_id, _RUN_AT_WORK)


def remove_run(connection: Connection, key: RunKey) -> None:
    """Remove what a run came to; an earlier run's results stand again."""
    _alone(connection, project=key.project)
    gone = select(session_results.c.session_id).where(*_of_run(session_results, key))
    session_ids = [row.session_id for row in connection.execute(gone)]
    for table in (session_results, sessions_at_work):
        connection.execute(delete(table).where(*_of_run(table, key)))
    for some in _some(session_ids):
        _recount(connection, project=key.project, session_ids=some)


def _alone(connection: Connection, *, project: str) -> None:
    """Let one transaction at a time say which rows of a project are the latest; on SQLite one writes anyway."""
    if connection.dialect.name == "postgresql":
        lock = int.from_bytes(sha256(f"session_results {project}".encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(lock)))


def _replace(connection: Connection, key: RunKey, results: Sequence[SessionResult]) -> None:
    """Write results; one that was there keeps its place in the order of runs."""
    table = session_results
    mine = (*_of_run(table, key), table.c.session_id.in_([result.session_id for result in results]))
    places = {row.session_id: row.id for row in connection.execute(select(table.c.id, table.c.session_id).where(*mine))}
    connection.execute(delete(table).where(*mine))
    rows = [_columns(key, result) for result in results]
    if again := [{**row, "id": places[row["session_id"]]} for row in rows if row["session_id"] in places]:
        connection.execute(insert(table), again)
    if new := [row for row in rows if row["session_id"] not in places]:
        connection.execute(insert(table), new)


def _recount(connection: Connection, *, project: str, session_ids: Sequence[str]) -> None:
    """Write down anew which rows of some sessions are the latest, count in their series, and how often they failed."""
    table = session_results
    query = select(
        table.c.id,
        table.c.session_id,
        table.c.session_fingerprint,
        table.c.instrument,
        table.c.status,
        table.c.may_be_retried,
        table.c.failed_tries,
        table.c.is_latest,
        table.c.is_series,
    ).where(table.c.project == project, table.c.session_id.in_(session_ids))
    histories: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query.order_by(table.c.id)):
        histories.setdefault(row.session_id, []).append(row)
    wanted: dict[tuple[int, bool, bool], list[int]] = {}
    for history in histories.values():
        for row, flags in zip(history, _flags(history), strict=True):
            if flags != (row.failed_tries, row.is_latest, row.is_series):
                wanted.setdefault(flags, []).append(row.id)
    # what is no longer the latest goes first: of a session one row at most is
    for (tries, is_latest, is_series), numbers in sorted(wanted.items(), key=lambda one: one[0][1]):
        values = {"failed_tries": tries, "is_latest": is_latest, "is_series": is_series}
        connection.execute(update(table).where(table.c.id.in_(numbers)).values(values))


def _flags(history: Sequence[Row[Any]]) -> list[tuple[int, bool, bool]]:
    series: dict[str, int] = {}
    tries: list[int] = []
    for place, row in enumerate(history):
        failed = row.status == ScoredStatus.FAILED.value
        before = history[place - 1] if place else None
        same = before is not None and (before.session_fingerprint, before.instrument) == (
            row.session_fingerprint,
            row.instrument,
        )
        tries.append((tries[-1] if same else 0) + 1 if failed else 0)
        stands = series.get(row.instrument)
        if stands is None or not failed or history[stands].status == ScoredStatus.FAILED.value:
            series[row.instrument] = place
    return [(tries[place], place == len(history) - 1, place in series.values()) for place in range(len(history))]


def _columns(key: RunKey, result: SessionResult) -> dict[str, Any]:
    return {
        "project": key.project,
        "session_id": result.session_id,
        "run": key.run,
        "session_fingerprint": result.session_fingerprint,
        "instrument": result.instrument,
        "status": result.status.value,
        "may_be_retried": result.may_be_retried,
        "failed_tries": 0,
        "mean": result.mean,
        "complexity": result.complexity,
        "axes": orjson.dumps(dict(result.axes)).decode(),
        "cells": result.cells,
        "cells_failed": result.cells_failed,
        "cost_usd": None if result.cost_usd is None else str(result.cost_usd),
        "profile_id": result.profile_id,
        "last_active": result.last_active,
        "judged_at": result.judged_at,
        "is_latest": False,
        "is_series": False,
    }


def _result(row: Row[Any]) -> SessionResult:
    return SessionResult(
        session_id=row.session_id,
        run=row.run,
        session_fingerprint=row.session_fingerprint,
        instrument=row.instrument,
        status=ScoredStatus(row.status),
        may_be_retried=row.may_be_retried,
        mean=row.mean,
        complexity=row.complexity,
        axes=orjson.loads(row.axes),
        cells=row.cells,
        cells_failed=row.cells_failed,
        cost_usd=None if row.cost_usd is None else Decimal(row.cost_usd),
        profile_id=row.profile_id,
        last_active=row.last_active,
        judged_at=row.judged_at,
        failed_tries=row.failed_tries,
    )


def _rating(row: Row[Any]) -> SessionRating:
    return SessionRating(
        session_id=row.session_id,
        session_fingerprint=row.session_fingerprint,
        axis=row.axis,
        rater=row.rater,
        level=row.level,
        comment=row.comment,
        rated_at=row.rated_at,
    )


def _of_run(table: Any, key: RunKey) -> tuple[ColumnElement[bool], ...]:  # noqa: ANN401 - any of the tables
    return (table.c.project == key.project, table.c.run == key.run)


def _some(session_ids: Collection[str]) -> Iterator[list[str]]:
    ordered = list(dict.fromkeys(session_ids))
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def _parts(
    query: Select[Any], column: ColumnElement[Any], session_ids: Collection[str] | None
) -> Iterator[Select[Any]]:
    """Return the query, or one for each handful of the sessions that are asked for."""
    if session_ids is None:
        yield query
        return
    for some in _some(session_ids):
        yield query.where(column.in_(some))
