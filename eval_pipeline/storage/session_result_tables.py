"""The ledger's tables of what runs came to for sessions, and of what people rated."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Table, Text, UniqueConstraint, true

from eval_pipeline.storage.ledger_schema import ROW_ID, FreeText, UtcDateTime, metadata

session_instruments: Final = Table(
    "session_instruments",
    metadata,
    Column("project", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
)

sessions_at_work: Final = Table(
    "sessions_at_work",
    metadata,
    Column("project", Text, primary_key=True),
    Column("session_id", Text, primary_key=True),
    Column("run", Text, primary_key=True),
    Index("ix_sessions_at_work_run", "project", "run"),
)
"""Sessions that a run is to judge, until it has; whether it still does, the run's own state tells."""

session_results: Final = Table(
    "session_results",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("session_fingerprint", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("may_be_retried", Boolean, nullable=False),
    Column("failed_tries", BigInteger, nullable=False),
    Column("mean", Float(53)),
    Column("complexity", Float(53)),
    Column("axes", Text, nullable=False),
    Column("cells", BigInteger, nullable=False),
    Column("cells_failed", BigInteger, nullable=False),
    Column("cost_usd", Text),
    Column("profile_id", FreeText),
    Column("last_active", UtcDateTime),
    Column("judged_at", UtcDateTime, nullable=False),
    Column("is_latest", Boolean, nullable=False),
    Column("is_series", Boolean, nullable=False),
    UniqueConstraint("project", "session_id", "run", name="uq_session_results_project_session_run"),
    Index("ix_session_results_run", "project", "run"),
    sqlite_autoincrement=True,
)
"""A row a session and run. ``is_latest``: of its session. ``is_series``: the one of its session and instrument that
counts in what is told of weeks. ``axes`` is JSON text, and ``cost_usd`` a decimal number in text, which no database
rounds."""
Index(
    "ix_session_results_latest",
    session_results.c.project,
    session_results.c.session_id,
    unique=True,
    sqlite_where=session_results.c.is_latest == true(),
    postgresql_where=session_results.c.is_latest == true(),
)
Index(
    "ix_session_results_series",
    session_results.c.project,
    session_results.c.last_active,
    sqlite_where=session_results.c.is_series == true(),
    postgresql_where=session_results.c.is_series == true(),
)

session_ratings: Final = Table(
    "session_ratings",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("session_fingerprint", Text, nullable=False),
    Column("axis", Text, nullable=False),
    Column("rater", FreeText, nullable=False),
    Column("level", Float(53)),
    Column("comment", FreeText),
    Column("rated_at", UtcDateTime, nullable=False),
    Index("ix_session_ratings_session", "project", "session_id"),
    sqlite_autoincrement=True,
)
"""Appended and never edited; of a session, axis and rater the last row stands."""
