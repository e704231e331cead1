"""The Dagster instance of the embedded home, the same for the command line, ``dagster dev`` and its code servers.

``dagster.yaml`` names the classes below; each finds the home by itself, so that no path stands in the file and no
``DAGSTER_HOME`` is needed. Opening goes through one lock: SQLite instances that several processes create at once break
(measured: 17 of 20 processes on a fresh home failed, once for good).
"""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._config import UserConfigSchema
from dagster._core.instance import InstanceRef
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from eval_pipeline.defs.sqlite_storage import KeptSqliteStorage
from eval_pipeline.storage.home import find_home
from eval_pipeline.storage.whole import create_whole

INSTANCE_FILE = "dagster.yaml"


def dagster_folder() -> Path:
    """Return the home's Dagster folder, made whole by the first process that needs it."""
    home = find_home(os.environ, Path.cwd())
    folder = home / "dagster"
    create_whole(folder, _create_storage, lock=home / ".lock")
    return folder


def _create_storage(folder: Path) -> None:
    DagsterSqliteStorage.from_local(str(folder)).dispose()


class HomeStorage(KeptSqliteStorage):
    """Runs, events and schedules in the home's SQLite files."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Take no configuration: the home says where."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "HomeStorage":
        """Open the storage in the home."""
        del config_value
        return cls.from_local(str(dagster_folder()), inst_data=inst_data)


class HomeArtifactStorage(LocalArtifactStorage):
    """Dagster's own files beside its databases."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Take no configuration: the home says where."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "HomeArtifactStorage":
        """Open the folder in the home."""
        del config_value
        return cls(base_dir=str(dagster_folder() / "storage"), inst_data=inst_data)


class HomeComputeLogManager(LocalComputeLogManager):
    """What runs print, beside the databases."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Take no configuration: the home says where."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "HomeComputeLogManager":
        """Open the folder in the home."""
        del config_value
        return cls(base_dir=str(dagster_folder() / "storage"), inst_data=inst_data)


def instance_config_folder() -> Path:
    """Return the folder whose ``dagster.yaml`` holds: the nearest one from here upwards, else the packaged one."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / INSTANCE_FILE).is_file():
            return folder
    return Path(str(files("eval_pipeline.defs")))


def open_instance() -> dg.DagsterInstance:
    """Open the instance for a command: ``DAGSTER_HOME`` where it is set, else the embedded home.

    What the command prints belongs to its terminal: compute logs are not captured.
    """
    dagster_home = os.environ.get("DAGSTER_HOME")
    config_folder = Path(dagster_home) if dagster_home else instance_config_folder()
    base = config_folder if dagster_home else dagster_folder()
    overrides = {
        "compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"},
        "instance_class": {"module": "eval_pipeline.defs.command_instance", "class": "CommandInstance"},
    }
    ref = InstanceRef.from_dir(str(base), config_dir=str(config_folder), overrides=overrides)
    return dg.DagsterInstance.from_ref(ref)
