"""How many sessions each project shows, and an index by profile: a page costs the same however many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SHOWN = sa.text("hidden_at IS NULL")


def upgrade() -> None:
    """Make the table, count what is there, and make the index."""
    counts = op.create_table(
        "session_counts",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("shown", sa.BigInteger, nullable=False),
    )
    sessions = sa.Table("sessions", sa.MetaData(), sa.Column("project", sa.Text), sa.Column("hidden_at", sa.DateTime))
    shown = sa.select(sessions.c.project, sa.func.count()).where(sessions.c.hidden_at.is_(None))
    op.execute(counts.insert().from_select(["project", "shown"], shown.group_by(sessions.c.project)))
    in_order = ["pinned DESC", "last_active DESC", "session_id"]
    if op.get_bind().dialect.name == "postgresql":  # there a list is not read by an index that puts nulls first
        in_order = ["pinned DESC", "last_active DESC NULLS LAST", "session_id"]
        op.drop_index("ix_sessions_shown", "sessions")
        _index("ix_sessions_shown", ["project", *in_order])
    _index("ix_sessions_profile", ["project", "profile_id", *in_order])


def _index(name: str, columns: list[str]) -> None:
    in_words = [sa.text(column) for column in columns]
    op.create_index(name, "sessions", in_words, sqlite_where=SHOWN, postgresql_where=SHOWN)


def downgrade() -> None:
    """Remove both; the order in which PostgreSQL's index puts nulls may stay."""
    op.drop_index("ix_sessions_profile", "sessions")
    op.drop_table("session_counts")
