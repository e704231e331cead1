"""What runs came to for sessions, what these were judged with, and what people rated."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
LATEST = sa.column("is_latest", sa.Boolean) == sa.true()
SERIES = sa.column("is_series", sa.Boolean) == sa.true()


def upgrade() -> None:
    """Make the tables, and the indexes by which the latest result of a session and a period are found."""
    op.create_table(
        "session_instruments",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
    )
    op.create_table(
        "sessions_at_work",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("run", sa.Text, primary_key=True),
    )
    op.create_index("ix_sessions_at_work_run", "sessions_at_work", ["project", "run"])
    op.create_table(
        "session_results",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("session_fingerprint", sa.Text, nullable=False),
        sa.Column("instrument", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("may_be_retried", sa.Boolean, nullable=False),
        sa.Column("failed_tries", sa.BigInteger, nullable=False),
        sa.Column("mean", sa.Float(53)),
        sa.Column("complexity", sa.Float(53)),
        sa.Column("axes", sa.Text, nullable=False),
        sa.Column("cells", sa.BigInteger, nullable=False),
        sa.Column("cells_failed", sa.BigInteger, nullable=False),
        sa.Column("cost_usd", sa.Text),
        sa.Column("profile_id", sa.Text),
        sa.Column("last_active", MOMENT),
        sa.Column("judged_at", MOMENT, nullable=False),
        sa.Column("is_latest", sa.Boolean, nullable=False),
        sa.Column("is_series", sa.Boolean, nullable=False),
        sa.UniqueConstraint("project", "session_id", "run", name="uq_session_results_project_session_run"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_results_run", "session_results", ["project", "run"])
    op.create_index(
        "ix_session_results_latest",
        "session_results",
        ["project", "session_id"],
        unique=True,
        sqlite_where=LATEST,
        postgresql_where=LATEST,
    )
    op.create_index(
        "ix_session_results_series",
        "session_results",
        ["project", "last_active"],
        sqlite_where=SERIES,
        postgresql_where=SERIES,
    )
    op.create_table(
        "session_ratings",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("session_fingerprint", sa.Text, nullable=False),
        sa.Column("axis", sa.Text, nullable=False),
        sa.Column("rater", sa.Text, nullable=False),
        sa.Column("level", sa.Float(53)),
        sa.Column("comment", sa.Text),
        sa.Column("rated_at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_ratings_session", "session_ratings", ["project", "session_id"])


def downgrade() -> None:
    """Remove them."""
    for table in ("session_ratings", "session_results", "sessions_at_work", "session_instruments"):
        op.drop_table(table)
