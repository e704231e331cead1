"""Adds golden datasets: checks the request, stores the version, records it in the ledger last."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion
from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.core.names import shown, slug, validate_dataset_name, validate_project
from eval_pipeline.core.ports.ledger import DatasetLedger
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.dataset_adding import AddedDataset, find_version, private_copy, working_folder
from eval_pipeline.text_eval.golden.files import read_golden
from eval_pipeline.text_eval.golden.row import GoldenOptions
from eval_pipeline.text_eval.golden_store import GoldenManifest, find_manifest, store_golden
from eval_pipeline.wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for, checked."""

    project: str
    name: str
    duplication_factor: int | None
    description: str | None
    options: GoldenOptions


def add_dataset(
    *,
    ledger: DatasetLedger,
    objects: ObjectStore,
    project: str,
    name: str,
    path: Path,
    duplication_factor: int | None,
    description: str | None,
    settings: Settings,
    options: GoldenOptions | None = None,
) -> AddedDataset:
    """Make a file a dataset version, or return the version that these bytes already are under this name.

    Args:
        ledger: where versions are recorded.
        objects: where bytes and rows are stored.
        project: name of the project.
        name: display name.
        path: CSV, JSON Lines or a workbook; may be a pipe.
        duplication_factor: how often a run asks each question by default. None: 1, or what an existing version has.
        description: for people.
        settings: for the largest duplication factor.
        options: what a person says of the file; it is part of what the version is.
    """
    request = _Request(
        project=validate_project(project),
        name=validate_dataset_name(name),
        duplication_factor=_checked_factor(duplication_factor, largest=settings.max_duplication_factor),
        description=description,
        options=options or GoldenOptions(),
    )
    with working_folder() as folder:
        original = folder / "original"
        version = _version_of(private_copy(path, original, limit_bytes=settings.max_file_bytes), request.options)
        known = find_version(ledger, project=request.project, name=request.name, version=version)
        if known is not None:
            return AddedDataset(_same_factor(known, request), created=False)
        prefix = f"datasets/{request.project}/{slug(request.name)}/{version}"
        manifest = find_manifest(objects, prefix)
        if manifest is None:
            golden = read_golden(original, name=path.name, options=request.options)
            manifest = store_golden(objects, golden, prefix=prefix, folder=folder)
    recorded = ledger.add_dataset(_version(request, version=version, manifest=manifest, prefix=prefix))
    return AddedDataset(_same_factor(recorded, request), created=True)


def _version_of(sha256: str, options: GoldenOptions) -> str:
    """Return the digest of a version: of the bytes alone, or of the bytes and what they are said to mean."""
    if options.is_plain:
        return sha256
    return canonical_sha256({"sha256": sha256, **asdict(options)})


def _checked_factor(factor: int | None, *, largest: int) -> int | None:
    if factor is None or 1 <= factor <= largest:
        return factor
    raise UsageError(
        f"duplication factor {factor:,} is not between 1 and {largest:,}",
        code="invalid_duplication_factor",
        hint=f"choose 1 to {largest:,}, or raise EVAL_MAX_DUPLICATION_FACTOR",
    )


def _same_factor(recorded: DatasetVersion, request: _Request) -> DatasetVersion:
    if request.duplication_factor in {None, recorded.duplication_factor}:
        return recorded
    raise ConflictError(
        f"these bytes are already dataset {shown(recorded.name)} version {recorded.version[:12]} "
        f"with duplication factor {recorded.duplication_factor}, not {request.duplication_factor}",
        code="dataset_already_exists",
        hint="versions are never edited: choose repeats for a run with --repeats, or add the file under another name",
    )


def _version(request: _Request, *, version: str, manifest: GoldenManifest, prefix: str) -> DatasetVersion:
    return DatasetVersion(
        project=request.project,
        name=request.name,
        version=version,
        kind=DatasetKind.TEXT,
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
