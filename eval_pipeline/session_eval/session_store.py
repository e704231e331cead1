"""Recorded sessions of a project: found, gone through, read, deleted; what was counted comes from the ledger alone."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import orjson

from eval_pipeline.core.datasets import Page
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.names import shown
from eval_pipeline.core.sessions import SessionRecord, SessionScope
from eval_pipeline.session_eval.sessions.checking import SCHEMA
from eval_pipeline.session_eval.sessions.facts import SessionFacts
from eval_pipeline.session_eval.sessions.session import Session, session_of
from eval_pipeline.wiring.deployment import Deployment

EVERY_SESSION: Final = SessionScope()
_PAGE: Final = 1_000
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as the ledger knows it, without its content."""

    record: SessionRecord

    @property
    def session_id(self) -> str:
        """Its id."""
        return self.record.session_id

    @property
    def session_fingerprint(self) -> str:
        """Digest of its messages and tools."""
        return self.record.fingerprint

    @property
    def profile_id(self) -> str | None:
        """Which agent it was."""
        return self.record.profile_id

    @property
    def name(self) -> str | None:
        """What people call it."""
        return self.record.name

    @property
    def pinned(self) -> bool:
        """Whether it stands first in lists."""
        return self.record.pinned

    @property
    def created_at(self) -> datetime | None:
        """When it began."""
        return self.record.created_at

    @property
    def last_active(self) -> datetime | None:
        """When something was last said."""
        return self.record.last_active

    @property
    def message_count(self) -> int:
        """How many messages it has."""
        return self.record.messages

    @property
    def facts(self) -> SessionFacts:
        """What was counted."""
        return SessionFacts.from_json(orjson.loads(self.record.facts))

    @property
    def outcome(self) -> Json | None:
        """What the environment verified."""
        found: Json | None = None if self.record.outcome is None else orjson.loads(self.record.outcome)
        return found

    @property
    def ingested_at(self) -> datetime | None:
        """When it came in last."""
        return self.record.ingested_at


def find(
    deployment: Deployment, project: str, session_id: str, *, fingerprint: str | None = None
) -> StoredSession | None:
    """Return a session, or None; with a fingerprint, with the content that it had then, which stays for audit."""
    record = deployment.ledger.find_session(project=project, session_id=session_id)
    if record is None or fingerprint in (None, record.fingerprint):
        return None if record is None else StoredSession(record)
    place = deployment.ledger.earlier_content(project=project, session_id=session_id, fingerprint=str(fingerprint))
    return None if place is None else StoredSession(replace(record, fingerprint=str(fingerprint), place=place))


def require(deployment: Deployment, project: str, session_ids: Sequence[str]) -> list[StoredSession]:
    """Return sessions in the order in which they are named, else raise ``session_not_found``."""
    scope = SessionScope(session_ids=tuple(dict.fromkeys(session_ids)))
    there = {stored.session_id: stored for stored in each(deployment, project, scope)}
    missing = [session_id for session_id in session_ids if session_id not in there]
    if missing:
        named = ", ".join(map(shown, missing[:_SHOWN]))
        more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
        raise NotFoundError(
            f"project {project!r} has no session {named}{more}",
            code="session_not_found",
            hint="see which there are: eval-pipeline session list",
        )
    return [there[session_id] for session_id in dict.fromkeys(session_ids)]


def listed(
    deployment: Deployment, project: str, scope: SessionScope = EVERY_SESSION, *, limit: int, offset: int
) -> Page[StoredSession]:
    """Return one page: pinned ones first, then by last activity, newest first."""
    page = deployment.ledger.list_sessions(project=project, scope=scope, limit=limit, offset=offset)
    items = tuple(StoredSession(record) for record in page.items)
    return Page(items=items, total=page.total, limit=page.limit, offset=page.offset)


def each(deployment: Deployment, project: str, scope: SessionScope = EVERY_SESSION) -> Iterator[StoredSession]:
    """Go through sessions in the order of last activity (those without one first), then id; none is held."""
    for some in _named(scope):
        after: tuple[datetime | None, str] | None = None
        while records := deployment.ledger.next_sessions(project=project, scope=some, after=after, limit=_PAGE):
            yield from (StoredSession(record) for record in records)
            after = (records[-1].last_active, records[-1].session_id)


def _named(scope: SessionScope) -> Iterator[SessionScope]:
    """Yield the scope, or one for each handful of the sessions that it names."""
    if scope.session_ids is None or len(scope.session_ids) <= _PAGE:
        yield scope
        return
    ids = list(scope.session_ids)
    for start in range(0, len(ids), _PAGE):
        yield SessionScope(tuple(ids[start : start + _PAGE]), scope.profile, scope.since, scope.search)


def content(deployment: Deployment, stored: StoredSession) -> Session:
    """Return the content of a session."""
    [(_, session)] = contents(deployment, [stored])
    return session


def contents(deployment: Deployment, stored: Iterable[StoredSession]) -> Iterator[tuple[StoredSession, Session]]:
    """Read the contents of sessions one after the other; those that lie in one part are read together."""
    for one, document in documents(deployment, stored):
        yield one, session_of(document)


def documents(deployment: Deployment, stored: Iterable[StoredSession]) -> Iterator[tuple[StoredSession, JsonDict]]:
    """Read the JSON of sessions one after the other, keys in the order of the schema."""
    from eval_pipeline.session_eval.session_parts import reader_of  # noqa: PLC0415 - pyarrow

    reader = reader_of(deployment.objects)
    for one in stored:
        place = one.record.place
        yield one, {"schema": SCHEMA, **reader.session(place.part, place.row)}


def delete(deployment: Deployment, project: str, session_ids: Sequence[str]) -> int:
    """Take sessions out of every list, and what runs came to for them; contents stay for audit.

    Raises:
        ConflictError: ``session_in_use`` while a run that has not ended is to judge one of them.
    """
    require(deployment, project, session_ids)
    refuse_used(deployment, project, session_ids)
    hidden = deployment.ledger.hide_sessions(project=project, session_ids=session_ids)
    deployment.ledger.delete_results(project=project, session_ids=session_ids)
    return hidden


def refuse_used(deployment: Deployment, project: str, session_ids: Collection[str]) -> None:
    """Raise ``session_in_use`` while a run that has not ended is to judge one of these sessions."""
    used = deployment.ledger.sessions_at_work(project=project, session_ids=session_ids)
    if used:
        named = ", ".join(map(shown, sorted(used)[:_SHOWN]))
        raise ConflictError(
            f"{len(used):,} of these sessions are being judged by a run that has not ended: {named}",
            code="session_in_use",
            hint="let it end, or cancel it first: eval-pipeline run cancel RUN",
        )
