"""What the pure rooms need from the outside world, as small protocols; adapters live in storage and providers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from eval_pipeline.core.batches import BatchJob, BatchListing, JobState, ProviderBatch
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion, Page
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.feedback import FeedbackEntry
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import Attempt, Usage
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState, Worker
from eval_pipeline.core.stages import Manifest, StageRef

Asked = TypeVar("Asked", contravariant=True)  # noqa: PLC0105 - reads better than Asked_contra


class Appender(Protocol):
    """Durable appends below one prefix; when ``append`` returns, another process can read the bytes."""

    def append(self, data: bytes) -> None:
        """Store ``data`` behind all that was appended before."""
        ...

    def close(self) -> None:
        """Release what is held open."""
        ...


class ObjectStore(Protocol):
    """Bytes under ``/``-joined keys: a local folder, or S3.

    A missing object raises ``NotFoundError`` (code ``object_missing``); a store that does not answer, is full or
    refuses access raises ``UnavailableError``: "could not read" is never "empty".
    """

    def put(self, key: str, data: bytes) -> None:
        """Store or replace; a reader sees the old bytes or the new ones, never a mixture."""
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Store or replace from a file, streamed."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """Store only if the key is free, else raise ``ConflictError`` (code ``object_exists``)."""
        ...

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        ...

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """Give a readable local file for the time of a ``with``: the object's own, or a temporary download."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys below ``prefix/`` in order."""
        ...

    def delete(self, key: str) -> None:
        """Remove; a missing key is no error."""
        ...

    def appender(self, prefix: str, *, name: str) -> Appender:
        """Append to objects ``{prefix}/{name}…``; concatenated in key order they are what was appended."""
        ...

    def url(self, key: str) -> str:
        """Where a person finds the object: ``file:///…`` or ``s3://…``."""
        ...

    def signed_url(self, key: str, *, expires_s: int) -> str:
        """Return an address that gives anyone the object's bytes for a while: a secret.

        A store that nobody can reach from outside raises ``no_signed_urls``.
        """
        ...


class Table(Protocol):
    """A few thousand rows at once; a ``pyarrow.RecordBatch``."""

    num_rows: int

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        ...

    def column(self, i: str) -> Any:  # noqa: ANN401 - pyarrow ships no types
        """Return one column as a pyarrow array."""
        ...


@runtime_checkable  # Dagster checks what travels between assets
class StageReader(Protocol):
    """A light handle on a finished stage; nothing is read before it is asked for."""

    @property
    def manifest(self) -> Manifest:
        """The manifest that this handle trusts."""
        ...

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 4096) -> Iterator[Table]:
        """Stream the rows in order, at most ``rows`` at once; a part whose bytes changed raises."""
        ...

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Stream the rows in order as dictionaries."""
        ...

    def frame(self) -> Any:  # noqa: ANN401 - pandas, which core does not import
        """Return everything as a ``pandas.DataFrame``."""
        ...

    def file(self, name: str) -> bytes:
        """Return a part that is no table."""
        ...


class StageWriter(Protocol):
    """Collects the rows of one stage into parts; nobody sees them before ``finish``."""

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows, as the schema names them."""
        ...

    def add_file(self, name: str, data: bytes) -> str:
        """Add a part that is no table; returns its key in the object store."""
        ...

    def copy_file(self, name: str, path: Path) -> str:
        """Add a part that is no table from a local file, streamed; returns its key in the object store."""
        ...

    def finish(self, summary: Mapping[str, Any]) -> Manifest:
        """Store the last part and then the manifest."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one stage; every create and every ledger write carries the token."""

    resource: str
    holder: Worker
    token: int


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """Somebody else's lease: who, and a counter that rises as long as the holder lives."""

    resource: str
    holder: Worker
    token: int
    counter: int
    since: datetime


class LeaseLedger(Protocol):
    """The leases table: compare-and-set on (holder token, counter)."""

    def acquire_lease(self, resource: str, *, holder: Worker, seen: LeaseHeld | None = None) -> Lease | LeaseHeld:
        """Take a free lease, or one that still stands exactly as ``seen``; else return who holds it now.

        Tokens of one resource only rise, also over releases.
        """
        ...

    def beat_lease(self, lease: Lease) -> bool:
        """Raise the counter; False when the lease is no longer ours."""
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give the lease back; no error when it is no longer ours."""
        ...

    def find_lease(self, resource: str) -> LeaseHeld | None:
        """Return who holds the resource now."""
        ...


class DatasetLedger(Protocol):
    """The datasets table."""

    def add_dataset(self, dataset: DatasetVersion) -> DatasetVersion:
        """Record a version; the one already recorded under (project, name, version) is returned unchanged."""
        ...

    def find_dataset(self, *, project: str, name: str, version: str | None = None) -> DatasetVersion:
        """Return the newest version, or the one whose sha256 begins with ``version`` (at least 8 characters).

        Raises ``NotFoundError`` (``dataset_not_found``), with the names that are close.
        """
        ...

    def pinned_dataset(self, *, project: str, name: str, version: str) -> DatasetVersion:
        """Return the very version that a run pinned, also when it was deleted since: stored versions stay."""
        ...

    def list_datasets(
        self, *, project: str, kind: DatasetKind | None, max_unique_rows: int | None, limit: int, offset: int
    ) -> Page[DatasetVersion]:
        """List every dataset's newest version, newest first, filtered before paging."""
        ...

    def dataset_versions(self, *, project: str, name: str) -> Sequence[DatasetVersion]:
        """Return all versions, newest first."""
        ...

    def delete_dataset(self, *, project: str, name: str, version: str | None) -> int:
        """Hide one version or all; refused (``dataset_in_use``) while a run that has not ended uses one.

        Stored bytes stay for audit. Returns how many versions were hidden.
        """
        ...


