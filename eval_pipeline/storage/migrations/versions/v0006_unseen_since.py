"""Since when a provider does not show what it should of a batch: patience is measured in time, not in looks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; jobs that are open have not been missed yet."""
    column = sa.Column("unseen_since", sa.DateTime(timezone=True))
    op.add_column("batch_jobs", column, schema=op.get_context().opts["version_table_schema"])


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("batch_jobs", "unseen_since", schema=op.get_context().opts["version_table_schema"])
