from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, text

from eval_pipeline.core.batches import JobState
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.ports.ledger import Lease
from eval_pipeline.core.runs import Worker
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline.storage.ledger_database import Database
from eval_pipeline.storage.ledger_schema import SCHEMA_VERSIONS, metadata
from eval_pipeline.storage.ledger_upgrade import MIGRATIONS, upgrade
from eval_pipeline_tests.storage.records import a_dataset, a_job, a_run


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


NEXT = "9999"


def one_ahead(database: Database, *, min_code: str) -> None:
    """Make the schema one that a later version will have, with a column and a table more."""
    prefix = f"{database.schema}." if database.schema else ""
    with database.write() as connection:
        connection.execute(text(f"ALTER TABLE {prefix}batch_jobs ADD COLUMN of_tomorrow TEXT DEFAULT 'yes' NOT NULL"))
        connection.execute(text(f"CREATE TABLE {prefix}tomorrow (id INTEGER PRIMARY KEY)"))
        connection.execute(text(f"UPDATE {prefix}alembic_version SET version_num = '{NEXT}'"))  # noqa: S608 - ours
        connection.execute(text(f"UPDATE {prefix}ledger SET min_code = '{min_code}'"))  # noqa: S608 - ours


def test_code_works_on_a_later_schema_that_says_so(ledger: SqlLedger, ledger_url: str) -> None:
    one_ahead(ledger._database, min_code=SCHEMA_VERSIONS[-1])

    with closing(open_ledger(ledger_url)) as older:
        older.add_dataset(a_dataset())
        older.claim_run(a_run())
        [job] = older.add_jobs([a_job()])
        assert older.change_job(job, to=JobState.FAILED) is not None
        assert isinstance(older.acquire_lease("a stage", holder=Worker(host="here", pid=1, started_at=0.0)), Lease)
        older.count_submission(lambda _: None)
        assert (older.schema, older.id) == (NEXT, ledger.id)
    assert ledger.schema == NEXT, "what newer code made is left as it is"


def test_code_refuses_a_later_schema_that_took_something_away(ledger: SqlLedger, ledger_url: str) -> None:
    one_ahead(ledger._database, min_code=NEXT)

    with pytest.raises(ConflictError) as refused:
        open_ledger(ledger_url)

    assert refused.value.code == "ledger_schema_unknown"
    assert NEXT in refused.value.message


def test_an_older_schema_waits_for_a_person_where_it_is_not_to_be_upgraded(ledger: SqlLedger, ledger_url: str) -> None:
    database = ledger._database
    downgrade(database, to=SCHEMA_VERSIONS[-2])

    with pytest.raises(ConflictError) as refused:
        open_ledger(ledger_url, may_upgrade=False)
    assert refused.value.code == "ledger_upgrade_needed"
    assert "eval-pipeline ledger upgrade" in refused.value.hint

    open_ledger(ledger_url).close()
    with closing(open_ledger(ledger_url, may_upgrade=False)) as upgraded:
        assert (upgraded.schema, upgraded.id) == (SCHEMA_VERSIONS[-1], ledger.id)


def test_jobs_that_an_earlier_version_called_lost_are_looked_for_again(ledger: SqlLedger, ledger_url: str) -> None:
    """Not those whose results were too large: they are collected when a person comes back with a larger limit."""
    lost, large = ledger.add_jobs([a_job(), a_job("other")])
    ledger.change_job(lost, to=JobState.LOST, error_message="neither known nor listed")
    ledger.change_job(large, to=JobState.LOST, error_message="more than 5 bytes (EVAL_BATCH_MAX_RESULT_BYTES)")
    downgrade(ledger._database, to="0010")

    with closing(open_ledger(ledger_url)) as upgraded:
        due = upgraded.lost_jobs(protocols=[lost.protocol], due=datetime.now(UTC), limit=9)
        assert [job.id for job in due] == [lost.id]


def downgrade(database: Database, *, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with database.write() as connection:
        config.attributes.update(connection=connection, schema=database.schema)
        command.downgrade(config, to)
