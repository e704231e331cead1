import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from eval_pipeline.core.errors import ConflictError, UnavailableError, UsageError
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline.storage.ledger_schema import SCHEMA_VERSIONS, version_table
from eval_pipeline.storage.ledger_schema import ledger as ledger_table
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.postgres import PostgresServer
from eval_pipeline_tests.storage.records import KEY, a_dataset, a_run


def open_and_claim(url: str) -> str:
    with closing(open_ledger(url)) as ledger:
        try:
            ledger.claim_run(a_run())
        except ConflictError as error:
            return f"{error.code} {ledger.id}"
        return f"won {ledger.id}"


def test_twenty_processes_open_an_empty_database_at_once_and_one_wins_the_name(ledger_url: str) -> None:
    answers = all_at_once(open_and_claim, ledger_url)

    assert sorted(answer.split()[0] for answer in answers) == ["run_name_already_exists"] * 19 + ["won"]
    assert len({answer.split()[1] for answer in answers}) == 1


def test_a_ledger_keeps_its_id(ledger_url: str) -> None:
    with closing(open_ledger(ledger_url)) as first, closing(open_ledger(ledger_url)) as second:
        assert first.id == second.id


def test_two_ledgers_have_different_ids(tmp_path: Path) -> None:
    with (
        closing(open_ledger(f"sqlite:///{tmp_path / 'a.sqlite'}")) as one,
        closing(open_ledger(f"sqlite:///{tmp_path / 'b.sqlite'}")) as other,
    ):
        assert one.id != other.id


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    with closing(open_ledger(f"sqlite:///{tmp_path / 'new' / 'folder' / 'l%41 ?.sqlite'}")) as ledger:
        ledger.claim_run(a_run())

    assert (tmp_path / "new" / "folder").is_dir()


def test_processes_that_open_a_file_without_a_current_schema_at_once_all_work(tmp_path: Path) -> None:
    (tmp_path / "l.sqlite").touch()

    answers = all_at_once(open_and_claim, f"sqlite:///{tmp_path / 'l.sqlite'}", processes=6)

    assert sorted(answer.split()[0] for answer in answers) == ["run_name_already_exists"] * 5 + ["won"]


def test_a_write_ahead_log_of_a_deleted_ledger_is_not_replayed_into_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    log = tmp_path / "l.sqlite-wal"
    with closing(open_ledger(f"sqlite:///{path}")) as old:
        old.claim_run(a_run())
        left_behind = log.read_bytes()
    path.unlink()
    log.write_bytes(left_behind)

    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        assert ledger.find_run(flow=a_run().flow, key=KEY) is None


def test_opening_a_current_ledger_imports_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'l.sqlite'}"
    open_ledger(url).close()
    script = (
        "import json, sys; from eval_pipeline.storage.ledger import open_ledger; "
        f"open_ledger({url!r}).close(); print(json.dumps(sorted(sys.modules)))"
    )

    loaded = json.loads(subprocess.check_output([sys.executable, "-c", script], timeout=60))

    assert "sqlalchemy" in loaded
    assert not {"alembic", "dagster", "psycopg2", "pandas", "psutil", "filelock"} & set(loaded)


def test_a_schema_of_a_newer_version_is_refused_with_a_remedy(ledger: SqlLedger, ledger_url: str) -> None:
    with ledger._database.write() as connection:
        connection.execute(version_table.update().values(version_num="9999"))
        connection.execute(ledger_table.update().values(min_code="9999"))

    with pytest.raises(ConflictError, match=rf"schema 9999.*knows it only up to {SCHEMA_VERSIONS[-1]}") as caught:
        open_ledger(ledger_url)

    assert caught.value.code == "ledger_schema_unknown"
    assert "upgrade" in caught.value.hint


