"""Dagster's SQLite storage with kept connections: Dagster's own files, readable in Dagster's own way."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from eval_pipeline.defs.instance import open_instance
from eval_pipeline.defs.sqlite_storage import KeptEventLogStorage

letters = dg.DynamicPartitionsDefinition(name="letters")


@dg.asset(partitions_def=letters)
def letter() -> dg.MaterializeResult[None]:
    """Nothing but an event."""
    return dg.MaterializeResult(metadata={"size": 1})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def materialize(instance: dg.DagsterInstance, partition: str) -> str:
    """Materialize the letter; returns the id of the run."""
    instance.add_dynamic_partitions("letters", [partition])
    return dg.materialize([letter], instance=instance, partition_key=partition).run_id


@contextmanager
def dagsters_own(home: Path) -> Iterator[DagsterSqliteStorage]:
    """Open the home's files as Dagster itself would."""
    storage = DagsterSqliteStorage.from_local(str(home / "dagster"))
    try:
        yield storage
    finally:
        storage.dispose()


def events_of(instance: dg.DagsterInstance) -> KeptEventLogStorage:
    storage = instance.event_log_storage
    assert isinstance(storage, KeptEventLogStorage)
    return storage


def test_what_is_recorded_is_read_by_dagsters_own_storage(home: Path) -> None:
    with open_instance() as instance:
        run_id = materialize(instance, "a")
        recorded = [
            record.event_log_entry.message for record in events_of(instance).get_records_for_run(run_id).records
        ]

    with dagsters_own(home) as storage:
        runs = storage.run_storage.get_runs()
        assert [(run.run_id, run.status) for run in runs] == [(run_id, dg.DagsterRunStatus.SUCCESS)]
        found = storage.event_log_storage.get_records_for_run(run_id).records
        assert [record.event_log_entry.message for record in found] == recorded
        assert storage.event_log_storage.get_materialized_partitions(letter.key) == {"a"}


def test_what_another_process_records_is_seen_at_once(home: Path) -> None:
    with open_instance() as instance, dagsters_own(home) as other:
        assert instance.get_dynamic_partitions("letters") == []
        other.event_log_storage.add_dynamic_partitions("letters", ["b"])

        assert instance.get_dynamic_partitions("letters") == ["b"]


@pytest.mark.usefixtures("home")
def test_files_of_earlier_runs_do_not_stay_open() -> None:
    """A daemon goes through thousands of runs, and each has a file of its own."""
    with open_instance() as instance:
        runs = [materialize(instance, partition) for partition in "abc"]

        assert set(events_of(instance)._engines) == {"index", runs[-1]}
        assert all(instance.all_logs(run_id) for run_id in runs)


@pytest.mark.usefixtures("home")
def test_a_run_whose_file_was_wiped_gets_a_new_one() -> None:
    with open_instance() as instance:
        run_id = materialize(instance, "a")
        instance.event_log_storage.wipe()

        assert instance.all_logs(run_id) == []
        instance.report_engine_event("still here", instance.get_run_by_id(run_id))
        assert [entry.message for entry in instance.all_logs(run_id)] == ["still here"]


@pytest.mark.usefixtures("home")
def test_nothing_stays_open_behind_the_instance() -> None:
    with open_instance() as instance:
        materialize(instance, "a")
        events = events_of(instance)

    assert events._engines == {}


def test_the_file_of_a_run_has_the_version_of_the_index(home: Path) -> None:
    """Dagster migrates a file from the version that is written in it."""
    with open_instance() as instance:
        run_id = materialize(instance, "a")
        versions = [_version_of(events_of(instance).path_for_shard(shard)) for shard in (run_id, "index")]

    assert versions[0] == versions[1] != []


def test_a_file_whose_maker_was_killed_is_made_whole(home: Path) -> None:
    with open_instance() as instance:
        run_id = materialize(instance, "a")
        path = events_of(instance).path_for_shard(run_id)
    version = _version_of(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.commit()

    with open_instance() as instance:
        assert events_of(instance).get_records_for_run(run_id).records

    assert _version_of(path) == version


def test_files_that_are_not_whole_are_left_to_dagster(home: Path) -> None:
    """One that is whole is opened without a look through Dagster's migrations."""
    with open_instance() as instance:
        run_id = materialize(instance, "a")
    runs, schedules = home / "dagster" / "history" / "runs.db", home / "dagster" / "schedules" / "schedules.db"
    for path, statement in ((runs, "DROP TABLE instance_info"), (schedules, "DELETE FROM alembic_version")):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)

    with open_instance() as instance:
        assert [run.run_id for run in instance.get_runs()] == [run_id]
        assert instance.run_storage.get_run_storage_id()

    assert _version_of(str(schedules)) != []


def _version_of(path: str) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchall()
