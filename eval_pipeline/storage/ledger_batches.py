"""The batch_jobs table: what was submitted, and how far it is. Every change compares the version that was read."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from eval_pipeline.core.batches import BatchJob, JobState, may_become
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import BUILT_IN, ApiProtocol
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.storage.ledger_database import LedgerTable
from eval_pipeline.storage.ledger_schema import OPEN_STATES, batch_jobs

_IDENTITY: Final = frozenset(
    {"id", "stage", "round", "shard", "attempt", "submission_key", "fingerprint", "state", "version", "updated_at"}
)
_CHANGEABLE: Final = frozenset(field.name for field in fields(BatchJob)) - _IDENTITY
_OTHERS: Final = frozenset({"stage", "state", "protocol", "anomalies"})
_PLAIN: Final = tuple(field.name for field in fields(BatchJob) if field.name not in _OTHERS)


class BatchTable(LedgerTable):
    """The ledger's batch jobs."""

    def add_jobs(self, jobs: Sequence[BatchJob]) -> Sequence[BatchJob]:
        """Record intents, all or none; one that is recorded already is returned as it stands."""
        if not jobs:
            return ()
        try:
            with self._database.write() as connection:
                return [_add(connection, job) for job in jobs]
        except IntegrityError:  # another process recorded them between our look and our insert
            with self._database.write() as connection:
                return [_add(connection, job) for job in jobs]

    def stage_jobs(self, stage: StageRef) -> Sequence[BatchJob]:
        """Return all jobs of a stage in the order of submission (round, shard, attempt)."""
        return self._jobs(_in_order().where(*_of_run(stage.flow, stage.key), batch_jobs.c.stage == stage.stage))

    def run_jobs(self, *, flow: Flow, key: RunKey) -> Sequence[BatchJob]:
        """Return all jobs of a run in the order in which they were recorded."""
        return self._jobs(select(batch_jobs).where(*_of_run(flow, key)).order_by(batch_jobs.c.id))

    def jobs_of_batches(self, provider_ids: Collection[str]) -> Sequence[BatchJob]:
        """Return the jobs of any run that have one of these ids at their provider."""
        return self._jobs(select(batch_jobs).where(batch_jobs.c.provider_id.in_([*provider_ids])))

    def open_jobs(
        self, *, protocols: Collection[ApiProtocol], after_id: int = 0, limit: int = 1_000
    ) -> Sequence[BatchJob]:
        """Return open jobs of some protocols and of all projects by id, from behind ``after_id``."""
        query = select(batch_jobs).where(
            batch_jobs.c.protocol.in_([protocol.value for protocol in protocols]),
            batch_jobs.c.id > after_id,
            batch_jobs.c.state.in_([*map(_literal, OPEN_STATES)]),
        )
        return self._jobs(query.order_by(batch_jobs.c.id).limit(limit))

    def lost_jobs(self, *, protocols: Collection[ApiProtocol], due: datetime, limit: int) -> Sequence[BatchJob]:
        """Return lost jobs of all projects that are to be looked for by then, those that wait longest first."""
        query = select(batch_jobs).where(
            batch_jobs.c.protocol.in_([protocol.value for protocol in protocols]),
            batch_jobs.c.state == _literal(JobState.LOST.value),
            batch_jobs.c.waits_until <= due,
        )
        return self._jobs(query.order_by(batch_jobs.c.waits_until).limit(limit))

    def change_job(self, job: BatchJob, *, to: JobState | None = None, **changes: Any) -> BatchJob | None:  # noqa: ANN401 - columns
        """Change a job whose row still has the version of ``job``, else return None."""
        with self._database.write() as connection:
            return self._change(connection, job, to=to, changes=changes)

    def resubmit_job(self, job: BatchJob, *, again: BatchJob, **changes: Any) -> BatchJob | None:  # noqa: ANN401 - columns
        """Close a job as ``failed`` and record the intent to submit its file again, in one transaction."""
        with self._database.write() as connection:
            closed = self._change(connection, job, to=JobState.FAILED, changes=changes)
            return None if closed is None else _add(connection, again)

    def _jobs(self, query: Select[Any]) -> list[BatchJob]:
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(query)]

    def _change(
        self, connection: Connection, job: BatchJob, *, to: JobState | None, changes: JsonDict
    ) -> BatchJob | None:
        if to is not None and not may_become(job.state, to):
            raise ValueError(f"a job that is {job.state} cannot become {to}")
        if unknown := sorted(set(changes) - _CHANGEABLE):
            raise ValueError(f"a job's {unknown[0]} cannot be changed")
        state = {} if to is None else {"state": to.value}
        values = {**changes, **state, "version": job.version + 1, "updated_at": self._now()}
        if "anomalies" in values:
            values["anomalies"] = list(values["anomalies"])
        as_read = (batch_jobs.c.id == job.id, batch_jobs.c.version == job.version)
        if connection.execute(update(batch_jobs).where(*as_read).values(**values)).rowcount == 0:
            return None
        return _job(connection.execute(select(batch_jobs).where(batch_jobs.c.id == job.id)).one())


def _literal(state: str) -> ColumnElement[str]:
    """Write a state into the statement itself: SQLite takes a partial index only for what it can see to be in it."""
    return literal_column(f"'{state}'")


def _in_order() -> Select[Any]:
    return select(batch_jobs).order_by(batch_jobs.c.round, batch_jobs.c.shard, batch_jobs.c.attempt)


def _of_run(flow: Flow, key: RunKey) -> tuple[ColumnElement[bool], ...]:
    return (batch_jobs.c.project == key.project, batch_jobs.c.flow == flow.value, batch_jobs.c.run == key.run)


def _add(connection: Connection, job: BatchJob) -> BatchJob:
    place = (batch_jobs.c.round == job.round, batch_jobs.c.shard == job.shard, batch_jobs.c.attempt == job.attempt)
    same = (*_of_run(job.stage.flow, job.stage.key), batch_jobs.c.stage == job.stage.stage, *place)
    row = connection.execute(select(batch_jobs).where(*same)).one_or_none()
    if row is None:
        connection.execute(batch_jobs.insert().values(**_columns(job)))
        row = connection.execute(select(batch_jobs).where(*same)).one()
    return _job(row)


def _columns(job: BatchJob) -> dict[str, object]:
    plain = {name: getattr(job, name) for name in _PLAIN if name != "id"}
    stage = job.stage
    place = {"project": stage.key.project, "flow": stage.flow.value, "run": stage.key.run, "stage": stage.stage}
    words = {"state": job.state.value, "protocol": job.protocol.value}
    return {**plain, **place, **words, "anomalies": list(job.anomalies)}


def _job(row: Row[Any]) -> BatchJob:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    stage = StageRef(flow=Flow(row.flow), key=RunKey(project=row.project, run=row.run), stage=row.stage)
    return BatchJob(
        **{name: values[name] for name in _PLAIN},
        stage=stage,
        state=JobState(row.state),
        protocol=BUILT_IN.get(row.provider) or ApiProtocol(row.protocol),  # code that knows no protocol told none
        anomalies=tuple(row.anomalies),
    )
