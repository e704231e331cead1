"""Homes in which ledger and Dagster's databases are there already, as a second command finds them.

Making them takes a third of a second, which a test that is not about a fresh home need not pay.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from eval_pipeline.storage.whole import PRIVATE
from eval_pipeline_tests.ledgers import home_with_ledger


@cache
def _databases() -> dict[Path, bytes]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        DagsterSqliteStorage.from_local(name).dispose()
        return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def furnish(home: Path) -> Path:
    """Put a ledger and Dagster's empty databases into a home; return the home."""
    home.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    for name, content in _databases().items():
        file = home / "dagster" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return home_with_ledger(home)
