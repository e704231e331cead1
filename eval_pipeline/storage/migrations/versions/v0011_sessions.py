"""Recorded sessions: which there are, where their contents lie, and what people said of their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
SHOWN = sa.text("hidden_at IS NULL")


def upgrade() -> None:
    """Make the tables, and the indexes by which sessions are listed and gone through."""
    op.create_table(
        "sessions",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("profile_id", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT),
        sa.Column("last_active", MOMENT),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("ingested_at", MOMENT, nullable=False),
        sa.Column("hidden_at", MOMENT),
        sa.Column("forgotten_at", MOMENT),
        sa.UniqueConstraint("project", "session_id", name="uq_sessions_project_session"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sessions_part", "sessions", ["project", "part"])
    op.create_index(
        "ix_sessions_shown",
        "sessions",
        ["project", sa.column("pinned").desc(), sa.column("last_active").desc(), "session_id"],
        sqlite_where=SHOWN,
        postgresql_where=SHOWN,
    )
    op.create_index("ix_sessions_activity", "sessions", ["project", "last_active", "session_id"])
    op.create_table(
        "session_contents",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("ingested_at", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_contents_session", "session_contents", ["project", "session_id"])
    op.create_table(
        "session_parts",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.UniqueConstraint("project", "key", name="uq_session_parts_project_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "session_thumbs",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("message_index", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("message_sha256", sa.Text, nullable=False),
        sa.Column("rating", sa.Integer),
        sa.Column("comment", sa.Text),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.Column("orphaned", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_thumbs_session", "session_thumbs", ["project", "session_id"])


def downgrade() -> None:
    """Remove them."""
    for table in ("session_thumbs", "session_parts", "session_contents", "sessions"):
        op.drop_table(table)
