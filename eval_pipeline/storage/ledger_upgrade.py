"""Which schema a ledger has, and how it gets the newest one.

A newer schema that was only added to says so (``min_code``): older processes go on beside newer ones, so that an
upgrade stops nobody. A migration that takes something away raises ``min_code``.

Looking costs one or two plain queries; Alembic (0.4 s to import) is loaded only when there is something to migrate.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import CreateSchema

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.storage.ledger_database import Database
from eval_pipeline.storage.ledger_schema import SCHEMA_VERSIONS, ledger, version_table

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# any number, the same in every version of this code: "eval_pip" as bytes
_ADVISORY_LOCK: Final = int.from_bytes(b"eval_pip")


class Schema(StrEnum):
    """How the schema of a ledger stands to the code that opens it."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    """Made by newer code, which says that this code can work with it."""


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """The schema that a ledger has."""

    stands: Schema
    version: str | None


def look_at(database: Database) -> StoredSchema:
    """Tell which schema a ledger has; one that this code cannot work with raises ``ledger_schema_unknown``."""
    with database.read() as connection:
        return _look_at(connection, database)


def upgrade(database: Database) -> None:
    """Bring the schema to the newest version, in one transaction, one process at a time.

    SQLite's callers also hold the ledger's file lock; PostgreSQL has an advisory lock that ends with the transaction.
    """
    with database.write() as connection:
        if database.schema is not None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            _make_schema(connection, database.schema)
        if _look_at(connection, database).stands in {Schema.MISSING, Schema.OLDER}:
            _migrate(connection, database)


def _look_at(connection: Connection, database: Database) -> StoredSchema:
    version = _stored_version(connection, database.schema)
    if version is None:
        return StoredSchema(Schema.MISSING, None)
    if version in SCHEMA_VERSIONS:
        return StoredSchema(Schema.CURRENT if version == SCHEMA_VERSIONS[-1] else Schema.OLDER, version)
    needs = connection.execute(select(ledger.c.min_code)).scalar_one_or_none()
    if needs in SCHEMA_VERSIONS:
        return StoredSchema(Schema.NEWER, version)
    raise ConflictError(
        f"the ledger {database.shown_url} has schema {version}, which needs code that knows schema {needs}; this "
        f"version of eval-pipeline knows it only up to {SCHEMA_VERSIONS[-1]}",
        code="ledger_schema_unknown",
        hint="a newer eval-pipeline has upgraded it: upgrade this one too, or use another ledger",
    )


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
