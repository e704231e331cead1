"""The runs table: names claimed once and for all, and where each run stands."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from eval_pipeline.core.datasets import Page
from eval_pipeline.core.errors import ConflictError, EvalPipelineError, NotFoundError
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState, Worker
from eval_pipeline.storage.ledger_database import LedgerTable, read_page
from eval_pipeline.storage.ledger_datasets import refuse_deleted_dataset
from eval_pipeline.storage.ledger_schema import batch_jobs, feedback, judgements, runs
from eval_pipeline.storage.ledger_session_results import remove_run


class RunTable(LedgerTable):
    """The ledger's runs."""

    def claim_run(self, run: RunRecord) -> RunRecord:
        """Insert under the unique (project, flow, name), else raise ``run_name_already_exists``."""
        try:
            with self._database.write() as connection:
                connection.execute(runs.insert().values(**_columns(run)))
                refuse_deleted_dataset(
                    connection, project=run.key.project, name=run.dataset_name, version=run.dataset_version
                )
        except IntegrityError:
            raise _name_taken(run, by=self.find_run(flow=run.flow, key=run.key)) from None
        return run

    def find_run(self, *, flow: Flow, key: RunKey) -> RunRecord | None:
        """Return the run, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(runs).where(*_is(flow, key))).one_or_none()
        return None if row is None else _record(row)

    def list_runs(
        self, *, project: str, flow: Flow | None, state: RunState | None, limit: int, offset: int
    ) -> Page[RunRecord]:
        """List in the order of claiming, newest first, filtered before paging."""
        query = select(runs).where(runs.c.project == project).order_by(runs.c.id.desc())
        if flow is not None:
            query = query.where(runs.c.flow == flow.value)
        if state is not None:
            query = query.where(runs.c.state == state.value)
        with self._database.read() as connection:
            return read_page(connection, query, limit=limit, offset=offset, read=_record)

    def requested_runs(self, *, flow: Flow, limit: int) -> Sequence[RunRecord]:
        """Return runs of every project that wait for a worker, oldest first."""
        requested = runs.c.state == RunState.REQUESTED.value
        return self._oldest(runs.c.flow == flow.value, requested, runs.c.worker_host.is_(None), limit=limit)

    def waiting_runs(self, *, limit: int) -> Sequence[RunRecord]:
        """Return runs of every project and flow that wait for a provider, or for another run, oldest first."""
        return self._oldest(runs.c.state == RunState.WAITING.value, limit=limit)

    def running_runs(self, *, limit: int) -> Sequence[RunRecord]:
        """Return runs of every project and flow that a worker was on when it was last heard of, oldest first."""
        return self._oldest(runs.c.state == RunState.RUNNING.value, limit=limit)

    def _oldest(self, *conditions: ColumnElement[bool], limit: int) -> list[RunRecord]:
        with self._database.read() as connection:
            rows = connection.execute(select(runs).where(*conditions).order_by(runs.c.id).limit(limit))
            return [_record(row) for row in rows]

    def set_run_state(
        self,
        *,
        flow: Flow,
        key: RunKey,
        to: RunState,
        expected: frozenset[RunState] | None = None,
        error: EvalPipelineError | None = None,
    ) -> bool:
        """Move the run; with ``expected``, only from one of those states. False when it is elsewhere."""
        allowed = [] if expected is None else [runs.c.state.in_([state.value for state in expected])]
        values = {"state": to.value, **_error_columns(error)}
        with self._database.write() as connection:
            moved = self._change_run(connection, where=[*_is(flow, key), *allowed], values=values)
            if not moved:
                _require(connection, flow=flow, key=key)
        return moved

    def swap_run(self, before: RunRecord, after: RunRecord) -> bool:
        """Write what changes in a run's life where the row still is as it was read, else change nothing."""
        as_read = (
            runs.c.state == before.state.value,
            runs.c.updated_at == before.updated_at,
            runs.c.cancel_requested.is_(before.cancel_requested),
        )
        with self._database.write() as connection:
            where = [*_is(before.flow, before.key), *as_read]
            swapped = self._change_run(connection, where=where, values=_life_columns(after))
            if not swapped:
                _require(connection, flow=before.flow, key=before.key)
        return swapped

    def delete_run(self, *, flow: Flow, key: RunKey) -> None:
        """Forget the run; its name is free again."""
        with self._database.write() as connection:
            if connection.execute(delete(runs).where(*_is(flow, key))).rowcount == 0:
                raise run_not_found(flow, key)
            for table in (batch_jobs, feedback, judgements):
                mine = (table.c.project == key.project, table.c.flow == flow.value, table.c.run == key.run)
                connection.execute(delete(table).where(*mine))
            if flow is Flow.SESSIONS:
                remove_run(connection, key)

    def _change_run(
        self, connection: Connection, *, where: Sequence[ColumnElement[bool]], values: dict[str, object]
    ) -> bool:
        kept = runs.c.state != RunState.DELETING.value
        change = update(runs).where(*where, kept).values(updated_at=self._now(), **values)
        return connection.execute(change).rowcount == 1


