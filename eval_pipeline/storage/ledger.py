"""The ledger: facts that need transactions and queries, on a SQLite file or on PostgreSQL.

``open_ledger`` makes what is missing and upgrades what is old, whoever else does the same at that moment.
"""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from uuid import UUID

from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError

from eval_pipeline.core.errors import ConflictError, EvalPipelineError, UsageError
from eval_pipeline.storage.ledger_batches import BatchTable
from eval_pipeline.storage.ledger_database import Database
from eval_pipeline.storage.ledger_datasets import DatasetTable
from eval_pipeline.storage.ledger_epoch import EpochTable
from eval_pipeline.storage.ledger_feedback import FeedbackTable
from eval_pipeline.storage.ledger_judgements import JudgementTable
from eval_pipeline.storage.ledger_leases import LeaseTable
from eval_pipeline.storage.ledger_overview import OverviewTable
from eval_pipeline.storage.ledger_runs import RunTable
from eval_pipeline.storage.ledger_schema import SCHEMA_VERSIONS, ledger
from eval_pipeline.storage.ledger_session_results import SessionResultTable
from eval_pipeline.storage.ledger_sessions import SessionTable
from eval_pipeline.storage.ledger_upgrade import Schema, StoredSchema, look_at, upgrade
from eval_pipeline.storage.whole import create_whole, only_one


class SqlLedger(
    DatasetTable,
    RunTable,
    LeaseTable,
    BatchTable,
    FeedbackTable,
    EpochTable,
    SessionResultTable,
    SessionTable,
    OverviewTable,
    JudgementTable,
):
    """All tables of one ledger; safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        with database.read() as connection:
            self.id = UUID(connection.execute(select(ledger.c.id)).scalar_one())
        """Made with the schema; it keeps two installations on one provider account apart."""

    @property
    def url(self) -> str:
        """Where the ledger lies, without password."""
        return self._database.shown_url

    @property
    def schema(self) -> str | None:
        """The version of the schema that it has."""
        return look_at(self._database).version

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def open_ledger(url: str, *, may_upgrade: bool = True) -> SqlLedger:
    """Open the ledger at ``sqlite:///path`` or ``postgresql://…``; made or upgraded first where needed.

    Args:
        url: where it lies.
        may_upgrade: whether one with an older schema may be changed; else it raises ``ledger_upgrade_needed``.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        # its upgrade brings an advisory lock
        return _open(Database(parsed), alone=nullcontext(), may_upgrade=may_upgrade)
    return open_sqlite_ledger(Path(parsed.database or "").absolute(), may_upgrade=may_upgrade)


def open_sqlite_ledger(path: Path, *, may_upgrade: bool = True) -> SqlLedger:
    """Open the ledger in a file; under the lock beside it, it is made whole before it gets its name."""
    lock = path.with_name(f".{path.name}.lock")
    create_whole(path, lambda unfinished: _build_sqlite(unfinished, path), lock=lock)
    return _open(_sqlite(path), alone=only_one(lock), may_upgrade=may_upgrade)


def _build_sqlite(unfinished: Path, path: Path) -> None:
    for suffix in ("-wal", "-shm"):  # of a file that was deleted; SQLite would replay them into the new one
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    database = _sqlite(unfinished)
    try:
        upgrade(database)
    finally:
        database.close()  # the last connection moves the write-ahead log into the file


def _sqlite(path: Path) -> Database:
    return Database(URL.create("sqlite", database=str(path)))


def _open(database: Database, *, alone: AbstractContextManager[None], may_upgrade: bool) -> SqlLedger:
    try:
        stored = look_at(database)
        if stored.stands in {Schema.MISSING, Schema.OLDER}:
            if not may_upgrade:
                raise _upgrade_needed(database, stored)
            with alone:
                upgrade(database)
        return SqlLedger(database)
    except EvalPipelineError:
        database.close()
        raise


def _upgrade_needed(database: Database, stored: StoredSchema) -> ConflictError:
    has = "no tables yet" if stored.version is None else f"schema {stored.version}"
    return ConflictError(
        f"the ledger {database.shown_url} has {has}; this version of eval-pipeline works with schema "
        f"{SCHEMA_VERSIONS[-1]}, and EVAL_LEDGER_AUTO_UPGRADE=never keeps it from changing that by itself",
        code="ledger_upgrade_needed",
        hint="take a backup, then run: eval-pipeline ledger upgrade",
    )


def _parse(url: str) -> URL:
    # postgres:// is how hosting services spell it; SQLAlchemy does not know it
    spelled = f"postgresql://{url.removeprefix('postgres://')}" if url.startswith("postgres://") else url
    try:
        parsed = make_url(spelled)
    except (ArgumentError, ValueError):
        raise _bad_url("it is no URL") from None
    if parsed.drivername not in {"sqlite", "postgresql", "postgresql+psycopg2"}:
        raise _bad_url(f"'{parsed.drivername}' is not supported")
    if parsed.drivername == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise _bad_url("it names no file")
    return parsed


def _bad_url(problem: str) -> UsageError:
    return UsageError(
        f"the URL of the ledger database (EVAL_PIPELINE_DATABASE_URL) cannot be used: {problem}",
        code="invalid_database_url",
        hint="write sqlite:///relative/path, sqlite:////absolute/path or postgresql://user:password@host:port/database",
    )
