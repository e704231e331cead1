"""Which code made a stage: the package's version and, where there is one, the commit.

A wheel carries the commit that it was built from (``hatch_build.py``); a checkout is asked itself, because it changes
under an editable installation.
"""

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
_GIT_TIMEOUT_S: Final = 5


@cache
def code_version() -> str:
    """Return for example ``0.1.0+g71d9f77b2c1a``; with ``.dirty`` where tracked files were edited since the commit."""
    release = version("eval-pipeline")
    commit = built_in_commit(_PACKAGE) or commit_of_checkout(_PACKAGE.parent)
    return release if commit is None else f"{release}+g{commit}"


def built_in_commit(package: Path) -> str | None:
    """Return the commit that an installed package was built from; None where it lies in a checkout."""
    try:
        return (package / "commit.txt").read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def commit_of_checkout(root: Path) -> str | None:
    """Return the commit that is checked out in a folder; None where it is no checkout or git cannot say.

    A folder inside another project's checkout is none: its commit says nothing of this package.
    """
    if not (root / ".git").exists():
        return None
    command = ("git", "-C", str(root), "describe", "--always", "--dirty=.dirty", "--abbrev=12", "--exclude=*")
    try:
        asked = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, check=True, timeout=_GIT_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):  # no git, a checkout of somebody else, one without a commit
        return None
    return asked.stdout.strip() or None
