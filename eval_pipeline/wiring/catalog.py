"""Adds golden datasets: checks the request, stores the version, records it in the ledger last."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from eval_pipeline.core.datasets import DatasetKind, DatasetVersion
from eval_pipeline.core.errors import ConflictError, NotFoundError, UnavailableError, UsageError
from eval_pipeline.core.names import shown, slug, validate_dataset_name, validate_project
from eval_pipeline.core.ports import DatasetLedger, ObjectStore
from eval_pipeline.text_eval.golden import read_golden
from eval_pipeline.wiring.golden_store import GoldenManifest, find_manifest, store_golden
from eval_pipeline.wiring.settings import Settings

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class AddedDataset:
    """A version that is recorded now, and whether it was new."""

    dataset: DatasetVersion
    created: bool


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for, checked."""

    project: str
    name: str
    duplication_factor: int | None
    description: str | None


def add_dataset(
    *,
    ledger: DatasetLedger,
    objects: ObjectStore,
    project: str,
    name: str,
    path: Path,
    kind: DatasetKind,
    duplication_factor: int | None,
    description: str | None,
    settings: Settings,
) -> AddedDataset:
    """Make a file a dataset version, or return the version that these bytes already are under this name.

    Args:
        ledger: where versions are recorded.
        objects: where bytes and rows are stored.
        project: name of the project.
        name: display name.
        path: CSV or JSON Lines; may be a pipe.
        kind: of the items.
        duplication_factor: how often a run asks each question by default. None: 1, or what an existing version has.
        description: for people.
        settings: for the largest duplication factor.
    """
    request = _Request(
        project=validate_project(project),
        name=validate_dataset_name(name),
        duplication_factor=_checked_factor(duplication_factor, largest=settings.max_duplication_factor),
        description=description,
    )
    _check_kind(kind)
    with _temporary_folder() as folder:
        original = folder / "original"
        version = _copy(path, original)
        known = _find(ledger, request, version)
        if known is not None:
            return AddedDataset(_same_factor(known, request), created=False)
        prefix = f"datasets/{request.project}/{slug(request.name)}/{version}"
        manifest = find_manifest(objects, prefix)
        if manifest is None:
            golden = read_golden(original, name=path.name)
            manifest = store_golden(objects, golden, prefix=prefix, folder=folder)
    recorded = ledger.add_dataset(_version(request, version=version, kind=kind, manifest=manifest, prefix=prefix))
    return AddedDataset(_same_factor(recorded, request), created=True)


def _checked_factor(factor: int | None, *, largest: int) -> int | None:
    if factor is None or 1 <= factor <= largest:
        return factor
    raise UsageError(
        f"duplication factor {factor:,} is not between 1 and {largest:,}",
        code="invalid_duplication_factor",
        hint=f"choose 1 to {largest:,}, or raise EVAL_MAX_DUPLICATION_FACTOR",
    )


def _check_kind(kind: DatasetKind) -> None:
    if kind is not DatasetKind.TEXT:
        raise UsageError(
            f"datasets of kind {kind} cannot be added yet",
            code="dataset_kind_unsupported",
            hint=f"use --kind {DatasetKind.TEXT}: golden questions and answers",
        )


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="eval-pipeline-") as name:
            yield Path(name)
    except OSError as error:
        raise UnavailableError(
            f"the golden file could not be worked on in {tempfile.gettempdir()}: {error.strerror or error}",
            code="temporary_folder_failed",
            hint="free disk space there, or point TMPDIR to another folder",
        ) from error


def _copy(path: Path, target: Path) -> str:
    """Take a private copy, so that what is hashed, parsed and stored is the same; return its sha256."""
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


def _find(ledger: DatasetLedger, request: _Request, version: str) -> DatasetVersion | None:
    try:
        return ledger.find_dataset(project=request.project, name=request.name, version=version)
    except NotFoundError:
        return None


def _same_factor(recorded: DatasetVersion, request: _Request) -> DatasetVersion:
    if request.duplication_factor in {None, recorded.duplication_factor}:
        return recorded
    raise ConflictError(
        f"these bytes are already dataset {shown(recorded.name)} version {recorded.version[:12]} "
        f"with duplication factor {recorded.duplication_factor}, not {request.duplication_factor}",
        code="dataset_already_exists",
        hint="versions are never edited: choose repeats for a run with --repeats, or add the file under another name",
    )


def _version(
    request: _Request, *, version: str, kind: DatasetKind, manifest: GoldenManifest, prefix: str
) -> DatasetVersion:
    return DatasetVersion(
        project=request.project,
        name=request.name,
        version=version,
        kind=kind,
        original_items_count=manifest.rows,
        duplication_factor=request.duplication_factor or 1,
        encoding=manifest.encoding,
        size_bytes=manifest.size_bytes,
        skipped_rows_count=manifest.skipped_rows_count,
        skipped_rows=manifest.skipped_rows,
        warnings=manifest.warnings,
        prefix=prefix,
        description=request.description,
        created_at=datetime.now(UTC),
    )