def test_the_ledger_shares_a_postgresql_database_with_dagsters_tables(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    database = url.partition("?")[0].rpartition("/")[2]
    for table in ("runs", "alembic_version"):
        postgres_server.execute(f"CREATE TABLE {table} (version_num text, run_id text)", database=database)
    postgres_server.execute("INSERT INTO alembic_version VALUES ('7e2f3204cf8e')", database=database)

    with closing(open_ledger(url)) as ledger:
        ledger.claim_run(a_run())
        assert ledger.list_runs(project="default", flow=None, state=None, limit=10, offset=0).total == 1


def test_postgres_is_another_spelling_of_postgresql(postgres_url: str) -> None:
    with closing(open_ledger(postgres_url.replace("postgresql://", "postgres://"))) as ledger:
        assert ledger.claim_run(a_run()) == a_run()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "it is no URL"),
        ("ledger.sqlite", "it is no URL"),
        ("postgresql://host:hunter2/db", "it is no URL"),
        ("mysql://user:hunter2@host/db", "'mysql' is not supported"),
        ("postgresql+asyncpg://user:hunter2@host/db", "'postgresql\\+asyncpg' is not supported"),
        ("sqlite://", "it names no file"),
        ("sqlite:///:memory:", "it names no file"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_telling_its_password(url: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        open_ledger(url)

    assert caught.value.code == "invalid_database_url"
    assert "hunter2" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(UnavailableError, match=r"postgresql://ann:\*\*\*@127.0.0.1:1/db cannot be used") as caught:
        open_ledger("postgresql://ann:hunter2@127.0.0.1:1/db?sslpassword=hunter3")

    assert caught.value.code == "database_unavailable"
    assert "EVAL_PIPELINE_DATABASE_URL" in caught.value.hint
    assert "hunter" not in str(caught.value)
    assert "hunter" not in str(caught.value.__cause__)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("question,answer\n" * 100)

    with pytest.raises(UnavailableError, match=r"notes.txt cannot be used: file is not a database") as caught:
        open_ledger(f"sqlite:///{path}")

    assert "something else" in caught.value.hint
    assert path.read_text().startswith("question")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UnavailableError, match=r"cannot be made: (Not a directory|File exists)") as caught:
        open_ledger(f"sqlite:///{tmp_path / 'file' / 'sub' / 'l.sqlite'}")

    assert caught.value.code == "home_unavailable"


def on_each_connection(ledger: SqlLedger, pragma: str) -> None:
    event.listen(ledger._database.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))
    ledger.close()


def test_a_full_disk_is_a_clear_error_and_nothing_is_half_made(tmp_path: Path) -> None:
    with closing(open_ledger(f"sqlite:///{tmp_path / 'l.sqlite'}")) as ledger:
        on_each_connection(ledger, "max_page_count = 1")

        with pytest.raises(UnavailableError, match="disk is full") as caught:
            ledger.claim_run(a_run(spec={"instructions": "x" * 1_000_000}))

        assert "free disk space" in caught.value.hint
        assert ledger.find_run(flow=a_run().flow, key=KEY) is None


def test_a_locked_file_is_a_clear_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'l.sqlite'}"
    with closing(open_ledger(url)) as ledger, closing(open_ledger(url)) as other:
        on_each_connection(ledger, "busy_timeout = 0")

        with other._database.write(), pytest.raises(UnavailableError, match="locked") as caught:
            ledger.claim_run(a_run())

    assert "another process kept the file locked" in caught.value.hint


def test_readers_do_not_wait_for_a_writer(ledger: SqlLedger, ledger_url: str) -> None:
    with closing(open_ledger(ledger_url)) as other, other._database.write():
        assert ledger.find_run(flow=a_run().flow, key=KEY) is None


def test_a_restarted_server_is_found_again(postgres_server: PostgresServer, postgres_url: str) -> None:
    with closing(open_ledger(postgres_url)) as ledger:
        ledger.claim_run(a_run())
        cut_all_connections(postgres_server)

        assert ledger.find_run(flow=a_run().flow, key=KEY) == a_run()


def test_a_server_that_stops_in_the_middle_is_a_clear_error(postgres_server: PostgresServer, postgres_url: str) -> None:
    with closing(open_ledger(postgres_url)) as ledger:
        event.listen(ledger._database.engine, "begin", lambda _: cut_all_connections(postgres_server), once=True)
        with pytest.raises(UnavailableError) as caught:
            ledger.claim_run(a_run())

        assert caught.value.code == "database_unavailable"
        assert ledger.claim_run(a_run()) == a_run()


def cut_all_connections(server: PostgresServer) -> None:
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )


def test_words_that_a_database_cannot_hold_are_kept_as_far_as_it_can(ledger: SqlLedger) -> None:
    dataset = ledger.add_dataset(a_dataset(description="a\0b\ud800c"))

    assert ledger.find_dataset(project="default", name=dataset.name).description == "a\ufffdb?c"
