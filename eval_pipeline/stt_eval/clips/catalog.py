"""Adds audio datasets: takes every clip in, then stores the samples, then records the version; all of it or nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eval_pipeline.core.counting import counted
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown, slug, validate_dataset_name, validate_project
from eval_pipeline.core.ports.ledger import DatasetLedger
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.dataset_adding import AddedDataset, find_version, working_folder
from eval_pipeline.stt_eval.clips.folder import unused_transcripts
from eval_pipeline.stt_eval.clips.intake import Intake
from eval_pipeline.stt_eval.clips.manifest_row import ManifestRow
from eval_pipeline.stt_eval.clips.problems import Problem, Problems
from eval_pipeline.stt_eval.clips.sample_maker import SampleTally
from eval_pipeline.stt_eval.clips.samples import SampleIds
from eval_pipeline.stt_eval.clips.source import AudioSource, open_source
from eval_pipeline.stt_eval.clips.store import publish, write_samples
from eval_pipeline.stt_eval.clips.stored_manifest import SCHEMA_VERSION, AudioManifest, find_audio_manifest
from eval_pipeline.stt_eval.language.languages import language_code
from eval_pipeline.wiring.settings import Settings

if TYPE_CHECKING:
    from eval_pipeline.storage.s3 import S3Client

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for, checked."""

    project: str
    name: str
    language: str | None
    description: str | None

    @property
    def prefix(self) -> str:
        """Of everything that belongs to the dataset, whatever its version."""
        return f"datasets/{self.project}/{slug(self.name)}"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Samples that are complete and lie in a temporary file."""

    tally: SampleTally
    source: AudioSource
    samples: Path
    samples_sha256: str


def add_audio_dataset(
    *,
    ledger: DatasetLedger,
    objects: ObjectStore,
    project: str,
    name: str,
    source: str,
    language: str | None,
    description: str | None,
    settings: Settings,
    s3_client: "Callable[[], S3Client]",
) -> AddedDataset:
    """Make clips with their references a dataset version, or return the version that they already are.

    Args:
        ledger: where versions are recorded.
        objects: where clips and samples are stored.
        project: name of the project.
        name: display name.
        source: the path of a manifest or a folder, or ``s3://bucket/…`` of either.
        language: BCP-47 tag of the samples that name none.
        description: for people.
        settings: for the largest clip.
        s3_client: builds a client when clips lie in S3.
    """
    request = _Request(
        project=validate_project(project),
        name=validate_dataset_name(name),
        language=None if language is None else language_code(language),
        description=description,
    )
    with working_folder() as folder:
        opened = open_source(source, folder=folder, s3_client=s3_client, limit_bytes=settings.max_file_bytes)
        prepared = _prepare(opened, request, objects=objects, folder=folder, settings=settings)
        version = prepared.tally.version
        known = find_version(ledger, project=request.project, name=request.name, version=version)
        if known is not None:
            return AddedDataset(known, created=False)
        prefix = f"{request.prefix}/{version}"
        manifest = find_audio_manifest(objects, prefix)
        if manifest is None:
            original = None if opened.table is None else opened.table.path
            manifest = publish(objects, _manifest(prepared), prefix=prefix, samples=prepared.samples, original=original)
    recorded = ledger.add_dataset(_version(request, manifest=manifest, version=version, prefix=prefix))
    return AddedDataset(recorded, created=True)


def _prepare(
    source: AudioSource, request: _Request, *, objects: ObjectStore, folder: Path, settings: Settings
) -> _Prepared:
    """Take every clip in; raise once, with everything that is wrong."""
    problems = Problems()
    ids = SampleIds(_given_ids(source, problems))
    intake = Intake(
        source.place,
        objects,
        prefix=f"{request.prefix}/audio",
        folder=folder,
        limit_bytes=settings.stt_max_audio_bytes,
        most_s=settings.stt_max_audio_seconds,
        may_store=lambda: not problems.count,
    )
    tally = SampleTally(ids, language=request.language, problems=problems)
    samples = folder / "samples.parquet"
    taken = intake.take_all(_usable_rows(source))
    sha256 = write_samples(tally.usable(taken), samples)
    if problems.count:
        raise problems.error()
    if not tally.samples:
        raise _no_sample(source)
    tally.check_damage()
    return _Prepared(tally=tally, source=source, samples=samples, samples_sha256=sha256)


def _given_ids(source: AudioSource, problems: Problems) -> set[str]:
    """Read the manifest once before any clip: rows that cannot be used, ids that are there twice."""
    lines: dict[str, int | None] = {}
    if source.table is None:
        return set()
    for entry in source.entries():
        if isinstance(entry, Problem):
            problems.add(entry)
        elif entry.sample_id is not None:
            first = lines.setdefault(entry.sample_id, entry.line)
            if first != entry.line:
                text = f"its id {shown(entry.sample_id)} is also that of line {first}; give each sample its own"
                problems.add(Problem(entry.line, shown(entry.audio), text))
    return set(lines)


def _usable_rows(source: AudioSource) -> Iterator[ManifestRow | Problem]:
    """Yield what is to be taken in; what is wrong with a manifest's rows was told before."""
    return (entry for entry in source.entries() if source.table is None or isinstance(entry, ManifestRow))


def _no_sample(source: AudioSource) -> UsageError:
    what = "the manifest has no row" if source.table else "none of the files is audio"
    return UsageError(
        f"nothing was added: {what}", code="invalid_dataset", hint="give at least one clip: a row of a manifest, a file"
    )


def _manifest(prepared: _Prepared) -> AudioManifest:
    tally, source = prepared.tally, prepared.source
    return AudioManifest(
        schema_version=SCHEMA_VERSION,
        samples=tally.samples,
        samples_file=f"samples-{prepared.samples_sha256[:16]}.parquet",
        samples_sha256=prepared.samples_sha256,
        original_file=None if source.table is None else f"original.{source.table.format}",
        encoding=source.encoding,
        clips=tally.clips,
        size_bytes=tally.size_bytes,
        duration_s=tally.duration_s,
        unknown_durations=tally.unknown_durations,
        labelled=tally.labelled,
        unlabelled=tally.samples - tally.labelled,
        silent=tally.silent,
        languages=dict(sorted(tally.languages.items())),
        formats=dict(sorted(tally.formats.items())),
        warnings=(*_source_warnings(source), *tally.warnings()),
    )


def _source_warnings(source: AudioSource) -> tuple[str, ...]:
    if source.table is not None:
        return source.table.warnings
    unused = unused_transcripts(source.names)
    if not unused:
        return ()
    more = "; …" if len(unused) > _SHOWN else ""
    told = counted(len(unused), "transcript", verb=("belongs", "belong"))
    return (f"{told} to no clip: {'; '.join(map(shown, unused[:_SHOWN]))}{more}",)


def _version(request: _Request, *, manifest: AudioManifest, version: str, prefix: str) -> DatasetVersion:
    return DatasetVersion(
        project=request.project,
        name=request.name,
        version=version,
        kind=DatasetKind.STT,
        original_items_count=manifest.samples,
        duplication_factor=1,
        encoding=manifest.encoding,
        size_bytes=manifest.size_bytes,
        skipped_rows_count=0,
        skipped_rows=(),
        warnings=manifest.warnings,
        prefix=prefix,
        description=request.description,
        created_at=datetime.now(UTC),
    )