class RunLedger(Protocol):
    """The runs table."""

    def claim_run(self, run: RunRecord) -> RunRecord:
        """Insert under the unique (project, flow, name), else raise ``run_name_already_exists``."""
        ...

    def find_run(self, *, flow: Flow, key: RunKey) -> RunRecord | None:
        """Return the run, or None."""
        ...

    def list_runs(
        self, *, project: str, flow: Flow | None, state: RunState | None, limit: int, offset: int
    ) -> Page[RunRecord]:
        """List newest first, filtered before paging."""
        ...

    def requested_runs(self, *, flow: Flow, limit: int) -> Sequence[RunRecord]:
        """Return runs of every project that wait for a worker, oldest first."""
        ...

    def running_runs(self, *, limit: int) -> Sequence[RunRecord]:
        """Return runs of every project and flow that a worker was on when it was last heard of, oldest first."""
        ...

    def set_run_state(
        self,
        *,
        flow: Flow,
        key: RunKey,
        to: RunState,
        expected: frozenset[RunState] | None = None,
        error: EvalPipelineError | None = None,
    ) -> bool:
        """Move the run; with ``expected``, only from one of those states. False when it was elsewhere.

        ``error`` replaces the stored error (None clears it).
        """
        ...

    def set_run_worker(self, *, flow: Flow, key: RunKey, worker: Worker | None, dagster_run_id: str | None) -> None:
        """Record who works on the run."""
        ...

    def set_run_budget(self, *, flow: Flow, key: RunKey, max_cost_usd: float | None) -> None:
        """Change what the run may cost."""
        ...

    def request_cancel(self, *, flow: Flow, key: RunKey, requested: bool) -> None:
        """Ask the worker to stop at the next item boundary, or take that back."""
        ...

    def delete_run(self, *, flow: Flow, key: RunKey) -> None:
        """Forget the run; its name is free again."""
        ...


class BatchLedger(Protocol):
    """The batch_jobs table; every change is a compare-and-set on the state that was read."""

    def add_jobs(self, jobs: Sequence[BatchJob]) -> Sequence[BatchJob]:
        """Record intents, all or none; returns them with their ids.

        One whose submission key is recorded already is returned as it stands: an intent is claimed once.
        """
        ...

    def find_job(self, job_id: int) -> BatchJob | None:
        """Return one job."""
        ...

    def stage_jobs(self, stage: StageRef) -> Sequence[BatchJob]:
        """Return all jobs of a stage in the order of submission (round, shard, attempt)."""
        ...

    def run_jobs(self, *, flow: Flow, key: RunKey) -> Sequence[BatchJob]:
        """Return all jobs of a run, stage by stage."""
        ...

    def open_jobs(self, *, provider: str, after_id: int = 0, limit: int = 1_000) -> Sequence[BatchJob]:
        """Return open jobs of all projects by id, from behind ``after_id``; cost does not grow with closed ones."""
        ...

    def change_job(self, job: BatchJob, *, to: JobState | None = None, **changes: Any) -> BatchJob | None:  # noqa: ANN401 - columns
        """Change a job whose row still has the version of ``job``, else return None.

        ``to`` must follow from its state; ``changes`` are fields of ``BatchJob``. Returns the job as it is now.
        """
        ...

    def resubmit_job(self, job: BatchJob, *, again: BatchJob, **changes: Any) -> BatchJob | None:  # noqa: ANN401 - columns
        """Close a job as ``failed`` and record the intent to submit its file again, in one transaction.

        Returns the new intent, None as above.
        """
        ...


class FeedbackLedger(Protocol):
    """The feedback table: what people said of results. Entries are appended, and removed only with their run."""

    def add_feedback(self, entries: Sequence[FeedbackEntry]) -> None:
        """Append entries, all or none; raises ``run_not_found`` when a run of theirs is not there (any more)."""
        ...

    def run_feedback(self, *, flow: Flow, key: RunKey) -> Sequence[FeedbackEntry]:
        """Return all entries of a run in the order in which they were recorded."""
        ...


class Ledger(LeaseLedger, DatasetLedger, RunLedger, BatchLedger, FeedbackLedger, Protocol):
    """Facts that need transactions and queries: SQLite by default, PostgreSQL in production."""


