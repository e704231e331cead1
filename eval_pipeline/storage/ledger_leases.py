"""The leases table: who may write a stage now.

Compare-and-set alone decides; no clock is read. A released lease keeps its row, so that tokens never fall.
"""

from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import IntegrityError

from eval_pipeline.core.ports.ledger import Lease, LeaseHeld
from eval_pipeline.core.runs import Worker
from eval_pipeline.storage.ledger_database import LedgerTable
from eval_pipeline.storage.ledger_schema import leases, ledger


class LeaseTable(LedgerTable):
    """The ledger's leases."""

    def acquire_lease(
        self, resource: str, *, holder: Worker, seen: LeaseHeld | None = None, above: int = 0
    ) -> Lease | LeaseHeld:
        """Take a free lease, or one that still stands exactly as ``seen``; else return who holds it now."""
        while True:
            try:
                answer = self._try_lease(resource, holder=holder, seen=seen, above=above)
            except IntegrityError:  # another process took the resource's first lease between our look and our insert
                continue
            if answer is not None:
                return answer

    def _try_lease(
        self, resource: str, *, holder: Worker, seen: LeaseHeld | None, above: int
    ) -> Lease | LeaseHeld | None:
        """Return None when the row changed under our hands (only where writers run side by side)."""
        with self._database.write() as connection:
            row = _row(connection, resource)
            if row is not None and row.held and not _stands_as(row, seen):
                return _held(row)
            token = 1 + max(0 if row is None else row.token, above, _lowest_token(connection))
            values = {"token": token, "counter": 0, "held": True, "since": self._now(), **_holder_columns(holder)}
            connection.execute(update(ledger).where(ledger.c.highest_token < token).values(highest_token=token))
            if row is None:
                connection.execute(leases.insert().values(resource=resource, **values))
                return Lease(resource=resource, holder=holder, token=token)
            as_read = (leases.c.resource == resource, leases.c.token == row.token, leases.c.counter == row.counter)
            taken = connection.execute(update(leases).where(*as_read, leases.c.held == row.held).values(**values))
            return Lease(resource=resource, holder=holder, token=token) if taken.rowcount else None

    def beat_lease(self, lease: Lease) -> bool:
        """Raise the counter; False when the lease is no longer ours."""
        return self._change_ours(lease, counter=leases.c.counter + 1)

    def release_lease(self, lease: Lease) -> None:
        """Give the lease back; no error when it is no longer ours."""
        self._change_ours(lease, held=False)

    def find_lease(self, resource: str) -> LeaseHeld | None:
        """Return who holds the resource now."""
        with self._database.read() as connection:
            row = _row(connection, resource)
        return _held(row) if row is not None and row.held else None

    def _change_ours(self, lease: Lease, **values: object) -> bool:
        ours = (leases.c.resource == lease.resource, leases.c.token == lease.token, leases.c.held.is_(True))
        with self._database.write() as connection:
            return connection.execute(update(leases).where(*ours).values(**values)).rowcount == 1


def _row(connection: Connection, resource: str) -> Row[Any] | None:
    return connection.execute(select(leases).where(leases.c.resource == resource)).one_or_none()


def _lowest_token(connection: Connection) -> int:
    """Return what all tokens rise above: those that a ledger handed out which was lost, and this one restored."""
    return int(connection.execute(select(ledger.c.lowest_token)).scalar_one())


def _stands_as(row: Row[Any], seen: LeaseHeld | None) -> bool:
    return seen is not None and (row.token, row.counter) == (seen.token, seen.counter)


def _holder_columns(holder: Worker) -> dict[str, object]:
    return {"holder_host": holder.host, "holder_pid": holder.pid, "holder_started_at": holder.started_at}


def _held(row: Row[Any]) -> LeaseHeld:
    holder = Worker(host=row.holder_host, pid=row.holder_pid, started_at=row.holder_started_at)
    return LeaseHeld(resource=row.resource, holder=holder, token=row.token, counter=row.counter, since=row.since)
