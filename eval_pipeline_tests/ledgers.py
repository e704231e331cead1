"""Ledgers with their tables in them, as a second command finds them, each with an id of its own.

Alembic takes 50 ms to make them, which a test that is not about a fresh ledger need not pay.
"""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from eval_pipeline.storage.home import LEDGER_FILE
from eval_pipeline.storage.ledger import open_sqlite_ledger


@cache
def _made() -> bytes:
    with TemporaryDirectory() as name:
        path = Path(name) / LEDGER_FILE
        open_sqlite_ledger(path).close()
        return path.read_bytes()


def make_ledger(path: Path) -> Path:
    """Put a ledger with nothing in it into a file, unless one is there; return its path."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_made())
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute("UPDATE ledger SET id = ?", (str(uuid4()),))
    return path


def home_with_ledger(home: Path) -> Path:
    """Put a ledger into a home that has none; return the home."""
    make_ledger(home / LEDGER_FILE)
    return home
