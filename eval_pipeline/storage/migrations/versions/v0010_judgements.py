"""Judgements that the runs of a project share, one row a cell, and what the labels of panels and rubrics stand for."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and the indexes by which cells of an item and of a run are found."""
    op.create_table(
        "judgements",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("judgement_id", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("expert_id", sa.Text, nullable=False),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("place", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.UniqueConstraint("project", "judgement_id", name="uq_judgements_project_judgement_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_judgements_item", "judgements", ["project", "item_id"])
    op.create_index("ix_judgements_run", "judgements", ["project", "flow", "run"])
    op.create_table(
        "judge_labels",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("project", "kind", "name", name="uq_judge_labels_project_kind_name"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("judge_labels")
    op.drop_table("judgements")
