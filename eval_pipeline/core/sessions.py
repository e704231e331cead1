"""What the ledger knows of recorded sessions: which there are, where their content lies, what people think of them.

Facts and outcome are JSON texts here: what they say is decided by the flow that counts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class ContentPlace:
    """Where the content of a session lies."""

    part: str
    """The key of an object."""
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One session as it came in last."""

    session_id: str
    fingerprint: str
    """Of messages and tools."""
    about: str
    """Digest of all else that it says."""
    profile_id: str | None
    name: str | None
    pinned: bool
    created_at: datetime | None
    last_active: datetime | None
    messages: int
    facts: str
    outcome: str | None
    place: ContentPlace
    ingested_at: datetime | None = None
    """When it came in last; None for one that is coming in."""


@dataclass(frozen=True, slots=True)
class KnownSession:
    """What tells whether a session that comes in is new."""

    fingerprint: str
    about: str
    is_hidden: bool
    is_forgotten: bool


class Arrival(Enum):
    """What a session that came in was to the ledger."""

    NEW = "new"
    CHANGED = "changed"
    """Its conversation is another one."""
    UPDATED = "updated"
    """What is said about it is."""
    UNCHANGED = "unchanged"
    FORGOTTEN = "forgotten"
    """A person asked for its erasure: it is not taken again."""


def arrival_of(fingerprint: str, about: str, known: KnownSession | None) -> Arrival:
    """Decide what becomes of a session that comes in with these digests."""
    if known is None:
        return Arrival.NEW
    if known.is_forgotten:
        return Arrival.FORGOTTEN
    if known.fingerprint != fingerprint:
        return Arrival.CHANGED
    return Arrival.UPDATED if known.is_hidden or known.about != about else Arrival.UNCHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionThumb:
    """What one person said of one message at one moment; never edited."""

    session_id: str
    message_index: int
    message_id: str | None
    message_sha256: str
    """Of the message that was meant."""
    rating: int | None
    """1 likes, -1 dislikes, None takes back."""
    comment: str | None
    author: str
    said_at: datetime
    is_orphaned: bool = False
    """Whether the session has another message at that place by now."""


@dataclass(frozen=True, slots=True)
class SessionScope:
    """Which sessions are meant."""

    session_ids: Sequence[str] | None = None
    """These alone; None: all."""
    profile: str | None = None
    since: datetime | None = None
    """Last active then or later."""
    search: str | None = None
    """Occurs in the name, whatever the case."""
