"""One stage at work: its lease, its journal, its files and the run's state, opened and closed together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from eval_pipeline.core.errors import ConflictError, IncompleteError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports import StageReader, StageWriter
from eval_pipeline.core.runs import Flow, RunRecord
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.dispatch.leases import HeldLease, hold
from eval_pipeline.storage.journal import Journal
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.run_life import working

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

    def check(self) -> None:
        """Raise when the lease is lost or a person asked to stop."""
        self.lease.check()
        if self._cancelled.is_set():
            raise run_cancelled(self.run.key)

    def should_stop(self) -> bool:
        """Whether a person asked to stop, or another worker took the stage."""
        return self._cancelled.is_set() or self.lease.lost


def run_cancelled(key: RunKey) -> IncompleteError:
    """Build the error of a run that a person stopped."""
    return IncompleteError(
        f"run {key.partition} was cancelled; what was answered is kept",
        code="run_cancelled",
        hint=f"eval-pipeline run retry {key.run} goes on where it stopped",
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
        ) as lease,
        working(deployment, flow=flow, key=key, dagster_run_id=dagster_run_id, optional=optional) as run,
        deployment.stages.writer(
            ref,
            schema=schema,
            attempt=lease.token,
            spec_hash=run.spec_hash,
            inputs={name: reader.manifest for name, reader in (inputs or {}).items()},
            check=lease.check,
        ) as files,
    ):
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


def manifest_facts(manifest: Manifest) -> dict[str, Any]:
    """Return what a person wants to see of every stage."""
    return {
        "rows": manifest.rows,
        "parts": len(manifest.parts),
        "size_bytes": sum(part.size_bytes for part in manifest.parts),
        "manifest_sha256": manifest.sha256,
        "spec_hash": manifest.spec_hash,
        "code_version": manifest.code_version,
    }


def check_same_spec(reader: StageReader, *, run: RunRecord) -> None:
    """Refuse a stage that another specification made."""
    if reader.manifest.spec_hash != run.spec_hash:
        raise ConflictError(
            f"{reader.manifest.stage} was made by another specification ({reader.manifest.spec_hash[:12]}, "
            f"the run has {run.spec_hash[:12]})",
            code="spec_mismatch",
            hint="materialize that stage again",
        )
