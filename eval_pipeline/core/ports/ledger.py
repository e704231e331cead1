"""Facts that need transactions and queries: leases, datasets, runs, batch jobs, verdicts."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from eval_pipeline.core.batches import BatchJob, JobState
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion, Page
from eval_pipeline.core.epoch import Epoch, LedgerEpoch
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.feedback import FeedbackEntry
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.judgement_ledger import JudgementLedger
from eval_pipeline.core.ports.session_results import SessionResultLedger
from eval_pipeline.core.ports.sessions import SessionLedger
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.runs import Flow, RunRecord, RunState, Worker
from eval_pipeline.core.stages import StageRef


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

    def acquire_lease(
        self, resource: str, *, holder: Worker, seen: LeaseHeld | None = None, above: int = 0
    ) -> Lease | LeaseHeld:
        """Take a free lease, or one that still stands exactly as ``seen``; else return who holds it now.

        Tokens of one resource only rise, also over releases, and above ``above``: what the store holds already.
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

    def waiting_runs(self, *, limit: int) -> Sequence[RunRecord]:
        """Return runs of every project and flow that wait for a provider, or for another run, oldest first."""
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
        """Move the run; with ``expected``, only from one of those states. False when it was elsewhere, or is deleted.

        ``error`` replaces the stored error (None clears it).
        """
        ...

    def swap_run(self, before: RunRecord, after: RunRecord) -> bool:
        """Write state, worker, budget, wish to cancel and error of ``after`` where the row still is as in ``before``.

        All or none, in one step: who is refused has changed nothing. False when somebody changed the row meanwhile.
        """
        ...

    def delete_run(self, *, flow: Flow, key: RunKey) -> None:
        """Forget the run; its name is free again."""
        ...


class EpochLedger(Protocol):
    """What the ledger knows of its own age: a store that knows of more submissions shows that it was restored."""

    @property
    def id(self) -> UUID:
        """Which ledger it is; made with the schema."""
        ...

    def count_submission(self, write: Callable[[Epoch], None]) -> None:
        """Count a submission that is about to begin; ``write`` puts the count into the store."""
        ...

    def read_epoch(self) -> LedgerEpoch:
        """Return how far the ledger is."""
        ...

    def mark_restored(self, store: Epoch) -> LedgerEpoch:
        """Go on behind what the store knows: tokens above its own, every open job to be looked for."""
        ...


class BatchLedger(EpochLedger, Protocol):
    """The batch_jobs table; every change is a compare-and-set on the state that was read."""

    def add_jobs(self, jobs: Sequence[BatchJob]) -> Sequence[BatchJob]:
        """Record intents, all or none; returns them with their ids.

        One whose submission key is recorded already is returned as it stands: an intent is claimed once.
        """
        ...

    def stage_jobs(self, stage: StageRef) -> Sequence[BatchJob]:
        """Return all jobs of a stage in the order of submission (round, shard, attempt)."""
        ...

    def run_jobs(self, *, flow: Flow, key: RunKey) -> Sequence[BatchJob]:
        """Return all jobs of a run, stage by stage."""
        ...

    def jobs_of_batches(self, provider_ids: Collection[str]) -> Sequence[BatchJob]:
        """Return the jobs of any run that have one of these ids at their provider."""
        ...

    def open_jobs(
        self, *, protocols: Collection[ApiProtocol], after_id: int = 0, limit: int = 1_000
    ) -> Sequence[BatchJob]:
        """Return open jobs of some protocols and of all projects by id, from behind ``after_id``.

        Its cost does not grow with closed ones.
        """
        ...

    def lost_jobs(self, *, protocols: Collection[ApiProtocol], due: datetime, limit: int) -> Sequence[BatchJob]:
        """Return lost jobs of all projects that are to be looked for by then, those that wait longest first."""
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


class Ledger(
    LeaseLedger,
    DatasetLedger,
    RunLedger,
    BatchLedger,
    FeedbackLedger,
    SessionResultLedger,
    SessionLedger,
    JudgementLedger,
    Protocol,
):
    """Facts that need transactions and queries: SQLite by default, PostgreSQL in production."""
