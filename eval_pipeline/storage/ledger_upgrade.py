"""Which schema a ledger has, and how it gets the newest one.

Looking costs one or two plain queries; Alembic (0.4 s to import) is loaded only when there is something to migrate.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import CreateSchema

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.storage.ledger_database import Database
from eval_pipeline.storage.ledger_schema import SCHEMA_VERSIONS, version_table

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# any number, the same in every version of this code: "eval_pip" as bytes
_ADVISORY_LOCK: Final = int.from_bytes(b"eval_pip")


def is_current(database: Database) -> bool:
    """Tell whether the schema is the one this code works with; a newer one raises ``ledger_schema_unknown``."""
    with database.read() as connection:
        return _is_current(connection, database)


def upgrade(database: Database) -> None:
    """Bring the schema to the newest version, in one transaction, one process at a time.

    SQLite's callers also hold the ledger's file lock; PostgreSQL has an advisory lock that ends with the transaction.
    """
    with database.write() as connection:
        if database.schema is not None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            _make_schema(connection, database.schema)
        if not _is_current(connection, database):
            _migrate(connection, database)


def _is_current(connection: Connection, database: Database) -> bool:
    stored = _stored_version(connection, database.schema)
    if stored is not None and stored not in SCHEMA_VERSIONS:
        raise ConflictError(
            f"the ledger {database.shown_url} has schema {stored}; this version of eval-pipeline knows it only up to "
            f"{SCHEMA_VERSIONS[-1]}",
            code="ledger_schema_unknown",
            hint="a newer eval-pipeline has upgraded it: upgrade this one too, or use another ledger",
        )
    return stored == SCHEMA_VERSIONS[-1]


def _stored_version(connection: Connection, schema: str | None) -> str | None:
    if not inspect(connection).has_table(version_table.name, schema=schema):
        return None
    return connection.execute(select(version_table.c.version_num)).scalar_one_or_none()


def _make_schema(connection: Connection, schema: str) -> None:
    # looked up first: CREATE SCHEMA IF NOT EXISTS needs the right to create even where there is nothing to do
    if not inspect(connection).has_schema(schema):
        connection.execute(CreateSchema(schema))


def _migrate(connection: Connection, database: Database) -> None:
    from alembic import command  # noqa: PLC0415 - 0.4 s, and only a ledger of another version needs it
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, schema=database.schema)
    command.upgrade(config, "head")