@dataclass(frozen=True, slots=True)
class EmbeddingReply:
    """What one embedding call brought: one vector or error per text, in the order of the texts."""

    vectors: Sequence[bytes | None]
    """Little-endian float32; None where the item failed its checks."""
    problems: Sequence[str | None]
    """Why the vector is None."""
    usage: Usage | None
    """None when the provider reported none: the call has no known price, not price 0."""
    model: str | None
    latency_s: float


@dataclass(frozen=True, slots=True)
class EmbeddingFailure:
    """An embedding call that brought nothing; the attempt says why and whether to ask again."""

    attempt: Attempt
    divisible: bool
    """Whether fewer texts in a call may help (the provider found the call too large, or one text bad)."""


class Asks(Protocol[Asked]):
    """A model that is asked live: one request in, one attempt out. Never raises for what a provider does."""

    async def ask(self, request: Asked, /) -> Attempt:
        """Send one request and translate what comes back."""
        ...


Answerer = Asks[Mapping[str, Any]]
"""A model under test. A request is the frozen model body with the question as ``input``; adapters translate both."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording as a model is given it."""

    sha256: str
    mime_type: str
    size_bytes: int
    name: str
    """A file name with the extension of its format; some servers decide by it."""
    open: Callable[[], AbstractContextManager[Path]]
    """Gives a readable local file for the time of a ``with``."""


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """One clip for one model."""

    clip: Clip
    model: str
    prompt: str
    """What a model that takes instructions is told; adapters of models that take none leave it out."""
    language: str | None
    """BCP-47; None: the model finds out."""


Transcriber = Asks[TranscriptionRequest]
"""A speech model."""


class HostedState(StrEnum):
    """Whether a file that was uploaded to a provider can be used."""

    PROCESSING = "processing"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HostedFile:
    """A file that a provider keeps for a while, for requests to name."""

    name: str
    uri: str
    state: HostedState
    expires_at: datetime | None
    problem: str | None = None
    """Why it failed, in the provider's words."""


class FileHost(Protocol):
    """Where clips wait for the requests that name them; calls may come from several threads at once.

    Every fault raises ``BatchCallError``; a file that is gone has fault ``gone``.
    """

    @property
    def account(self) -> str:
        """Digest of base URL and key: files of one account do not exist for another."""
        ...

    def upload(self, path: Path, *, name: str, mime_type: str) -> HostedFile:
        """Upload a file, streamed."""
        ...

    def look(self, name: str) -> HostedFile:
        """Look a file up."""
        ...

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone is no error."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...


class RequestLines(Protocol):
    """Writes the lines of a batch's request file in a provider's form; the item's id stands first in every line."""

    def line(self, item_id: str, given: str) -> bytes:
        """Return the line of one item, with its line break."""
        ...


class Embedder(Protocol):
    """An embedding model: packs of texts in, vectors out. Never raises for what a provider does."""

    async def embed(self, texts: Sequence[str]) -> EmbeddingReply | EmbeddingFailure:
        """Embed the texts in one call."""
        ...


@dataclass(frozen=True, slots=True)
class Price:
    """What calls cost in US dollars, and how that was found."""

    usd: Decimal
    rate: str
    """``standard`` or ``batch``, with a note where the library has no such rate."""


class PriceBook(Protocol):
    """Published prices of models."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime) -> Price | None:
        """Return the price of one request, or None for a model without a published price (never 0)."""
        ...


class Progress(Protocol):
    """Where a running stage tells how far it is."""

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Report the present counts."""
        ...


class BatchProvider(Protocol):
    """The files and batches of one account at one provider; every fault raises ``BatchCallError``."""

    @property
    def account(self) -> str:
        """Digest of base URL and key."""
        ...

    @property
    def base_url(self) -> str:
        """Where it is reached."""
        ...

    def now(self) -> datetime | None:
        """Return the present by the provider's clock; None before the first answer that told it."""
        ...

    def upload(self, path: Path, *, name: str) -> str:
        """Upload a request file, streamed; returns its id."""
        ...

    def create(self, *, file_id: str, endpoint: str, key: str, labels: Mapping[str, str]) -> ProviderBatch:
        """Create a batch, once, with the key in its metadata."""
        ...

    def list(self, *, since: datetime | None, most_calls: int) -> BatchListing:
        """List the newest batches, back to ``since``, in at most so many calls of 100."""
        ...

    def find(self, batch_id: str) -> ProviderBatch:
        """Look one batch up; a 404 raises with fault ``gone``."""
        ...

    def cancel(self, batch_id: str) -> ProviderBatch:
        """Ask for a batch to be cancelled; one that has ended stays as it is."""
        ...

    def download(self, file_id: str, path: Path) -> None:
        """Copy a file's bytes to ``path``, whole or not at all; tried again in place when the connection breaks."""
        ...

    def knows_file(self, file_id: str) -> bool:
        """Tell whether a file is this account's: keys that know the same files open the same account."""
        ...

    def delete_file(self, file_id: str) -> None:
        """Delete a file; one that is gone is no error."""
        ...

    def close(self) -> None:
        """Let connections go."""
        ...
