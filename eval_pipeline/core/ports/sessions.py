"""Recorded sessions in the ledger: what comes in, is listed, is thought of them, and is forgotten."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from eval_pipeline.core.datasets import Page
from eval_pipeline.core.sessions import Arrival, ContentPlace, KnownSession, SessionRecord, SessionScope, SessionThumb


class SessionLedger(Protocol):
    """The tables sessions, session_contents, session_parts and session_thumbs."""

    def known_sessions(self, *, project: str, session_ids: Collection[str]) -> Mapping[str, KnownSession]:
        """Return what is known of those that there are or were."""
        ...

    def begin_part(self, *, project: str, key: str) -> None:
        """Note that an object with contents is about to be written."""
        ...

    def record_sessions(
        self, *, project: str, key: str, sessions: Sequence[SessionRecord]
    ) -> Mapping[str, Arrival] | None:
        """Record sessions whose contents were written under ``key``, in one transaction.

        Earlier contents stay, for audit. Returns what each was; None, and nothing is recorded, when the part was
        withdrawn meanwhile.
        """
        ...

    def drop_part(self, *, project: str, key: str) -> None:
        """Forget a part whose object is gone."""
        ...

    def withdraw_parts(self, *, project: str, begun_before: datetime | None = None) -> None:
        """Note of parts that were begun (before then) and not recorded that nobody wants them; who writes finds out."""
        ...

    def withdrawn_parts(self, *, project: str) -> Sequence[str]:
        """Return the parts that nobody wants."""
        ...

    def find_session(self, *, project: str, session_id: str) -> SessionRecord | None:
        """Return a session, or None."""
        ...

    def earlier_content(self, *, project: str, session_id: str, fingerprint: str) -> ContentPlace | None:
        """Return where the content lies that a session had before, or None."""
        ...

    def list_sessions(self, *, project: str, scope: SessionScope, limit: int, offset: int) -> Page[SessionRecord]:
        """List pinned ones first, then by last activity, newest first, filtered before paging."""
        ...

    def next_sessions(
        self, *, project: str, scope: SessionScope, after: tuple[datetime | None, str] | None, limit: int
    ) -> Sequence[SessionRecord]:
        """Return the sessions behind a place in the order of last activity (those without one first), then id."""
        ...

    def hide_sessions(self, *, project: str, session_ids: Collection[str]) -> int:
        """Take sessions out of every list; contents stay for audit. Returns how many there were."""
        ...

    def places_of(self, *, project: str, session_ids: Collection[str]) -> Mapping[str, Sequence[int]]:
        """Return, by part, the rows of all present and earlier contents of sessions, hidden ones too."""
        ...

    def begin_forgetting(self, *, project: str, session_ids: Collection[str]) -> int:
        """Let sessions not be taken in again, and remove what is known of them but counts and places of contents.

        Returns how many were not forgotten before.
        """
        ...

    def end_forgetting(self, *, project: str, session_ids: Collection[str]) -> None:
        """Let the places go: nothing lies there any more."""
        ...

    def add_thumbs(self, *, project: str, thumbs: Sequence[SessionThumb]) -> int:
        """Append what people said, all or none; what stands there to the letter is not told twice. Returns the new."""
        ...

    def thumbs(self, *, project: str, session_ids: Collection[str] | None = None) -> Sequence[SessionThumb]:
        """Return what was said of some sessions or of all, in the order in which it was recorded."""
        ...

    def orphan_thumbs(self, *, project: str, there: Mapping[str, Collection[tuple[int, str]]]) -> None:
        """Mark what was said of messages that are not there (any more), and no longer mark what is there again.

        Args:
            project: whose sessions.
            there: the places of the messages of each session, with their digests.
        """
        ...
