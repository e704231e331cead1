"""Finding runs by their state, whatever the project: sensors look for those that are requested or under way."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index: a look must not cost more as history grows."""
    op.create_index("ix_runs_state", "runs", ["state"])


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("ix_runs_state", "runs")
