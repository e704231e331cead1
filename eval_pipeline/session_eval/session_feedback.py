"""What people think of messages: likes and dislikes, each bound to the very message that was meant.

History is only appended to; of one person and one message the last word stands. Where a session has another message at
that place by now, what was said is orphaned: shown, and never counted for the other one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.sessions import SessionThumb
from eval_pipeline.session_eval.session_store import StoredSession, documents
from eval_pipeline.session_eval.sessions.json_text import canonical_bytes
from eval_pipeline.session_eval.sessions.times import read_time
from eval_pipeline.wiring.deployment import Deployment

UNNAMED: Final = "unknown"
"""Who rated, where the recording does not say."""
MAX_COMMENT_CHARACTERS: Final = 10_000
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StandingThumb:
    """What one person thinks of one message, as of the last word."""

    thumb: SessionThumb

    @property
    def counts(self) -> bool:
        """Whether it says something about a message that is there."""
        return self.thumb.rating is not None and not self.thumb.is_orphaned


def standing(thumbs_: Iterable[SessionThumb]) -> list[StandingThumb]:
    """Return the last word of every person on every message, in the order of messages."""
    last: dict[tuple[str, int, str, str], SessionThumb] = {}
    for one in thumbs_:
        last[one.session_id, one.message_index, one.message_sha256, one.author] = one
    ordered = sorted(last.values(), key=lambda one: (one.session_id, one.message_index))
    return [StandingThumb(one) for one in ordered]


def thumbs(
    deployment: Deployment, project: str, session_ids: Collection[str] | None = None
) -> Mapping[str, tuple[int, int]]:
    """Return the standing likes and dislikes of each session that has any; orphaned ones are not counted."""
    found: dict[str, tuple[int, int]] = {}
    for one in standing(deployment.ledger.thumbs(project=project, session_ids=session_ids)):
        if one.counts:
            likes, dislikes = found.get(one.thumb.session_id, (0, 0))
            liked = one.thumb.rating == 1
            found[one.thumb.session_id] = (likes + liked, dislikes + (not liked))
    return found


def message_digest(message: Json) -> str:
    """Return the digest by which a message is known again: of its id where it has one, else of what it says."""
    if message.get("id"):
        return sha256(b"id " + str(message["id"]).encode()).hexdigest()
    said = {key: item for key, item in message.items() if key in _SAID and item not in (None, [])}
    return sha256(canonical_bytes(said)).hexdigest()


_SAID: Final = frozenset({"role", "content", "reasoning", "tool_calls", "tool_call_id", "error", "agent", "name"})


def settle_feedback(deployment: Deployment, project: str, sessions: Sequence[Json]) -> None:
    """Record what came with sessions, and see of which messages that people spoke of another one is there now."""
    ledger = deployment.ledger
    came = [
        _imported(session["session_id"], entry, session["messages"])
        for session in sessions
        for entry in session.get("feedback") or ()
    ]
    if came:
        ledger.add_thumbs(project=project, thumbs=came)
    said = {one.session_id for one in ledger.thumbs(project=project, session_ids=[s["session_id"] for s in sessions])}
    there = {
        session["session_id"]: {(index, message_digest(message)) for index, message in enumerate(session["messages"])}
        for session in sessions
        if session["session_id"] in said
    }
    if there:
        ledger.orphan_thumbs(project=project, there=there)


def _imported(session_id: str, entry: Json, messages: Sequence[Json]) -> SessionThumb:
    index = entry["message_index"]
    message = messages[index] if index < len(messages) else None
    named = entry.get("message_id")
    meant = message is not None and (named is None or message.get("id") is None or message["id"] == named)
    digest = message_digest(message) if message is not None and meant else _gone(index, named)
    moment = read_time(entry["created_at"]) if entry.get("created_at") else None
    return SessionThumb(
        session_id=session_id,
        message_index=index,
        message_id=named or (message.get("id") if message else None),
        message_sha256=digest,
        rating=entry["rating"],
        comment=entry.get("comment"),
        author=entry.get("user") or UNNAMED,
        said_at=moment or _NO_TIME,
        is_orphaned=not meant,
    )


def _gone(index: int, named: str | None) -> str:
    """Return a digest that no message has, or that of the id that was named."""
    return message_digest({"id": named}) if named else sha256(f"no message {index}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person says of a message now."""

    message_index: int
    rating: int | None
    comment: str | None = None


def say(
    deployment: Deployment, project: str, stored: StoredSession, said: Sequence[Said], *, author: str
) -> list[SessionThumb]:
    """Record what a person says of messages of a session.

    Raises:
        UsageError: ``message_not_found`` where the session has no message at that place.
    """
    [(_, document)] = documents(deployment, [stored])
    messages = document["messages"]
    now = datetime.now(UTC)
    entries = []
    for one in said:
        if not 0 <= one.message_index < len(messages):
            raise UsageError(
                f"session {shown(stored.session_id)} has no message {one.message_index:,}: it has {len(messages):,}, "
                "from 0 on",
                code="message_not_found",
                hint=f"see them: eval-pipeline session show {stored.session_id}",
            )
        message = messages[one.message_index]
        entries.append(
            SessionThumb(
                session_id=stored.session_id,
                message_index=one.message_index,
                message_id=message.get("id"),
                message_sha256=message_digest(message),
                rating=one.rating,
                comment=_checked_comment(one.comment),
                author=author,
                said_at=now,
            )
        )
    deployment.ledger.add_thumbs(project=project, thumbs=entries)
    return entries


def _checked_comment(comment: str | None) -> str | None:
    if comment is not None and len(comment) > MAX_COMMENT_CHARACTERS:
        raise UsageError(
            f"the comment has {len(comment):,} characters; at most {MAX_COMMENT_CHARACTERS:,} are kept",
            code="invalid_verdict",
            hint="shorten it",
        )
    return comment or None
