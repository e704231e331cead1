"""The protocol of a batch job: an endpoint's name no longer tells it, and whoever collects goes by it.

The column has a default, so that older code works on beside this one; the names that it knows tell their protocol.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = "ix_batch_jobs_open"
OPEN = sa.text("state IN ('intent', 'submitted', 'ended')")


def upgrade() -> None:
    """Add the column, and find open jobs by it."""
    schema = _schema()
    column = sa.Column("protocol", sa.Text, nullable=False, server_default="openai_responses")
    op.add_column("batch_jobs", column, schema=schema)
    jobs = sa.Table("batch_jobs", sa.MetaData(), sa.Column("provider", sa.Text), sa.Column("protocol", sa.Text))
    op.execute(jobs.update().where(jobs.c.provider == "gemini").values(protocol="gemini"))
    _find_open_by("protocol")


def downgrade() -> None:
    """Remove it."""
    _find_open_by("provider")
    op.drop_column("batch_jobs", "protocol", schema=_schema())


def _find_open_by(column: str) -> None:
    op.drop_index(INDEX, table_name="batch_jobs", schema=_schema())
    op.create_index(
        INDEX, "batch_jobs", [column, "id"], sqlite_where=OPEN, postgresql_where=OPEN, schema=_schema()
    )


def _schema() -> str | None:
    """Name the schema: unlike the making of a table, its altering is not translated to it."""
    schema: str | None = op.get_context().opts["version_table_schema"]
    return schema
