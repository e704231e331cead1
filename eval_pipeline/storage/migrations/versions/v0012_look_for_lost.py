"""A next look for jobs that earlier versions called lost: those had none, and nobody asked for them any more."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TOO_LARGE = "%EVAL_BATCH_MAX_RESULT_BYTES%"
"""What is lost because it is too large is collected when a person comes back with a larger limit."""


def upgrade() -> None:
    """Let each be looked for at once; the look itself tells when to look again, if at all."""
    jobs = sa.Table(
        "batch_jobs",
        sa.MetaData(),
        sa.Column("state", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("waits_until", MOMENT),
        sa.Column("collected_at", MOMENT),
        sa.Column("created_at", MOMENT),
    )
    is_small = sa.func.coalesce(jobs.c.error_message, "").not_like(TOO_LARGE)
    is_lost = (jobs.c.state == "lost") & jobs.c.waits_until.is_(None)
    since = sa.func.coalesce(jobs.c.collected_at, jobs.c.created_at)
    op.execute(jobs.update().where(is_lost & is_small).values(waits_until=since))


def downgrade() -> None:
    """Leave them: a look too many does no harm."""
