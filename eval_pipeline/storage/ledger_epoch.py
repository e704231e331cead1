"""How far the ledger is, so that one restored from a backup is known by its store."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, case, select, update

from eval_pipeline.core.epoch import Epoch, LedgerEpoch
from eval_pipeline.storage.ledger_database import LedgerTable
from eval_pipeline.storage.ledger_schema import OPEN_STATES, batch_jobs, ledger


class EpochTable(LedgerTable):
    """The ledger's count of submissions."""

    def count_submission(self, write: Callable[[Epoch], None]) -> None:
        """Count a submission that is about to begin, here and in the store.

        The store is written inside the second transaction, one process after the other, so that it never counts
        backwards. A kill between any two steps leaves the store at or below what was announced.

        Args:
            write: puts an epoch into the store.
        """
        with self._database.write() as connection:
            connection.execute(update(ledger).values(submissions_announced=ledger.c.submissions_announced + 1))
        with self._database.write() as connection:
            connection.execute(update(ledger).values(submissions_stored=ledger.c.submissions_announced))
            now = _read(connection)
            write(Epoch(submissions=now.announced, token=now.token))

    def read_epoch(self) -> LedgerEpoch:
        """Return how far the ledger is."""
        with self._database.read() as connection:
            return _read(connection)

    def mark_restored(self, store: Epoch) -> LedgerEpoch:
        """Go on behind what the store knows: tokens above its own, and no batch created before it was looked for.

        Another process may have done so already; then nothing changes.
        """
        now = self._now()
        with self._database.write() as connection:
            marked = connection.execute(
                update(ledger)
                .where(ledger.c.submissions_announced < store.submissions)
                .values(
                    submissions_announced=store.submissions,
                    submissions_stored=store.submissions,
                    lowest_token=case(
                        (ledger.c.highest_token > store.token, ledger.c.highest_token), else_=store.token
                    ),
                    restored_at=now,
                )
            )
            if marked.rowcount:
                _look_for_all(connection, now)
            return _read(connection)


def _read(connection: Connection) -> LedgerEpoch:
    columns = (
        ledger.c.submissions_announced,
        ledger.c.submissions_stored,
        ledger.c.highest_token,
        ledger.c.restored_at,
    )
    announced, stored, token, restored_at = connection.execute(select(*columns)).one()
    return LedgerEpoch(announced=announced, stored=stored, token=token, restored_at=restored_at)


def _look_for_all(connection: Connection, now: datetime) -> None:
    """Let every open job be looked for: it, or its file again, may have been submitted since the backup."""
    connection.execute(
        update(batch_jobs)
        .where(batch_jobs.c.state.in_(OPEN_STATES))
        .values(
            sought_since=batch_jobs.c.created_at,
            empty_lists=0,
            listed_at=None,
            version=batch_jobs.c.version + 1,
            updated_at=now,
        )
    )
