"""Lost jobs by when they are looked for again: the sensor does so, and most jobs are not lost."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    lost = sa.text("state = 'lost'")
    op.create_index(
        "ix_batch_jobs_lost",
        "batch_jobs",
        ["waits_until"],
        schema=op.get_context().opts["version_table_schema"],
        sqlite_where=lost,
        postgresql_where=lost,
    )


def downgrade() -> None:
    """Remove the index."""
    schema = op.get_context().opts["version_table_schema"]
    op.drop_index("ix_batch_jobs_lost", table_name="batch_jobs", schema=schema)
