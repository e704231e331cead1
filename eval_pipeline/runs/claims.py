"""What runs of every flow begin with: the dataset that is named, their limits, the name claimed with one INSERT."""

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from typing_extensions import TypeVar as DefaultingTypeVar

from eval_pipeline.core.configuration import MAX_COST_USD, check_range
from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion, split_reference
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.core.names import RunKey, shown, validate_project
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.runs.dataset_adding import private_copy, working_folder
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.settings import Settings

CLAIMED_AT = "claimed_at"
"""The fact by which the stored specification remembers when the run was claimed."""
_HINTS = {
    DatasetKind.TEXT: "choose a dataset of golden questions and answers",
    DatasetKind.STT: "choose an audio dataset: eval-pipeline dataset list --kind stt",
}


class FrozenSpec(Protocol):
    """What a flow freezes."""

    @property
    def mode(self) -> RunMode:
        """How providers are reached."""
        ...

    @property
    def hash(self) -> str:
        """Digest of the canonical JSON."""
        ...

    def to_json(self) -> Json:
        """Return the JSON form that the ledger keeps."""
        ...


class Pinned(Protocol):
    """What a run evaluates, as the ledger names it: a version of a dataset, or a choice of sessions."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def version(self) -> str:
        """Digest of all that it holds."""
        ...


SpecT_co = TypeVar("SpecT_co", bound=FrozenSpec, covariant=True)
PinnedT_co = DefaultingTypeVar("PinnedT_co", bound=Pinned, covariant=True, default=DatasetVersion)


@dataclass(frozen=True, slots=True)
class HandedFile:
    """A file that a person gave to a run, which keeps a copy; its digest is frozen."""

    path: Path
    name: str
    """Of the copy."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Prepared(Generic[SpecT_co, PinnedT_co]):
    """A request that passed every check: what would be claimed."""

    key: RunKey
    dataset: PinnedT_co
    spec: SpecT_co
    max_cost_usd: float | None = None
    handed_in: HandedFile | None = None
    notes: tuple[dict[str, str], ...] = ()
    """What a person should know before the run: code, message and hint each."""
    kept: Mapping[str, bytes] = field(default_factory=dict)
    """Documents that the run keeps, by name: what its specification holds the digest of alone."""


