"""Batch jobs: one row a request file, submitted at most once."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('intent', 'submitted', 'ended')")


def upgrade() -> None:
    """Make the table and the index that holds open jobs alone."""
    op.create_table(
        "batch_jobs",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("submission_key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("create_started_at", MOMENT),
        sa.Column("waits_until", MOMENT),
        sa.Column("empty_lists", sa.Integer, nullable=False),
        sa.Column("listed_at", MOMENT),
        sa.Column("provider_id", sa.Text),
        sa.Column("provider_status", sa.Text),
        sa.Column("provider_created_at", MOMENT),
        sa.Column("input_file_id", sa.Text),
        sa.Column("output_file_id", sa.Text),
        sa.Column("error_file_id", sa.Text),
        sa.Column("total", sa.BigInteger),
        sa.Column("completed", sa.BigInteger),
        sa.Column("failed", sa.BigInteger),
        sa.Column("looks_without_files", sa.Integer, nullable=False),
        sa.Column("looked_at", MOMENT),
        sa.Column("cancel_requested_at", MOMENT),
        sa.Column("cancelled_by_us", sa.Boolean, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("collected_at", MOMENT),
        sa.Column("outcomes", sa.JSON),
        sa.Column("anomalies", sa.JSON, nullable=False),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.UniqueConstraint("submission_key", name="uq_batch_jobs_submission_key"),
        sa.UniqueConstraint(
            "project", "flow", "run", "stage", "round", "shard", "attempt", name="uq_batch_jobs_project_flow_run_stage"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_batch_jobs_open", "batch_jobs", ["provider", "id"], sqlite_where=OPEN, postgresql_where=OPEN
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("batch_jobs")
