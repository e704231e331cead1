from collections.abc import Callable
from contextlib import closing

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline.storage.ledger_database import Database
from eval_pipeline.storage.ledger_schema import SCHEMA_VERSIONS, metadata
from eval_pipeline.storage.ledger_upgrade import MIGRATIONS, upgrade


def test_the_code_knows_exactly_the_schemas_that_there_are_migrations_to() -> None:
    script = ScriptDirectory(str(MIGRATIONS))

    assert [revision.revision for revision in script.walk_revisions()][::-1] == list(SCHEMA_VERSIONS)


def test_the_migrations_make_the_tables_that_the_code_uses(ledger: SqlLedger) -> None:
    database = ledger._database
    wanted = MetaData(schema=database.schema)
    for table in metadata.sorted_tables:
        table.to_metadata(wanted)

    with database.read() as connection:
        options = {"include_schemas": database.schema is not None, "include_name": only(database)}
        context = MigrationContext.configure(
            connection, opts={**options, "version_table_schema": database.schema, "compare_type": True}
        )
        assert compare_metadata(context, wanted) == []


def only(database: Database) -> Callable[[str | None, str, object], bool]:
    return lambda name, kind, _parents: kind != "schema" or name == database.schema


def test_upgrading_a_current_ledger_changes_nothing(ledger: SqlLedger, ledger_url: str) -> None:
    upgrade(ledger._database)

    with closing(open_ledger(ledger_url)) as again:
        assert again.id == ledger.id
