"""The judgements that runs of a project share: claimed by one run each, so that nothing is paid twice."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.judgement_claims import CellClaim, CellKey, Claimant, ClaimState, Label
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.storage.ledger_database import LedgerTable
from eval_pipeline.storage.ledger_schema import judge_labels, judgements

_AT_ONCE: Final = 300


class JudgementTable(LedgerTable):
    """The ledger's judgements and labels of judges."""

    def claim_cells(self, claimant: Claimant, cells: Sequence[CellKey]) -> Mapping[str, CellClaim]:
        """Claim what nobody has claimed or what failed before; returns all of them as they stand then."""
        found: dict[str, CellClaim] = {}
        for some in chunks(cells, size=_AT_ONCE):
            with self._database.write() as connection:
                _insert(connection, judgements, [self._row(claimant, cell) for cell in some])
                ids = [cell.judgement_id for cell in some]
                failed = (*_these(claimant.key.project, ids), judgements.c.state == ClaimState.FAILED.value)
                ours = {**_holder(claimant), "state": ClaimState.CLAIMED.value, "updated_at": self._now()}
                connection.execute(update(judgements).where(*failed).values(**ours))
                found |= _read(connection, claimant.key.project, ids)
        return found

    def find_cells(self, project: str, judgement_ids: Collection[str]) -> Mapping[str, CellClaim]:
        """Return those of the cells that some run has claimed."""
        found: dict[str, CellClaim] = {}
        for some in chunks(judgement_ids, size=_AT_ONCE):
            with self._database.read() as connection:
                found |= _read(connection, project, some)
        return found

    def take_over_cells(self, claimant: Claimant, cells: Sequence[CellClaim]) -> int:
        """Make cells a run's own that still stand as they were read; returns how many did."""
        ours = {**_holder(claimant), "state": ClaimState.CLAIMED.value, "place": None, "updated_at": self._now()}
        taken = 0
        with self._database.write() as connection:
            for cell in cells:
                as_read = (
                    *_these(claimant.key.project, [cell.judgement_id]),
                    judgements.c.flow == cell.holder.flow.value,
                    judgements.c.run == cell.holder.key.run,
                    judgements.c.state == cell.state.value,
                )
                taken += connection.execute(update(judgements).where(*as_read).values(**ours)).rowcount
        return taken

    def settle_cells(self, claimant: Claimant, *, stored: Mapping[str, str], failed: Collection[str]) -> None:
        """Record where judgements lie, and which cells failed; of cells that are the run's own alone."""
        mine = (
            judgements.c.project == claimant.key.project,
            judgements.c.flow == claimant.flow.value,
            judgements.c.run == claimant.key.run,
            judgements.c.judgement_id == bindparam("cell"),
        )
        now = self._now()
        for some in chunks(stored.items(), size=_AT_ONCE):
            change = (
                update(judgements)
                .where(*mine)
                .values(state=ClaimState.STORED.value, place=bindparam("where"), updated_at=now)
            )
            with self._database.write() as connection:
                connection.execute(change, [{"cell": cell, "where": place} for cell, place in some])
        for some_failed in chunks(failed, size=_AT_ONCE):
            change = (
                update(judgements)
                .where(*mine)
                .values(state=ClaimState.FAILED.value, tries=judgements.c.tries + 1, updated_at=now)
            )
            with self._database.write() as connection:
                connection.execute(change, [{"cell": cell} for cell in some_failed])

    def note_label(self, project: str, label: Label) -> Label:
        """Record what a label stands for, unless that is known; returns what it stands for."""
        row = {
            "project": project,
            "kind": label.kind,
            "name": label.name,
            "fingerprint": label.fingerprint,
            "created_at": self._now(),
        }
        with self._database.write() as connection:
            _insert(connection, judge_labels, [row])
        return self.find_label(project, kind=label.kind, name=label.name) or label

    def find_label(self, project: str, *, kind: str, name: str) -> Label | None:
        """Return what a label stands for."""
        mine = (judge_labels.c.project == project, judge_labels.c.kind == kind, judge_labels.c.name == name)
        with self._database.read() as connection:
            found = connection.execute(select(judge_labels.c.fingerprint).where(*mine)).scalar_one_or_none()
        return None if found is None else Label(kind, name, found)

    def _row(self, claimant: Claimant, cell: CellKey) -> dict[str, object]:
        return {
            "project": claimant.key.project,
            "judgement_id": cell.judgement_id,
            "item_id": cell.item_id,
            "expert_id": cell.expert_id,
            **_holder(claimant),
            "state": ClaimState.CLAIMED.value,
            "tries": 0,
            "updated_at": self._now(),
        }


def _holder(claimant: Claimant) -> dict[str, str]:
    return {"flow": claimant.flow.value, "run": claimant.key.run}


def _these(project: str, ids: Iterable[str]) -> tuple[Any, ...]:
    return (judgements.c.project == project, judgements.c.judgement_id.in_(list(ids)))


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert what is not there yet."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(table).on_conflict_do_nothing(), list(rows))


def _read(connection: Connection, project: str, ids: Iterable[str]) -> dict[str, CellClaim]:
    rows = connection.execute(select(judgements).where(*_these(project, ids)))
    return {row.judgement_id: _claim(row) for row in rows}


def _claim(row: Row[Any]) -> CellClaim:
    return CellClaim(
        judgement_id=row.judgement_id,
        state=ClaimState(row.state),
        holder=Claimant(Flow(row.flow), RunKey(project=row.project, run=row.run)),
        place=row.place,
        tries=row.tries,
    )
