"""Knowing a ledger that was restored from a backup, and letting older code go on beside newer.

Everything is added, nothing changed: each column has a default, so that code that does not know it works on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NUMBERS = ("submissions_announced", "submissions_stored", "highest_token", "lowest_token")


def upgrade() -> None:
    """Add what the ledger knows of itself, and since when a job is looked for."""
    schema = _schema()
    op.add_column("ledger", sa.Column("min_code", sa.Text, nullable=False, server_default="0005"), schema=schema)
    for name in NUMBERS:
        op.add_column("ledger", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"), schema=schema)
    op.add_column("ledger", sa.Column("restored_at", MOMENT), schema=schema)
    op.add_column("batch_jobs", sa.Column("sought_since", MOMENT), schema=schema)
    ledger, leases = _table("ledger", "highest_token"), _table("leases", "token")
    handed_out = sa.select(sa.func.coalesce(sa.func.max(leases.c.token), 0)).scalar_subquery()
    op.execute(ledger.update().values(highest_token=handed_out))


def downgrade() -> None:
    """Remove them."""
    schema = _schema()
    op.drop_column("batch_jobs", "sought_since", schema=schema)
    for name in ("restored_at", *NUMBERS, "min_code"):
        op.drop_column("ledger", name, schema=schema)


def _schema() -> str | None:
    """Name the schema: unlike the making of a table, its altering is not translated to it."""
    schema: str | None = op.get_context().opts["version_table_schema"]
    return schema


def _table(name: str, column: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), sa.Column(column, sa.BigInteger))
