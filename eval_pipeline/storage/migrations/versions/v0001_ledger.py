"""Datasets, runs and leases, and the identity of this ledger."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the first tables; the ledger's id keeps two installations on one provider account apart."""
    make_ledger()
    make_datasets()
    make_runs()
    make_leases()


def downgrade() -> None:
    """Remove everything."""
    for table in ("leases", "runs", "datasets", "ledger"):
        op.drop_table(table)


def make_ledger() -> None:
    """Make the table of one row that names this ledger."""
    ledger = op.create_table(
        "ledger",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.bulk_insert(ledger, [{"id": str(uuid4()), "created_at": datetime.now(UTC)}])


def make_datasets() -> None:
    """Make the table of dataset versions."""
    op.create_table(
        "datasets",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("original_items_count", sa.BigInteger, nullable=False),
        sa.Column("duplication_factor", sa.Integer, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("skipped_rows_count", sa.BigInteger, nullable=False),
        sa.Column("skipped_rows", sa.JSON, nullable=False),
        sa.Column("warnings", sa.JSON, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.UniqueConstraint("project", "name", "version", name="uq_datasets_project_name_version"),
        sqlite_autoincrement=True,
    )


def make_runs() -> None:
    """Make the table of runs, whose names are unique per project and flow."""
    op.create_table(
        "runs",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("spec_hash", sa.Text, nullable=False),
        sa.Column("dataset_name", sa.Text, nullable=False),
        sa.Column("dataset_version", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("worker_host", sa.Text),
        sa.Column("worker_pid", sa.BigInteger),
        sa.Column("worker_started_at", sa.Float(53)),
        sa.Column("dagster_run_id", sa.Text),
        sa.Column("max_cost_usd", sa.Float(53)),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("error_hint", sa.Text),
        sa.UniqueConstraint("project", "flow", "name", name="uq_runs_project_flow_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_project_state", "runs", ["project", "state"])
    op.create_index("ix_runs_dataset", "runs", ["project", "dataset_name", "dataset_version"])


def make_leases() -> None:
    """Make the table of leases; rows stay after a release, so that tokens only rise."""
    op.create_table(
        "leases",
        sa.Column("resource", sa.Text, primary_key=True),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("holder_host", sa.Text, nullable=False),
        sa.Column("holder_pid", sa.BigInteger, nullable=False),
        sa.Column("holder_started_at", sa.Float(53), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
