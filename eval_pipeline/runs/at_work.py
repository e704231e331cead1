"""One stage at work: its lease, its journal, its files and the run's state, opened and closed together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event
from typing import TYPE_CHECKING

from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import IncompleteError, NotFoundError
from eval_pipeline.core.names import RunKey, command_on
from eval_pipeline.core.ports.stage_files import StageReader, StageWriter
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.leases import HeldLease, hold
from eval_pipeline.runs.life import working
from eval_pipeline.storage.journal import Journal
from eval_pipeline.wiring.deployment import Deployment

if TYPE_CHECKING:
    import pyarrow as pa

BEAT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class StageAtWork:
    """What a stage needs while it is made."""

    ref: StageRef
    run: RunRecord
    lease: HeldLease
    files: StageWriter
    journal: Journal
    _cancelled: Event = field(repr=False)

    def should_stop(self) -> bool:
        """Whether a person asked to stop, or another worker took the stage (which ``lease.check`` tells apart)."""
        return self._cancelled.is_set() or self.lease.lost


def run_cancelled(key: RunKey) -> IncompleteError:
    """Build the error of a run that a person stopped."""
    return IncompleteError(
        f"run {key.partition} was cancelled; what was answered is kept",
        code="run_cancelled",
        hint=f"{command_on('run retry', key)} goes on where it stopped",
    )


def out_of_budget(stage: StageAtWork, *, spent_usd: Decimal, done: int, total: int) -> IncompleteError:
    """Build the error of a run that would cost more than it may."""
    return IncompleteError(
        f"run {stage.run.key.partition} stopped at its budget: ${spent_usd:.6f} of ${stage.run.max_cost_usd:.6f} "
        f"spent, {done:,} of {counted(total, 'item')} of {stage.ref.stage} done",
        code="budget_exceeded",
        hint=f"what was answered is kept; {command_on('run retry', stage.run.key)} --max-cost-usd X goes on",
    )


@contextmanager
def at_work(
    deployment: Deployment,
    ref: StageRef,
    *,
    schema: "pa.Schema | None",
    inputs: Mapping[str, StageReader] | None = None,
    dagster_run_id: str | None = None,
    optional: bool = False,
) -> Iterator[StageAtWork]:
    """Hold a stage for as long as it is made; raises ``stage_in_use`` when another worker makes it."""
    deployment.check_store()
    flow, key = ref.flow, ref.key
    cancelled = Event()
    with (
        hold(
            deployment.ledger,
            str(ref.prefix),
            worker=deployment.worker,
            patience_s=deployment.settings.lease_patience_seconds,
            beat_every_s=BEAT_EVERY_S,
            on_beat=_watch_cancel(deployment, flow=flow, key=key, cancelled=cancelled),
            above=deployment.stages.last_attempt(ref),
        ) as lease,
        working(
            deployment,
            flow=flow,
            key=key,
            dagster_run_id=dagster_run_id,
            optional=optional,
            is_lost=lambda: lease.lost,
        ) as run,
        deployment.stages.writer(
            ref,
            schema=schema,
            attempt=lease.token,
            spec_hash=run.spec_hash,
            inputs={name: reader.manifest for name, reader in (inputs or {}).items()},
            check=lease.check,
        ) as files,
    ):
        if run.cancel_requested and run.state is RunState.RUNNING:
            cancelled.set()  # between two stages: the next beat is a second away
        yield StageAtWork(
            ref=ref,
            run=run,
            lease=lease,
            files=files,
            journal=Journal(deployment.objects, ref),
            _cancelled=cancelled,
        )


def _watch_cancel(deployment: Deployment, *, flow: Flow, key: RunKey, cancelled: Event) -> Callable[[], None]:
    def look() -> None:
        run = deployment.ledger.find_run(flow=flow, key=key)
        if run is not None and run.cancel_requested:
            cancelled.set()

    return look


def start_over(deployment: Deployment, stage: StageAtWork, *, by: str, retried: str | None) -> None:
    """Forget what the stage's journal holds, once: a retry of the run that did so goes on with what that one paid for.

    Args:
        deployment: where the stage lives.
        stage: to start over.
        by: the Dagster run that asks for it.
        retried: the Dagster run that it is an automatic retry of.
    """
    if not has_started_over(deployment, stage, by=by, retried=retried):
        stage.journal.clear()
    deployment.objects.put(_mark_of(stage), by.encode())


def has_started_over(deployment: Deployment, stage: StageAtWork, *, by: str, retried: str | None) -> bool:
    """Tell whether this Dagster run, or the one that it retries, started the stage over already."""
    return _read_mark(deployment, _mark_of(stage)) in {by, retried or by}


def _mark_of(stage: StageAtWork) -> str:
    return f"{stage.ref.prefix}/started_over_by"


def _read_mark(deployment: Deployment, key: str) -> str | None:
    try:
        return deployment.objects.read(key).decode()
    except NotFoundError:
        return None
