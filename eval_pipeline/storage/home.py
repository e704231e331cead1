"""The home: the folder where the embedded default keeps ledger, stage files and Dagster instance."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.storage.whole import PRIVATE

if TYPE_CHECKING:
    from eval_pipeline.storage.ledger import SqlLedger

HOME_VARIABLE: Final = "EVAL_PIPELINE_HOME"
HOME_FOLDER: Final = ".eval_pipeline"
LEDGER_FILE: Final = "ledger.sqlite"


def find_home(environ: Mapping[str, str], cwd: Path) -> Path:
    """Return ``EVAL_PIPELINE_HOME``, else the nearest ``.eval_pipeline`` at or above ``cwd``, else a new one there.

    The path is absolute; nothing is made.
    """
    named = environ.get(HOME_VARIABLE)
    if named:
        return _usable(cwd.absolute() / _expanded(named))
    here = cwd.absolute()
    existing = (folder / HOME_FOLDER for folder in (here, *here.parents) if (folder / HOME_FOLDER).is_dir())
    return _usable(next(existing, here / HOME_FOLDER))


def make_home(home: Path) -> None:
    """Make a home that only its user may read; one that is there stays as it is."""
    with suppress(OSError):  # who writes into it explains what the system refuses
        home.mkdir(mode=PRIVATE, parents=True, exist_ok=True)


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError:  # ~nobody
        return Path(named)


def _usable(home: Path) -> Path:
    """Return the home, unless its path would be read as something else in the address of a database."""
    odd = next((character for character in str(home) if character in "?\0\n"), None)
    if odd is None:
        return home
    raise UsageError(
        f"the home {shown(str(home))} has {odd!r} in its path, which databases in it cannot have",
        code="invalid_setting",
        hint=f"set {HOME_VARIABLE} to a folder whose path has none, or rename the folder",
    )


def open_home_ledger(home: Path, *, may_upgrade: bool = True) -> "SqlLedger":
    """Open the ledger of a home, made first where it is missing."""
    from eval_pipeline.storage.ledger import open_sqlite_ledger  # noqa: PLC0415 - sqlalchemy: not to find the home

    return open_sqlite_ledger(home / LEDGER_FILE, may_upgrade=may_upgrade)
