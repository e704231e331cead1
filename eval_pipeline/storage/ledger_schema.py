"""The tables of the ledger and how their values travel.

The migrations make these tables; a test compares the two. On PostgreSQL they live in a schema of their own, because
Dagster keeps tables called ``runs`` and ``alembic_version`` too and may share the database.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

POSTGRESQL_SCHEMA: Final = "eval_pipeline"
SCHEMA_VERSIONS: Final = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
)
"""Every schema that this code can upgrade from, oldest first; the last is the one it works with."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in, UTC out, on databases that keep time zones and on those that do not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a time zone: nobody could tell when it was."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError(f"the ledger takes moments with a time zone, not {value!r}")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC; SQLite forgot that it is."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class FreeText(TypeDecorator[str]):
    """Words of people and providers; what no database stores (NUL, lone surrogates) becomes a replacement mark."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401 - as the base class says
        """Replace what PostgreSQL or UTF-8 cannot hold."""
        del dialect
        return None if value is None else value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


# SQLite counts rows only in a column that is an INTEGER to the letter
ROW_ID: Final = BigInteger().with_variant(Integer, "sqlite")

version_table: Final = Table("alembic_version", MetaData(), Column("version_num", Text, primary_key=True))

metadata: Final = MetaData()

ledger: Final = Table(
    "ledger",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("min_code", Text, nullable=False, server_default="0005"),
    Column("submissions_announced", BigInteger, nullable=False, server_default="0"),
    Column("submissions_stored", BigInteger, nullable=False, server_default="0"),
    Column("highest_token", BigInteger, nullable=False, server_default="0"),
    Column("lowest_token", BigInteger, nullable=False, server_default="0"),
    Column("restored_at", UtcDateTime),
)
"""One row. ``min_code``: the oldest schema whose code can work with this one. Tokens rise above ``lowest_token``."""

datasets: Final = Table(
    "datasets",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("original_items_count", BigInteger, nullable=False),
    Column("duplication_factor", Integer, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("skipped_rows_count", BigInteger, nullable=False),
    Column("skipped_rows", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("description", FreeText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    UniqueConstraint("project", "name", "version", name="uq_datasets_project_name_version"),
    sqlite_autoincrement=True,
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("spec", JSON, nullable=False),
    Column("spec_hash", Text, nullable=False),
    Column("dataset_name", Text, nullable=False),
    Column("dataset_version", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("requested_by", FreeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("worker_host", Text),
    Column("worker_pid", BigInteger),
    Column("worker_started_at", Float(53)),
    Column("dagster_run_id", Text),
    Column("max_cost_usd", Float(53)),
    Column("cancel_requested", Boolean, nullable=False),
    Column("error_code", Text),
    Column("error_message", FreeText),
    Column("error_hint", FreeText),
    UniqueConstraint("project", "flow", "name", name="uq_runs_project_flow_name"),
    Index("ix_runs_project_state", "project", "state"),
    Index("ix_runs_state", "state"),
    Index("ix_runs_dataset", "project", "dataset_name", "dataset_version"),
    sqlite_autoincrement=True,
)

leases: Final = Table(
    "leases",
    metadata,
    Column("resource", Text, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("holder_host", Text, nullable=False),
    Column("holder_pid", BigInteger, nullable=False),
    Column("holder_started_at", Float(53), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

batch_jobs: Final = Table(
    "batch_jobs",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("submission_key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("protocol", Text, nullable=False, server_default="openai_responses"),
    Column("account", Text, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("model", FreeText, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("create_started_at", UtcDateTime),
    Column("sought_since", UtcDateTime),
    Column("waits_until", UtcDateTime),
    Column("empty_lists", Integer, nullable=False),
    Column("listed_at", UtcDateTime),
    Column("provider_id", FreeText),
    Column("provider_status", FreeText),
    Column("provider_created_at", UtcDateTime),
    Column("input_file_id", FreeText),
    Column("output_file_id", FreeText),
    Column("error_file_id", FreeText),
    Column("total", BigInteger),
    Column("completed", BigInteger),
    Column("failed", BigInteger),
    Column("looks_without_files", Integer, nullable=False),
    Column("unseen_since", UtcDateTime),
    Column("looked_at", UtcDateTime),
    Column("cancel_requested_at", UtcDateTime),
    Column("cancelled_by_us", Boolean, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("collected_at", UtcDateTime),
    Column("outcomes", JSON(none_as_null=True)),
    Column("anomalies", JSON, nullable=False),
    Column("error_code", FreeText),
    Column("error_message", FreeText),
    UniqueConstraint("submission_key", name="uq_batch_jobs_submission_key"),
    UniqueConstraint(
        "project", "flow", "run", "stage", "round", "shard", "attempt", name="uq_batch_jobs_project_flow_run_stage"
    ),
    sqlite_autoincrement=True,
)
OPEN_STATES: Final = ("intent", "submitted", "ended")
LOST_STATE: Final = "lost"
Index(
    "ix_batch_jobs_open",
    batch_jobs.c.protocol,
    batch_jobs.c.id,
    sqlite_where=batch_jobs.c.state.in_(OPEN_STATES),
    postgresql_where=batch_jobs.c.state.in_(OPEN_STATES),
)
"""Only open jobs are in it: looking for them does not cost more as history grows."""
Index(
    "ix_batch_jobs_lost",
    batch_jobs.c.waits_until,
    sqlite_where=batch_jobs.c.state == LOST_STATE,
    postgresql_where=batch_jobs.c.state == LOST_STATE,
)

feedback: Final = Table(
    "feedback",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("text_sha256", Text, nullable=False),
    Column("changed", JSON, nullable=False),
    Column("is_correct", Boolean),
    Column("comment", FreeText),
    Column("tags", JSON, nullable=False),
    Column("reviewer", FreeText, nullable=False),
    Column("judged_at", UtcDateTime, nullable=False),
    Index("ix_feedback_run", "project", "flow", "run"),
    sqlite_autoincrement=True,
)
"""``changed`` names the columns that an entry speaks of; null in one that it does not name means nothing."""

judgements: Final = Table(
    "judgements",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("judgement_id", Text, nullable=False),
    Column("item_id", FreeText, nullable=False),
    Column("expert_id", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("place", Text),
    Column("tries", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("project", "judgement_id", name="uq_judgements_project_judgement_id"),
    Index("ix_judgements_item", "project", "item_id"),
    Index("ix_judgements_run", "project", "flow", "run"),
    sqlite_autoincrement=True,
)
"""One row a cell that some run of a project has claimed, or has had judged; ``place`` is where its judgement lies."""

judge_labels: Final = Table(
    "judge_labels",
    metadata,
    Column("id", ROW_ID, primary_key=True, autoincrement=True),
    Column("project", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", FreeText, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("project", "kind", "name", name="uq_judge_labels_project_kind_name"),
    sqlite_autoincrement=True,
)
"""What the version of a panel or a rubric stands for: two texts may not have one label."""