def _is(flow: Flow, key: RunKey) -> tuple[ColumnElement[bool], ...]:
    return (runs.c.project == key.project, runs.c.flow == flow.value, runs.c.name == key.run)


def _require(connection: Connection, *, flow: Flow, key: RunKey) -> None:
    if connection.execute(select(runs.c.id).where(*_is(flow, key))).one_or_none() is None:
        raise run_not_found(flow, key)


def run_not_found(flow: Flow, key: RunKey) -> NotFoundError:
    """Build the error of a run that the ledger does not have."""
    return NotFoundError(
        f"project '{key.project}' has no run '{key.run}' of flow {flow}",
        code="run_not_found",
        hint=f"see which there are: eval-pipeline run list{_project_option(key)}",
    )


def _name_taken(run: RunRecord, *, by: RunRecord | None) -> ConflictError:
    since = f" since {by.created_at:%Y-%m-%d %H:%M:%S} UTC; its state is {by.state}" if by else ""
    option = _project_option(run.key)
    return ConflictError(
        f"the run name '{run.key.run}' is taken in project '{run.key.project}'{since}",
        code="run_name_already_exists",
        hint=f"to resume or repeat that run: eval-pipeline run retry {run.key.run}{option}; else choose another name",
    )


def _project_option(key: RunKey) -> str:
    return "" if key.project == DEFAULT_PROJECT else f" --project {key.project}"


def _columns(run: RunRecord) -> dict[str, object]:
    return {
        "project": run.key.project,
        "flow": run.flow.value,
        "name": run.key.run,
        "spec": run.spec,
        "spec_hash": run.spec_hash,
        "dataset_name": run.dataset_name,
        "dataset_version": run.dataset_version,
        "mode": run.mode.value,
        "requested_by": run.requested_by,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        **_life_columns(run),
    }


def _life_columns(run: RunRecord) -> dict[str, object]:
    """Return what changes in the life of a run."""
    return {
        "state": run.state.value,
        **_worker_columns(run.worker),
        "dagster_run_id": run.dagster_run_id,
        "max_cost_usd": run.max_cost_usd,
        "cancel_requested": run.cancel_requested,
        "error_code": run.error_code,
        "error_message": run.error_message,
        "error_hint": run.error_hint,
    }


def _worker_columns(worker: Worker | None) -> dict[str, object]:
    if worker is None:
        return {"worker_host": None, "worker_pid": None, "worker_started_at": None}
    return {"worker_host": worker.host, "worker_pid": worker.pid, "worker_started_at": worker.started_at}


def _error_columns(error: EvalPipelineError | None) -> dict[str, object]:
    if error is None:
        return {"error_code": None, "error_message": None, "error_hint": None}
    return {"error_code": error.code, "error_message": error.message, "error_hint": error.hint}


def _record(row: Row[Any]) -> RunRecord:
    return RunRecord(
        key=RunKey(project=row.project, run=row.name),
        flow=Flow(row.flow),
        state=RunState(row.state),
        spec=row.spec,
        spec_hash=row.spec_hash,
        dataset_name=row.dataset_name,
        dataset_version=row.dataset_version,
        mode=RunMode(row.mode),
        requested_by=row.requested_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        worker=_worker(row),
        dagster_run_id=row.dagster_run_id,
        max_cost_usd=row.max_cost_usd,
        cancel_requested=row.cancel_requested,
        error_code=row.error_code,
        error_message=row.error_message,
        error_hint=row.error_hint,
    )


def _worker(row: Row[Any]) -> Worker | None:
    if row.worker_host is None:
        return None
    return Worker(host=row.worker_host, pid=row.worker_pid, started_at=row.worker_started_at)
