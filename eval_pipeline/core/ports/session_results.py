"""What runs came to for sessions, and what people rated: the part of the ledger that views of sessions stand on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from eval_pipeline.core.datasets import Page
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.session_results import SeriesRow, SessionRating, SessionResult, SessionStatus, StandingRow
from eval_pipeline.core.sessions import SessionRecord, SessionScope


class SessionResultLedger(Protocol):
    """The tables session_instruments, sessions_at_work, session_results and session_ratings."""

    def begin_sessions(self, key: RunKey, session_ids: Collection[str]) -> None:
        """Note that a run is to judge these sessions, and no others."""
        ...

    def sessions_at_work(self, *, project: str, session_ids: Collection[str] | None = None) -> frozenset[str]:
        """Return the sessions, of some or of all, that a run which has not ended is to judge."""
        ...

    def keep_instrument(self, *, project: str, digest: str, document: Json) -> None:
        """Record what sessions are judged with; once recorded it stays as it is."""
        ...

    def instruments(self, *, project: str) -> Mapping[str, Json]:
        """Return all that sessions of a project were judged with, by digest."""
        ...

    def record_results(self, key: RunKey, results: Sequence[SessionResult]) -> None:
        """Record what a run came to, in one transaction; what it came to before for the same sessions is replaced.

        These sessions are no longer at work in this run.
        """
        ...

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
        ...

    def session_results(self, *, project: str, session_id: str) -> Sequence[SessionResult]:
        """Return what all runs came to for a session, newest first."""
        ...

    def latest_results(self, *, project: str, session_ids: Collection[str] | None = None) -> Iterator[SessionResult]:
        """Return what the latest run came to, of some sessions or of all."""
        ...

    def latest_standings(self, *, project: str, session_ids: Collection[str] | None = None) -> Iterator[StandingRow]:
        """Return of the same as much as tells how sessions stand."""
        ...

    def series_results(
        self, *, project: str, since: datetime | None = None, profile: str | None = None
    ) -> Iterator[SeriesRow]:
        """Return, of every session and instrument, the latest result with a score, else the latest one.

        Args:
            project: whose sessions.
            since: of sessions that were active then or later, or at no known time; None: of all.
            profile: of these alone.
        """
        ...

    def last_judged_activity(self, *, project: str, profile: str | None = None) -> datetime | None:
        """Return when the session was last active that was active last of all with a result; None: of none is known."""
        ...

    def delete_results(self, *, project: str, session_ids: Collection[str]) -> None:
        """Forget what was said of sessions, by runs and by people."""
        ...

    def add_ratings(self, *, project: str, ratings: Sequence[SessionRating]) -> None:
        """Append what people say of sessions, all or none."""
        ...

    def session_ratings(self, *, project: str, session_ids: Collection[str] | None = None) -> Sequence[SessionRating]:
        """Return all entries, of some sessions or of all, in the order in which they were recorded."""
        ...
