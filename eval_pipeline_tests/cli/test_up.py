"""``eval-pipeline up`` before it starts anything."""

import socket
from pathlib import Path

from eval_pipeline_tests.commands import Commands


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = Commands(tmp_path)("up", "--port", port)

    assert ended.code == 1
    assert f"error: port {port} of 127.0.0.1 cannot be used" in ended.err
    assert "--port" in ended.err