def requester() -> str:
    """Name the person at the command line."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"


def claim(
    prepared: Prepared[FrozenSpec, Pinned], *, flow: Flow, requested_by: str, deployment: Deployment, here: bool
) -> RunRecord:
    """Take the name with one INSERT; raises ``run_name_already_exists``.

    Args:
        here: whether this process executes the run; else it waits for a sensor.
    """
    now = datetime.now(UTC)
    claimed_at = _claimed_before(prepared, flow=flow, deployment=deployment) or now
    if (prepared.handed_in or prepared.kept) and deployment.ledger.find_run(flow=flow, key=prepared.key) is None:
        _keep_all(prepared, flow=flow, deployment=deployment)
    return deployment.ledger.claim_run(
        RunRecord(
            key=prepared.key,
            flow=flow,
            state=RunState.REQUESTED,
            spec=dict(prepared.spec.to_json()),
            spec_hash=prepared.spec.hash,
            dataset_name=prepared.dataset.name,
            dataset_version=prepared.dataset.version,
            mode=prepared.spec.mode,
            requested_by=requested_by,
            created_at=claimed_at,
            updated_at=now,
            worker=deployment.worker if here else None,
            max_cost_usd=prepared.max_cost_usd,
        )
    )


def handed_file_key(flow: Flow, key: RunKey, name: str) -> str:
    """Name where a run keeps what a person gave it; deleted with the run."""
    return f"{flow}/{key.project}/{key.run}/{name}"


def _keep_all(prepared: Prepared[FrozenSpec, Pinned], *, flow: Flow, deployment: Deployment) -> None:
    """Store what the run keeps before anybody can take it up."""
    for name, document in prepared.kept.items():
        deployment.objects.put(handed_file_key(flow, prepared.key, name), document)
    if prepared.handed_in is not None:
        _keep(prepared.handed_in, flow=flow, key=prepared.key, deployment=deployment)


def _keep(handed: HandedFile, *, flow: Flow, key: RunKey, deployment: Deployment) -> None:
    """Store the very bytes that were checked, before anybody can take the run up."""
    with working_folder() as folder:
        copy = folder / "copy"
        if private_copy(handed.path, copy, limit_bytes=deployment.settings.max_file_bytes) != handed.sha256:
            raise ConflictError(
                f"{shown(str(handed.path))} changed while it was read",
                code="file_changed",
                hint="start the run again when nobody writes to the file",
            )
        deployment.objects.put_file(handed_file_key(flow, key, handed.name), copy)


def _claimed_before(prepared: Prepared[FrozenSpec, Pinned], *, flow: Flow, deployment: Deployment) -> datetime | None:
    """Return when a run was claimed that a restored ledger has forgotten and its store has not.

    It goes on as the same run: its answers are read again, and its batches, whose keys hold that moment, are found.

    Raises:
        ConflictError: ``run_name_already_exists``, when it was specified otherwise: what is stored would be mixed.
    """
    if deployment.check_store().restored_at is None:
        return None
    stored = deployment.stages.find(StageRef(flow=flow, key=prepared.key, stage="spec"))
    if stored is None:
        return None
    if stored.manifest.spec_hash != prepared.spec.hash:
        raise ConflictError(
            f"the store holds a run {prepared.key.partition} with another specification, which the ledger does not "
            "know: it was restored from a backup",
            code="run_name_already_exists",
            hint="choose another name, or give the run exactly the configuration that it had: then it goes on",
        )
    claimed_at = stored.manifest.summary.get(CLAIMED_AT)
    return None if claimed_at is None else datetime.fromisoformat(claimed_at)


def find_dataset_of(kind: DatasetKind, *, deployment: Deployment, project: str, reference: str) -> DatasetVersion:
    """Resolve ``NAME`` or ``NAME@VERSION``; one of another kind raises ``config_type_unsupported``."""
    name, version = split_reference(reference)
    dataset = deployment.ledger.find_dataset(project=validate_project(project), name=name, version=version)
    if dataset.kind is kind:
        return dataset
    raise UsageError(
        f"dataset {shown(name)} holds {dataset.kind} items", code="config_type_unsupported", hint=_HINTS[kind]
    )


def choose_failure_threshold(asked: float | None, *, mode: RunMode, settings: Settings) -> float:
    """Return the share of failures that a run may have: as asked for, else the setting of its mode."""
    default = settings.fast_failure_threshold if mode is RunMode.FAST else settings.batch_failure_threshold
    chosen = default if asked is None else asked
    check_range("failure_threshold", value=chosen, low=0, high=1)
    return float(chosen)


def choose_concurrency(asked: int | None, *, settings: Settings) -> int:
    """Return how many live calls may be under way at once: as asked for, else the setting."""
    chosen = settings.fast_api_concurrency if asked is None else asked
    check_range("concurrency", value=chosen, low=1, high=1_000)
    return int(chosen)


def check_budget(limit_usd: float | None) -> None:
    """Raise unless a run's limit of cost is one."""
    if limit_usd is not None:
        check_range("max_cost_usd", value=limit_usd, low=0, high=MAX_COST_USD)


def check_priced(limit_usd: float | None, asked: Iterable[Tariff]) -> None:
    """Refuse a limit that cannot be kept, before the name is claimed.

    Args:
        limit_usd: of the run; None: it has none.
        asked: what every model of the run costs.
    """
    if limit_usd is None:
        return
    for tariff in asked:
        if tariff.price(Usage(input=1, output=1, total=2), at=datetime.now(UTC)) is None:
            raise UsageError(
                f"the budget cannot be kept: model {shown(tariff.model)} has no published price",
                code="budget_needs_price",
                hint="leave out max_cost_usd, name a model with a published price, or write its price into the "
                "endpoints file",
            )
