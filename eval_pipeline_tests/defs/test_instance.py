"""The Dagster instance: found, opened, and made whole by whoever comes first."""

import os
from pathlib import Path

import pytest

from eval_pipeline.defs.daemons import daemon_is_alive, describe_instance
from eval_pipeline.defs.instance import instance_config_folder, open_instance
from eval_pipeline.defs.launcher import HealthCheckedRunLauncher
from eval_pipeline_tests.crowd import all_at_once

PACKAGED = Path(__file__).parents[2] / "eval_pipeline" / "defs"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home, and a working folder without a ``dagster.yaml`` above it."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def _open_and_use(home: str) -> str:
    os.environ["EVAL_PIPELINE_HOME"] = home
    os.chdir(Path(home).parent)
    with open_instance() as instance:
        instance.add_dynamic_partitions("text_runs", [f"run-{os.getpid()}"])
        return str(len(instance.get_runs()))


@pytest.mark.slow
def test_twenty_processes_at_once_open_a_fresh_home(home: Path) -> None:
    """Without the lock 17 of 20 failed, and once the home stayed broken."""
    assert all_at_once(_open_and_use, str(home)) == ["0"] * 20

    with open_instance() as instance:
        assert len(instance.get_dynamic_partitions("text_runs")) == 20


def test_the_instance_lies_in_the_home(home: Path) -> None:
    with open_instance() as instance:
        assert isinstance(instance.run_launcher, HealthCheckedRunLauncher)
        assert instance.run_monitoring_enabled
        assert not instance.telemetry_enabled
    assert (home / "dagster" / "history").is_dir()
    assert {path.name for path in home.parent.iterdir()} == {"home"}


def test_the_nearest_dagster_yaml_upwards_holds(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert instance_config_folder() == PACKAGED
    deeper = tmp_path / "one" / "two"
    deeper.mkdir(parents=True)
    (tmp_path / "dagster.yaml").write_text(
        (PACKAGED / "dagster.yaml").read_text().replace("enabled: false", "enabled: true")
    )
    monkeypatch.chdir(deeper)

    assert instance_config_folder() == tmp_path
    with open_instance() as instance:
        assert instance.telemetry_enabled


def test_dagster_home_is_honoured(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(own))

    with open_instance() as instance:
        instance.add_dynamic_partitions("text_runs", ["first"])

    assert (own / "history").is_dir()
    assert not home.exists()


def test_an_instance_without_daemon_says_so(home: Path) -> None:
    said = describe_instance()

    assert said.ok is None
    assert "no daemon" in said.detail
    assert "eval-pipeline up" in said.hint
    assert not daemon_is_alive()


def test_a_broken_configuration_is_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("storage: {nonsense: 1}\n")

    said = describe_instance()

    assert said.ok is False
    assert "does not open" in said.detail
