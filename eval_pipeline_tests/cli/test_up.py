"""``eval-pipeline up`` before it starts anything."""

import socket
import time
from pathlib import Path
from threading import Event, Thread

import pytest
from dagster._daemon.types import DaemonHeartbeat
from filelock import FileLock

from eval_pipeline.defs.instance import open_instance
from eval_pipeline_tests.commands import Commands


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = Commands(tmp_path)("up", "--port", port)

    assert ended.code == 1
    assert f"error: port {port} of 127.0.0.1 cannot be used" in ended.err
    assert "--port" in ended.err


def test_a_daemon_elsewhere_on_a_shared_instance_is_told_by_its_heartbeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(shared))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    ended = Event()
    with open_instance() as instance:

        def beat(at_s: float) -> None:
            instance.add_daemon_heartbeat(DaemonHeartbeat(at_s, "SENSOR", "elsewhere", []))

        def live() -> None:
            while not ended.wait(0.3):
                beat(time.time())

        beat(time.time() - 5)
        elsewhere = Thread(target=live)
        elsewhere.start()
        refused = Commands(tmp_path)("up", "--port", port, DAGSTER_HOME=str(shared))
        ended.set()
        elsewhere.join()

    assert refused.code == 1
    assert "watching for 45 s whether it still does" in refused.err
    assert "a daemon of this Dagster instance runs already, perhaps on another machine" in refused.err
    assert "--no-daemon" in refused.err


def test_a_second_daemon_on_one_home_is_refused_with_the_way_that_works(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    (commands.home / "dagster").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with FileLock(commands.home / "dagster" / ".up.lock"):
        ended = commands("up", "--port", port)

    assert ended.code == 1
    assert "runs already on this data" in ended.err
    assert "--no-daemon" in ended.err
