"""The one door to the ledger's database: its engine, its transactions, and its errors in words a person can act on."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, Row, Select, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from eval_pipeline.core.datasets import Page
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.storage.ledger_schema import POSTGRESQL_SCHEMA

T = TypeVar("T")

LOCK_PATIENCE_S: Final = 30
_WRITES: Final = "eval_pipeline_writes"
_SHOWN_QUERY: Final = frozenset({"host", "port"})

_HINTS: Final = {
    "SQLITE_FULL": "free disk space there and repeat the command; what is stored stays",
    "SQLITE_IOERR": "check the disk and its free space, then repeat the command",
    "SQLITE_BUSY": f"another process kept the file locked for {LOCK_PATIENCE_S} s: end it, then repeat the command",
    "SQLITE_READONLY": "make the file and its folder writable for this user",
    "SQLITE_CANTOPEN": "check that the file and its folder exist and are readable and writable for this user",
    "SQLITE_NOTADB": "the file is something else: move it away, or name another one",
    "SQLITE_CORRUPT": "restore the file from a backup, or move it away to begin anew",
    "53100": "free disk space on the database server, then repeat the command",
    "53300": "the server has no free connection: end other clients or raise its max_connections",
    "42501": "grant this user the right, or let an administrator open the ledger once",
}
_DEFAULT_HINT: Final = (
    "check that the server runs and that EVAL_PIPELINE_DATABASE_URL names host, port, database, user and password "
    "rightly, then repeat the command; what is stored stays"
)


class Database:
    """An engine on SQLite or PostgreSQL and the two kinds of transaction that the ledger makes."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.schema = POSTGRESQL_SCHEMA if url.get_backend_name() == "postgresql" else None
        self.engine = _postgresql_engine(url) if self.schema else _sqlite_engine(url)

    @property
    def shown_url(self) -> str:
        """The URL without password, and without whatever else its query may hide."""
        query = {name: value for name, value in self.url.query.items() if name in _SHOWN_QUERY}
        return self.url.set(query=query).render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads; it never waits for a writer."""
        with self._explained(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes; on SQLite it takes the write lock at once, so that it cannot fail half-way.

        ``IntegrityError`` passes through: only the caller knows what a taken key means.
        """
        with (
            self._explained(),
            self.engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def empty_log(self) -> None:
        """Move SQLite's write-ahead log into the file and empty it, unless somebody reads from it at this moment."""
        if self.schema is not None:
            return
        with self._explained(), closing(self.engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeoutError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: DBAPIError | PoolTimeoutError) -> UnavailableError:
        origin = error.orig if isinstance(error, DBAPIError) else error
        reason = (str(origin).strip() or type(origin).__name__).splitlines()[0]
        if self.url.password:
            reason = reason.replace(str(self.url.password), "***")
        return UnavailableError(
            f"the ledger database {self.shown_url} cannot be used: {reason}",
            code="database_unavailable",
            hint=_hint(origin),
        )


def _hint(origin: BaseException | None) -> str:
    sqlite_name = "_".join(getattr(origin, "sqlite_errorname", "").split("_")[:2])
    return _HINTS.get(sqlite_name) or _HINTS.get(getattr(origin, "pgcode", None) or "") or _DEFAULT_HINT


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": LOCK_PATIENCE_S}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Take transactions into our own hands; readers and the writer do not wait for each other (WAL).

    ``synchronous`` stays FULL: the ledger says what was paid for, also after a power failure.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: object) -> object:
    """Fold letters of every script, as PostgreSQL does; SQLite's own knows those of English alone."""
    return text.lower() if isinstance(text, str) else text


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    # a server that vanished without a word is noticed within half a minute instead of never
    patience: dict[str, int] = {
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    own = {name: value for name, value in patience.items() if name not in url.query}
    engine = create_engine(url, connect_args=own, hide_parameters=True, pool_pre_ping=True)
    return engine.execution_options(schema_translate_map={None: POSTGRESQL_SCHEMA})


class LedgerTable:
    """What the parts of the ledger share: the database and the clock."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now


def read_page(
    connection: Connection, query: Select[Any], *, limit: int, offset: int, read: Callable[[Row[Any]], T]
) -> Page[T]:
    """Return one page of an ordered query, and how many rows it has in all."""
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    total = connection.execute(counted).scalar_one()
    rows = connection.execute(query.limit(limit).offset(offset))
    return Page(items=tuple(read(row) for row in rows), total=total, limit=limit, offset=offset)
