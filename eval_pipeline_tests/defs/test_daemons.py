"""Whether a daemon lives on a shared instance: its heartbeats tell, not who started it."""

import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from eval_pipeline.defs.daemons import daemon_beats
from eval_pipeline.defs.instance import open_instance
from eval_pipeline_tests.homes import furnish


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(furnish(tmp_path / "home")))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return open_instance()


def beat(instance: dg.DagsterInstance, at_s: float) -> None:
    """Write a heartbeat, as a daemon on any machine does."""
    instance.add_daemon_heartbeat(DaemonHeartbeat(timestamp=at_s, daemon_type="SENSOR", daemon_id="x", errors=[]))


@pytest.mark.parametrize(
    ("beats_after_s", "lives", "watched_s"), [(None, False, 36), (7, True, 7)], ids=["is gone", "lives"]
)
def test_a_beat_of_a_moment_ago_is_watched_for_the_next_one(
    instance: dg.DagsterInstance, beats_after_s: float | None, lives: bool, watched_s: float
) -> None:
    began_s = now_s = time.time()
    said: list[str] = []
    with instance:
        beat(instance, began_s - 10)

        def wait(seconds: float) -> None:
            nonlocal now_s
            now_s += seconds
            if beats_after_s is not None and now_s - began_s >= beats_after_s:
                beat(instance, now_s)

        assert daemon_beats(tell=said.append, now_s=lambda: now_s, wait=wait) is lives

    assert now_s - began_s == watched_s
    assert said == ["a daemon beat 10 s ago; watching for 45 s whether it still does"]


def test_where_none_beat_lately_nobody_waits(instance: dg.DagsterInstance) -> None:
    with instance:
        for at_s in ((), (time.time() - 60,)):
            for moment in at_s:
                beat(instance, moment)
            assert not daemon_beats(tell=pytest.fail, wait=pytest.fail)
