"""Opens what an audio dataset is made from: a manifest or a folder, on this machine or in S3."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.intake.table_file import TableFile
from eval_pipeline.runs.dataset_adding import private_copy
from eval_pipeline.stt_eval.clips.audio_formats import UnusableClipError
from eval_pipeline.stt_eval.clips.folder import folder_entries
from eval_pipeline.stt_eval.clips.manifest import manifest_entries, open_manifest
from eval_pipeline.stt_eval.clips.manifest_row import MANIFEST, ManifestRow
from eval_pipeline.stt_eval.clips.places import S3_SCHEME, LocalPlace, Place, S3Place
from eval_pipeline.stt_eval.clips.problems import Problem

if TYPE_CHECKING:
    from eval_pipeline.storage.s3 import S3Client

MANIFEST_NAMES = ("manifest.csv", "manifest.jsonl", "metadata.csv", "metadata.jsonl")
"""A folder that holds one of them is read by it; the latter is what Hugging Face's audio folders have."""
MAX_MANIFEST_BYTES = 10_000_000_000
_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True, slots=True)
class AudioSource:
    """Where samples come from."""

    place: Place
    table: TableFile | None
    """The manifest; None for a folder without one."""
    names: tuple[str, ...]
    """The files of such a folder."""
    folder: Path
    """For files on their way."""

    @property
    def encoding(self) -> str:
        """In which the texts are written."""
        return "utf-8" if self.table is None else self.table.encoding

    def entries(self) -> Iterator[ManifestRow | Problem]:
        """Read all samples from the beginning."""
        if self.table is None:
            yield from folder_entries(self.place, self.names, folder=self.folder)
            return
        for entry in manifest_entries(self.table):
            yield Problem(entry.line, None, entry.reason) if isinstance(entry, SkippedRow) else entry


def open_source(
    source: str, *, folder: Path, s3_client: "Callable[[], S3Client]", limit_bytes: int = MAX_MANIFEST_BYTES
) -> AudioSource:
    """Find out what was given and read what can be refused at once.

    Args:
        source: the path of a manifest or folder, or ``s3://bucket/…`` of either.
        folder: for temporary files; the caller removes it.
        s3_client: builds a client when it is needed.
        limit_bytes: that a manifest of this machine may have.
    """
    if source.startswith(S3_SCHEME):
        return _open_s3(source, folder=folder, client=s3_client())
    path = Path(source)
    if not path.is_dir():
        copy = folder / "manifest"
        private_copy(path, copy, limit_bytes=limit_bytes)
        return _with_manifest(LocalPlace(path.parent, s3_client=s3_client), copy, name=path.name)
    return _open_folder(LocalPlace(path, s3_client=s3_client), source, folder=folder)


def _open_s3(source: str, *, folder: Path, client: "S3Client") -> AudioSource:
    bucket, _, key = source.removeprefix(S3_SCHEME).partition("/")
    if not bucket:
        raise UsageError(
            f"{shown(source)} names no bucket", code="file_unreadable", hint="give s3://bucket/prefix/ or a manifest"
        )
    parent, _, name = key.rpartition("/")
    if PurePosixPath(name).suffix.lower() in _TABLE_SUFFIXES:
        place = S3Place(client, bucket=bucket, prefix=f"{parent}/" if parent else "")
        return _with_manifest(place, _fetched(place, name, folder=folder), name=name)
    prefix = f"{key.strip('/')}/" if key.strip("/") else ""
    return _open_folder(S3Place(client, bucket=bucket, prefix=prefix), source, folder=folder)


def _open_folder(place: Place, source: str, *, folder: Path) -> AudioSource:
    names = tuple(_names(place, source))
    manifests = [name for name in MANIFEST_NAMES if name in names]
    if len(manifests) > 1:
        raise MANIFEST.refuse(
            f"{shown(source)} holds {' and '.join(manifests)}", hint="give the path of the one that is meant"
        )
    if manifests:
        return _with_manifest(place, _fetched(place, manifests[0], folder=folder), name=manifests[0])
    if not names:
        raise UsageError(
            f"{shown(source)} holds no file",
            code="invalid_dataset",
            hint="give a folder with sound files, or a manifest that names them",
        )
    return AudioSource(place=place, table=None, names=names, folder=folder)


def _names(place: Place, source: str) -> list[str]:
    try:
        return list(place.names())
    except OSError as error:
        raise UsageError(
            f"cannot read {shown(str(error.filename or source))}: {error.strerror}",
            code="file_unreadable",
            hint="give a folder that you may read",
        ) from error


def _with_manifest(place: Place, copy: Path, *, name: str) -> AudioSource:
    return AudioSource(place=place, table=open_manifest(copy, name=name), names=(), folder=copy.parent)


def _fetched(place: Place, name: str, *, folder: Path) -> Path:
    copy = folder / "manifest"
    try:
        place.fetch(name, copy, limit_bytes=MAX_MANIFEST_BYTES)
    except UnusableClipError as error:
        raise MANIFEST.refuse(f"{shown(name)}: {error}", hint="correct its address") from error
    return copy
