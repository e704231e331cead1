"""The datasets table: versions that are recorded once, listed, pinned by runs and hidden, never edited."""

from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError

from eval_pipeline.core.datasets import DatasetKind, DatasetVersion, Page, SkippedRow
from eval_pipeline.core.errors import ConflictError, NotFoundError, UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.runs import RunState
from eval_pipeline.storage.ledger_database import LedgerTable, read_page
from eval_pipeline.storage.ledger_schema import datasets, runs

USING_STATES: Final = (
    RunState.REQUESTED,
    RunState.RUNNING,
    RunState.WAITING,
    RunState.INTERRUPTED,
    RunState.INCOMPLETE,
    RunState.DELETING,
)
"""A run in one of these states may still read its dataset."""

MIN_VERSION_CHARACTERS: Final = 8
_SHOWN_VERSION_CHARACTERS: Final = 12
_SHOWN_RUNS: Final = 3
_COMPARED_NAMES: Final = 2_000


class DatasetTable(LedgerTable):
    """The ledger's datasets. "Newest" is the order of recording, which no jumping clock can turn around."""

    def add_dataset(self, dataset: DatasetVersion) -> DatasetVersion:
        """Record a version; the one already recorded under (project, name, version) is returned unchanged.

        A version that was deleted is recorded anew.
        """
        key = _is(dataset.project, dataset.name, version=dataset.version)
        try:
            with self._database.write() as connection:
                connection.execute(delete(datasets).where(*key, datasets.c.deleted_at.is_not(None)))
                row = connection.execute(select(datasets).where(*key)).one_or_none()
                if row is None:
                    connection.execute(datasets.insert().values(**_columns(dataset)))
        except IntegrityError:  # PostgreSQL: another process recorded the same version at this moment
            return self.add_dataset(dataset)
        return dataset if row is None else _dataset(row)

    def find_dataset(self, *, project: str, name: str, version: str | None = None) -> DatasetVersion:
        """Return the newest version, or the one whose sha256 begins with ``version`` (at least 8 characters)."""
        with self._database.read() as connection:
            return _find(connection, project=project, name=name, version=version)

    def pinned_dataset(self, *, project: str, name: str, version: str) -> DatasetVersion:
        """Return the very version that a run pinned, also when it was deleted since: stored versions stay."""
        with self._database.read() as connection:
            row = connection.execute(select(datasets).where(*_is(project, name, version=version))).first()
            if row is None:
                raise _no_such_dataset(connection, project=project, name=name)
            return _dataset(row)

    def list_datasets(
        self, *, project: str, kind: DatasetKind | None, max_unique_rows: int | None, limit: int, offset: int
    ) -> Page[DatasetVersion]:
        """List every dataset's newest version, newest first, filtered before paging."""
        query = _newest_of_each(project)
        if kind is not None:
            query = query.where(datasets.c.kind == kind.value)
        if max_unique_rows is not None:
            query = query.where(datasets.c.original_items_count <= max_unique_rows)
        with self._database.read() as connection:
            return read_page(connection, query, limit=limit, offset=offset, read=_dataset)

    def dataset_versions(self, *, project: str, name: str) -> Sequence[DatasetVersion]:
        """Return all versions, newest first."""
        with self._database.read() as connection:
            return _versions(connection, project=project, name=name)

    def delete_dataset(self, *, project: str, name: str, version: str | None) -> int:
        """Hide one version or all; refused (``dataset_in_use``) while a run that has not ended uses one."""
        with self._database.write() as connection:
            if connection.dialect.name == "postgresql":  # no run may claim the dataset between the look and the change
                connection.execute(text(f"LOCK TABLE {self._database.schema}.runs IN SHARE ROW EXCLUSIVE MODE"))
            found = _find(connection, project=project, name=name, version=version)
            chosen = None if version is None else found.version
            _refuse_used(connection, project=project, name=name, version=chosen)
            visible = (*_is(project, name, version=chosen), datasets.c.deleted_at.is_(None))
            return connection.execute(update(datasets).where(*visible).values(deleted_at=self._now())).rowcount


def refuse_deleted_dataset(connection: Connection, *, project: str, name: str, version: str) -> None:
    """Raise ``dataset_not_found`` when the version was deleted, seen in the transaction that claims a run on it."""
    query = select(datasets.c.deleted_at).where(*_is(project, name, version=version))
    if connection.execute(query).scalar_one_or_none() is not None:
        raise NotFoundError(
            f"dataset {shown(name)} version {version[:_SHOWN_VERSION_CHARACTERS]} has been deleted",
            code="dataset_not_found",
            hint="add the file again: eval-pipeline dataset add",
        )


