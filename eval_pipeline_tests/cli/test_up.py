"""``eval-pipeline up`` before it starts anything."""

import socket
from pathlib import Path

from filelock import FileLock

from eval_pipeline_tests.commands import Commands


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = Commands(tmp_path)("up", "--port", port)

    assert ended.code == 1
    assert f"error: port {port} of 127.0.0.1 cannot be used" in ended.err
    assert "--port" in ended.err


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
