"""What adding a dataset of any kind needs: a folder to work in, a private copy of the file, the version that is there.

What is hashed, read and stored must be the same bytes, whatever happens to the user's file meanwhile.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from eval_pipeline.core.datasets import DatasetVersion
from eval_pipeline.core.errors import NotFoundError, UnavailableError, UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.ports.ledger import DatasetLedger
from eval_pipeline.storage.scratch import scratch_folder

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class AddedDataset:
    """A version that is recorded now, and whether it was new."""

    dataset: DatasetVersion
    created: bool


@contextmanager
def working_folder() -> Iterator[Path]:
    """Give a folder for what is on its way; what the operating system refuses there is explained."""
    try:
        with scratch_folder() as folder:
            yield folder
    except OSError as error:
        raise UnavailableError(
            f"the dataset could not be worked on in {tempfile.gettempdir()}: {error.strerror or error}",
            code="temporary_folder_failed",
            hint="free disk space there, or point TMPDIR to another folder",
        ) from error


def private_copy(path: Path, target: Path) -> str:
    """Copy a file, which may be a pipe; return its sha256."""
    digest = hashlib.sha256()
    with _opened(path) as source, target.open("wb") as copy:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"cannot read {shown(str(path))}: {reason}",
            code="file_unreadable",
            hint="give the path of a CSV or JSON Lines file that you may read",
        ) from error


def find_version(ledger: DatasetLedger, *, project: str, name: str, version: str) -> DatasetVersion | None:
    """Return the version when it is recorded and was not deleted."""
    try:
        return ledger.find_dataset(project=project, name=name, version=version)
    except NotFoundError:
        return None
