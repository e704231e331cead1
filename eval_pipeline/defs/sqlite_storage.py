"""Dagster's SQLite storage with its connections kept open.

Dagster builds an engine and a connection for every statement: 700 in a run of nine stages, 0.7 of its 4.4 seconds. It
reads all of its migrations whenever it opens a file, also one that was made long ago: 40 ms of every command. The
files, tables and statements are Dagster's own; other processes may use the same files in Dagster's own way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from dagster._core.storage.event_log import SqlEventLogStorageMetadata, SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.runs.schema import InstanceInfo
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    _event_logs_directory,
    _runs_directory,
    _schedule_directory,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    NullPool,
    QueuePool,
    String,
    Table,
    create_engine,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError


def open_engine(url: str) -> Engine:
    """Build an engine that keeps its connections and makes as many as there are threads that need one at once."""
    return create_engine(
        url, poolclass=QueuePool, max_overflow=-1, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    )


_VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def _version(connection: Connection) -> str | None:
    """Return the version of the schema that a file has; None when nobody has written one down."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.scalar(select(_VERSIONS.c.version_num))


def _is_made(folder: str, name: str, *tables: str) -> bool:
    """Tell whether a file has a version and these tables: Dagster's own opening would leave it as it is."""
    if not Path(folder, f"{name}.db").exists():
        return False
    engine = create_engine(create_db_conn_string(folder, name), poolclass=NullPool)
    with engine.connect() as connection:
        has = inspect(connection)
        return _version(connection) is not None and all(has.has_table(table) for table in tables)


class KeptSqliteStorage(DagsterSqliteStorage):
    """Runs, events and schedules below one folder, as ``DagsterSqliteStorage`` lays them out."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # past the class whose own storages are replaced here
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]  # dagster's is not annotated
        self.base_dir = base_dir
        self._inst_data = inst_data
        self._run_storage = KeptRunStorage.from_local(_runs_directory(base_dir))
        self._event_log_storage = KeptEventLogStorage(_event_logs_directory(base_dir))
        self._schedule_storage = KeptScheduleStorage.from_local(_schedule_directory(base_dir))


class KeptRunStorage(SqliteRunStorage):
    """Runs, over one engine."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(conn_string, inst_data)
        self._engine = open_engine(conn_string)

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Self:
        """Open the file as it is, or make it as Dagster does."""
        if _is_made(base_dir, "runs", InstanceInfo.name):
            return cls(create_db_conn_string(base_dir, "runs"), inst_data)
        return super().from_local(base_dir, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a transaction."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all connections."""
        super().dispose()
        self._engine.dispose()


class KeptScheduleStorage(SqliteScheduleStorage):
    """Schedules and sensors, opened without a look through Dagster's migrations."""

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> SqliteScheduleStorage:
        """Open the file as it is, or make it as Dagster does."""
        if _is_made(base_dir, "schedules"):
            return cls(create_db_conn_string(base_dir, "schedules"), inst_data)
        return super().from_local(base_dir, inst_data)


class KeptEventLogStorage(SqliteEventLogStorage):
    """Events, over one engine for the index and one for the run that was used last: every run has a file of its own."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)
        self._initialized_dbs.add(INDEX_SHARD_NAME)  # made by the line above where it was missing

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table; one that is there stays there."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:  # noqa: FBT002 - as Dagster has it
        """Make a run's file as the index was made: Dagster reads all of its migrations for each, 0.1 s."""
        if for_index_shard or not self._is_like_index(engine):
            super()._initdb(engine, for_index_shard)

    def _is_like_index(self, engine: Engine) -> bool:
        """Make the tables and the version that the index has, unless they are there; False when that did not work."""
        with self._engine_of(INDEX_SHARD_NAME).connect() as index:
            wanted = _version(index)
        if wanted is None:
            return False
        try:
            with engine.connect() as connection:
                if _version(connection) is None:
                    connection.commit()
                    SqlEventLogStorageMetadata.create_all(engine)
                    connection.execute(text("PRAGMA journal_mode=WAL"))
                    _VERSIONS.create(connection, checkfirst=True)
                    connection.execute(_VERSIONS.insert().values(version_num=wanted))
                    connection.commit()
        except DatabaseError:  # another process makes it, too: Dagster's own way waits for that one
            return False
        return True

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine_of(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _engine_of(self, shard: str) -> Engine:
        if shard in self._engines and os.path.exists(self.path_for_shard(shard)):  # noqa: PTH110 - 500 times a run
            return self._engines[shard]
        for other in set(self._engines) - {INDEX_SHARD_NAME}:
            self._engines.pop(other).dispose()
        self._engines[shard] = open_engine(self.conn_string_for_shard(shard))
        return self._engines[shard]

    def dispose(self) -> None:
        """Close all connections."""
        super().dispose()
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
