"""Stage files: parts below the attempt that wrote them, and a manifest, stored last, that alone is trusted.

{flow}/{project}/{run}/{stage}/000007/part-00000.parquet    parts of attempt 7
                               000007/manifest.json         what attempt 7 made, never replaced
                               manifest.json                the attempt that was finished last

Readers trust the highest attempt that has a manifest. A writer that was paused between its last look and its last
step may put an older attempt into the last manifest: it harms nobody.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from eval_pipeline.core.documents import Json, JsonDict, Row
from eval_pipeline.core.errors import ConflictError, NotFoundError, UnavailableError
from eval_pipeline.core.names import shown
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.stages import Manifest, Part, StageRef
from eval_pipeline.storage.code_version import code_version
from eval_pipeline.storage.manifests import decode_manifest, encode_manifest, sha256_of, signed, stage_damaged
from eval_pipeline.storage.objects import os_errors_explained, temporary_folder
from eval_pipeline.storage.parts import TableParts

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

_MANIFEST = "manifest.json"
_TABLE_SUFFIX = ".parquet"


class StageStore:
    """Finds finished stages and writes new ones."""

    def __init__(self, objects: ObjectStore, *, code_version: str | None = None) -> None:
        self._objects = objects
        self._code_version = code_version

    def find(self, ref: StageRef) -> "StoredStage | None":
        """Return the finished stage, or None when it was never finished; a store that cannot be read raises."""
        manifest = _trusted_manifest(self._objects, ref)
        return None if manifest is None else StoredStage(self._objects, manifest)

    def open(self, ref: StageRef) -> "StoredStage":
        """Return the finished stage, else raise ``stage_missing``."""
        found = self.find(ref)
        if found is None:
            raise NotFoundError(
                f"{ref} has not been made yet",
                code="stage_missing",
                hint=f"materialize {ref.flow}/{ref.stage} for partition {ref.key.partition} first",
            )
        return found

    def last_attempt(self, ref: StageRef) -> int:
        """Return the highest attempt that the store holds a manifest of; a lease must be above it.

        A ledger that was restored from a backup has handed out fewer tokens than its store has seen.
        """
        last = _trusted_attempt(self._objects, ref)
        while self._has(f"{ref.prefix}/{last + 1:06d}/{_MANIFEST}"):  # whose writer was killed before readers trust it
            last += 1
        return last

    def _has(self, key: str) -> bool:
        try:
            self._objects.read(key)
        except NotFoundError:
            return False
        return True

    def writer(
        self,
        ref: StageRef,
        *,
        schema: "pa.Schema | None",
        attempt: int,
        spec_hash: str,
        inputs: Mapping[str, Manifest],
        check: Callable[[], None],
        schema_version: int = 1,
    ) -> "StageFiles":
        """Begin to write a stage.

        Args:
            ref: the stage.
            schema: the columns of its table; None for a stage that is no table.
            attempt: the fencing token of the lease.
            spec_hash: of the run's frozen specification.
            inputs: upstream stage to the manifest that was read.
            check: raises when the lease is lost; called before anything is stored.
            schema_version: of the columns.
        """
        draft = Manifest(
            stage=ref,
            attempt=attempt,
            parts=(),
            rows=0,
            columns={} if schema is None else {field.name: str(field.type) for field in schema},
            schema_version=schema_version,
            spec_hash=spec_hash,
            code_version=self._code_version or code_version(),
            created_at=datetime.now(UTC),
            summary={},
            inputs={name: manifest.sha256 for name, manifest in inputs.items()},
            sha256="",
            contents={name: manifest.content_sha256 for name, manifest in inputs.items()},
        )
        return StageFiles(self._objects, draft, schema=schema, check=check)


class StageFiles:
    """A ``StageWriter``, to be used in a ``with``: nobody sees what it stores before ``finish``."""

    def __init__(
        self, objects: ObjectStore, draft: Manifest, *, schema: "pa.Schema | None", check: Callable[[], None]
    ) -> None:
        self._objects = objects
        self._draft = draft
        self._schema = schema
        self._check = check
        self._folder = f"{draft.attempt:06d}"
        self._parts: list[Part] = []
        self._table: TableParts | None = None
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        self._refuse_from(self._draft.attempt)
        if self._schema is not None:
            folder = self._resources.enter_context(temporary_folder())
            self._table = TableParts(self._schema, folder=folder, deliver=self._store_table_part)
            self._resources.callback(self._table.abandon)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows, as the schema names them."""
        if self._table is None:
            raise ValueError(f"{self._draft.stage} is no table, or its writer was not entered")
        self._table.append(rows)

    def add_file(self, name: str, data: bytes) -> str:
        """Add a part that is no table; returns its key in the object store."""
        self._require_free(name)
        part = Part(f"{self._folder}/{name}", 0, len(data), hashlib.sha256(data).hexdigest())
        self._check()
        self._objects.put(self._key(part.name), data)
        self._parts.append(part)
        return self._key(part.name)

    def copy_file(self, name: str, path: Path) -> str:
        """Add a part that is no table from a local file, streamed; returns its key in the object store."""
        self._require_free(name)
        part = Part(f"{self._folder}/{name}", 0, path.stat().st_size, sha256_of(path))
        self._check()
        self._objects.put_file(self._key(part.name), path)
        self._parts.append(part)
        return self._key(part.name)

    def _require_free(self, name: str) -> None:
        taken = any(f"{self._folder}/{name}" == other.name for other in self._parts)
        if name == _MANIFEST or name.endswith(_TABLE_SUFFIX) or taken:
            raise ValueError(f"a file of {self._draft.stage} cannot be called {shown(name)}: the name is taken")

    def _store_table_part(self, file: Path, rows: int) -> None:
        number = sum(1 for part in self._parts if part.name.endswith(_TABLE_SUFFIX))
        name = f"{self._folder}/part-{number:05d}{_TABLE_SUFFIX}"
        part = Part(name, rows, file.stat().st_size, sha256_of(file))
        self._check()
        self._objects.put_file(self._key(name), file)
        self._parts.append(part)

    def finish(self, summary: Json) -> Manifest:
        """Store the last part, then the attempt's manifest, then the one that readers trust."""
        if self._table is not None:
            self._table.finish()
        manifest = signed(
            replace(
                self._draft,
                parts=tuple(self._parts),
                rows=sum(part.rows for part in self._parts),
                created_at=datetime.now(UTC),
                summary=summary,
            )
        )
        self._check()
        self._objects.create(self._key(f"{self._folder}/{_MANIFEST}"), encode_manifest(manifest))
        self._refuse_from(self._draft.attempt + 1)
        self._check()
        self._objects.put(self._key(_MANIFEST), encode_manifest(manifest))
        self._refuse_from(self._draft.attempt + 1)
        return manifest

    def _refuse_from(self, highest: int) -> None:
        """Raise when readers trust that attempt or a later one."""
        ref, attempt = self._draft.stage, self._draft.attempt
        trusted = _trusted_attempt(self._objects, ref)
        if trusted >= highest:
            raise ConflictError(
                f"{ref} was already finished by attempt {trusted}, and this is attempt {attempt}",
                code="stage_superseded",
                hint="another worker took the stage over; read what it made, or materialize the stage again",
            )

    def _key(self, name: str) -> str:
        return f"{self._draft.stage.prefix}/{name}"