def _is(project: str, name: str, *, version: str | None = None) -> tuple[ColumnElement[bool], ...]:
    key = (datasets.c.project == project, datasets.c.name == name)
    return key if version is None else (*key, datasets.c.version == version)


def _newest_of_each(project: str) -> Select[Any]:
    visible = (datasets.c.project == project, datasets.c.deleted_at.is_(None))
    newest = select(func.max(datasets.c.id)).where(*visible).group_by(datasets.c.name)
    return select(datasets).where(datasets.c.id.in_(newest)).order_by(datasets.c.id.desc())


def _versions(connection: Connection, *, project: str, name: str) -> list[DatasetVersion]:
    query = select(datasets).where(*_is(project, name), datasets.c.deleted_at.is_(None))
    return [_dataset(row) for row in connection.execute(query.order_by(datasets.c.id.desc()))]


def _find(connection: Connection, *, project: str, name: str, version: str | None) -> DatasetVersion:
    versions = _versions(connection, project=project, name=name)
    if not versions:
        raise _no_such_dataset(connection, project=project, name=name)
    return versions[0] if version is None else _choose(versions, version=version)


def _choose(versions: Sequence[DatasetVersion], *, version: str) -> DatasetVersion:
    beginning = version.lower() if len(version) >= MIN_VERSION_CHARACTERS else None
    exact = [one for one in versions if one.version == version]
    matches = exact or [one for one in versions if beginning and one.version.startswith(beginning)]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(one.version[:_SHOWN_VERSION_CHARACTERS] for one in versions[:5])
    hint = f"give at least {MIN_VERSION_CHARACTERS} characters of one of its versions, newest first: {known}"
    subject = f"version {shown(version)} of dataset {shown(versions[0].name)}"
    if matches:
        raise UsageError(f"{subject} is ambiguous", code="dataset_version_ambiguous", hint=hint)
    raise NotFoundError(f"there is no {subject}", code="dataset_not_found", hint=hint)


def _no_such_dataset(connection: Connection, *, project: str, name: str) -> NotFoundError:
    names = connection.execute(_newest_of_each(project).with_only_columns(datasets.c.name).limit(_COMPARED_NAMES))
    folded = {known.casefold(): known for known in names.scalars()}
    close = [shown(folded[match]) for match in get_close_matches(name.casefold(), folded)]
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    return NotFoundError(
        f"project '{project}' has no dataset {shown(name)}",
        code="dataset_not_found",
        hint=f"{guess}see which there are: eval-pipeline dataset list; add one: eval-pipeline dataset add",
    )


def _refuse_used(connection: Connection, *, project: str, name: str, version: str | None) -> None:
    uses = select(runs.c.name, runs.c.state).where(
        runs.c.project == project,
        runs.c.dataset_name == name,
        runs.c.state.in_([state.value for state in USING_STATES]),
    )
    if version is not None:
        uses = uses.where(runs.c.dataset_version == version)
    users = connection.execute(uses.order_by(runs.c.id)).all()
    if users:
        named = ", ".join(f"'{user.name}' ({user.state})" for user in users[:_SHOWN_RUNS])
        more = f" and {len(users) - _SHOWN_RUNS} more" if len(users) > _SHOWN_RUNS else ""
        raise ConflictError(
            f"dataset {shown(name)} is used by {len(users)} run{'s' if users[1:] else ''} not ended: {named}{more}",
            code="dataset_in_use",
            hint="let them end, or cancel them first: eval-pipeline run cancel RUN",
        )


def _columns(dataset: DatasetVersion) -> dict[str, object]:
    return {
        "project": dataset.project,
        "name": dataset.name,
        "version": dataset.version,
        "kind": dataset.kind.value,
        "original_items_count": dataset.original_items_count,
        "duplication_factor": dataset.duplication_factor,
        "encoding": dataset.encoding,
        "size_bytes": dataset.size_bytes,
        "skipped_rows_count": dataset.skipped_rows_count,
        "skipped_rows": [asdict(row) for row in dataset.skipped_rows],
        "warnings": list(dataset.warnings),
        "prefix": dataset.prefix,
        "description": dataset.description,
        "created_at": dataset.created_at,
        "deleted_at": None,
    }


def _dataset(row: Row[Any]) -> DatasetVersion:
    return DatasetVersion(
        project=row.project,
        name=row.name,
        version=row.version,
        kind=DatasetKind(row.kind),
        original_items_count=row.original_items_count,
        duplication_factor=row.duplication_factor,
        encoding=row.encoding,
        size_bytes=row.size_bytes,
        skipped_rows_count=row.skipped_rows_count,
        skipped_rows=tuple(SkippedRow(line=one["line"], reason=one["reason"]) for one in row.skipped_rows),
        warnings=tuple(row.warnings),
        prefix=row.prefix,
        description=row.description,
        created_at=row.created_at,
    )
