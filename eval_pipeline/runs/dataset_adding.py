"""What adding a dataset of any kind needs: a folder to work in, a private copy of the file, the version that is there.

What is hashed, read and stored must be the same bytes, whatever happens to the user's file meanwhile.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eval_pipeline.core.datasets import DatasetVersion
from eval_pipeline.core.errors import NotFoundError, UnavailableError
from eval_pipeline.core.ports.ledger import DatasetLedger
from eval_pipeline.intake.handed_file import read_chunks
from eval_pipeline.storage.scratch import scratch_folder


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


def private_copy(path: Path, target: Path, *, limit_bytes: int) -> str:
    """Copy a file, which may be a pipe, of so many bytes at most; return its sha256."""
    digest = hashlib.sha256()
    with target.open("wb") as copy:
        for chunk in read_chunks(path, limit_bytes=limit_bytes):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def find_version(ledger: DatasetLedger, *, project: str, name: str, version: str) -> DatasetVersion | None:
    """Return the version when it is recorded and was not deleted."""
    try:
        return ledger.find_dataset(project=project, name=name, version=version)
    except NotFoundError:
        return None