class StoredStage:
    """A ``StageReader``: a light handle on a finished stage; nothing is read before it is asked for."""

    def __init__(self, objects: ObjectStore, manifest: Manifest) -> None:
        self._objects = objects
        self._manifest = manifest
        self._verified: set[str] = set()

    @property
    def manifest(self) -> Manifest:
        """The manifest that this handle trusts."""
        return self._manifest

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 4096) -> Iterator["pa.RecordBatch"]:
        """Stream the rows in order, at most ``rows`` at once; a part whose bytes changed raises ``stage_damaged``."""
        unknown = set(columns or ()) - set(self._manifest.columns)
        if unknown:
            raise ValueError(f"{self._manifest.stage} has no column {sorted(unknown)}; {list(self._manifest.columns)}")
        names = None if columns is None else list(columns)
        return self._stream(names, rows=rows)

    def _stream(self, columns: list[str] | None, *, rows: int) -> Iterator["pa.RecordBatch"]:
        for part in self._table_parts():
            with self._parquet(part) as file:
                yield from file.iter_batches(batch_size=rows, columns=columns, use_threads=False)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[JsonDict]:
        """Stream the rows in order as dictionaries."""
        for batch in self.batches(columns):
            yield from batch.to_pylist()

    def frame(self) -> "pd.DataFrame":
        """Return everything as a ``pandas.DataFrame``."""
        import pyarrow as pa  # noqa: PLC0415 - pyarrow costs 0.25 s, and more when it imports pandas here

        tables = []
        for part in self._table_parts():
            with self._parquet(part) as file:
                tables.append(file.read())
        frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return frame

    def file(self, name: str) -> bytes:
        """Return a part that is no table."""
        wanted = f"{self._manifest.attempt:06d}/{name}"
        for part in self._manifest.parts:
            if part.name == wanted:
                with self._local(part) as path:
                    return path.read_bytes()
        raise NotFoundError(
            f"{self._manifest.stage} has no file {shown(name)}",
            code="file_missing",
            hint=f"it has {', '.join(part.name for part in self._manifest.parts) or 'no files'}",
        )

    def _table_parts(self) -> list[Part]:
        parts = [part for part in self._manifest.parts if part.name.endswith(_TABLE_SUFFIX)]
        if not parts:
            raise ValueError(f"{self._manifest.stage} is no table")
        return parts

    @contextmanager
    def _parquet(self, part: Part) -> Iterator["pq.ParquetFile"]:
        import pyarrow.parquet as pq  # noqa: PLC0415 - pyarrow costs 0.25 s and no reader of a manifest needs it

        # buffering ahead holds whole parts: 188 MB instead of 69 MB for 100,000 pairs of 256-wide vectors
        with self._local(part) as path, pq.ParquetFile(path, pre_buffer=False) as file:
            yield file

    @contextmanager
    def _local(self, part: Part) -> Iterator[Path]:
        with ExitStack() as stack:
            try:
                path = stack.enter_context(self._objects.local_copy(f"{self._manifest.stage.prefix}/{part.name}"))
            except NotFoundError as error:
                raise stage_damaged(self._manifest.stage, what=f"part {part.name} is missing") from error
            with os_errors_explained(path):
                self._verify(part, path)
            yield path

    def _verify(self, part: Part, path: Path) -> None:
        """Compare the sha256 when this handle first reads the part, the size every time."""
        size_bytes = path.stat().st_size
        if size_bytes != part.size_bytes:
            what = f"part {part.name} has {size_bytes:,} bytes instead of {part.size_bytes:,}"
            raise stage_damaged(self._manifest.stage, what=what)
        if part.name not in self._verified and sha256_of(path) != part.sha256:
            what = f"part {part.name} was changed after it was written (its sha256 differs)"
            raise stage_damaged(self._manifest.stage, what=what)
        self._verified.add(part.name)


def _trusted_manifest(objects: ObjectStore, ref: StageRef) -> Manifest | None:
    last = _read_manifest(objects, ref, _MANIFEST)
    if last is None:
        return None
    later = sorted((int(name) for name in objects.folders(ref.prefix) if _is_later(name, last)), reverse=True)
    finished = (_read_manifest(objects, ref, f"{attempt:06d}/{_MANIFEST}") for attempt in later)
    return next((manifest for manifest in finished if manifest is not None), last)


def _is_later(folder: str, manifest: Manifest) -> bool:
    return folder.isdecimal() and int(folder) > manifest.attempt


def _read_manifest(objects: ObjectStore, ref: StageRef, name: str) -> Manifest | None:
    key = f"{ref.prefix}/{name}"
    try:
        data = objects.read(key)
    except NotFoundError:
        return None
    return decode_manifest(data, ref=ref, url=objects.url(key))


def _trusted_attempt(objects: ObjectStore, ref: StageRef) -> int:
    """Return the attempt that readers trust; 0 when there is none, or none that can be read, which is to be mended."""
    try:
        manifest = _trusted_manifest(objects, ref)
    except UnavailableError as error:
        if error.code != "stage_damaged":
            raise
        return 0
    return 0 if manifest is None else manifest.attempt
