"""The ledger's tables of recorded sessions: facts and places; contents lie in the object store."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from eval_pipeline.storage.ledger_schema import ROW_ID, FreeText, UtcDateTime, metadata

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("profile_id", FreeText),
    Column("name", FreeText),
    Column("pinned", Boolean, nullable=False),
    Column("created_at", UtcDateTime),
    Column("last_active", UtcDateTime),
    Column("messages", BigInteger, nullable=False),
    Column("facts", FreeText, nullable=False),
    Column("outcome", FreeText),
    Column("part", Text, nullable=False),
    Column("row", Integer, nullable=False),
    Column("ingested_at", UtcDateTime, nullable=False),
    Column("hidden_at", UtcDateTime),
    Column("forgotten_at", UtcDateTime),
    UniqueConstraint("project", "session_id", name="uq_sessions_project_session"),
    Index("ix_sessions_part", "project", "part"),
    sqlite_autoincrement=True,
)
_IS_SHOWN: Final = sessions.c.hidden_at.is_(None)
_IN_ORDER: Final = (sessions.c.pinned.desc(), sessions.c.last_active.desc().nulls_last(), sessions.c.session_id)
"""As a list is asked for; SQLite, which puts nulls last there by itself, has the index without the words."""
Index("ix_sessions_shown", sessions.c.project, *_IN_ORDER, sqlite_where=_IS_SHOWN, postgresql_where=_IS_SHOWN)
"""The order of a list; hidden sessions are not in it."""
Index(
    "ix_sessions_profile",
    sessions.c.project,
    sessions.c.profile_id,
    *_IN_ORDER,
    sqlite_where=_IS_SHOWN,
    postgresql_where=_IS_SHOWN,
)
"""The same of one profile, which is listed and counted there without the rows themselves."""
Index("ix_sessions_activity", sessions.c.project, sessions.c.last_active, sessions.c.session_id)
"""The order in which sessions are gone through."""

session_counts: Final = Table(
    "session_counts",
    metadata,
    Column("project", Text, primary_key=True),
    Column("shown", BigInteger, nullable=False),
)
"""How many sessions of a project are not hidden: written in the transaction that shows or hides them."""

session_contents: Final = Table(
    "session_contents",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("row", Integer, nullable=False),
    Column("ingested_at", UtcDateTime, nullable=False),
    Column("replaced_at", UtcDateTime, nullable=False),
    Index("ix_session_contents_session", "project", "session_id"),
    sqlite_autoincrement=True,
)
"""Where earlier contents lie, for audit."""

session_parts: Final = Table(
    "session_parts",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    UniqueConstraint("project", "key", name="uq_session_parts_project_key"),
    sqlite_autoincrement=True,
)
"""Objects with contents, noted before they are written: nothing lies in the store that no row knows."""

session_thumbs: Final = Table(
    "session_thumbs",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("message_index", BigInteger, nullable=False),
    Column("message_id", FreeText),
    Column("message_sha256", Text, nullable=False),
    Column("rating", Integer),
    Column("comment", FreeText),
    Column("author", FreeText, nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
    Column("orphaned", Boolean, nullable=False),
    Index("ix_session_thumbs_session", "project", "session_id"),
    sqlite_autoincrement=True,
)
"""What people said of messages, entry by entry; a null rating takes back."""
