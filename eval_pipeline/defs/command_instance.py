"""Runs that the command line executes, as the UI needs them: with the job that they are runs of.

A run that is executed in process has no origin, and *Re-execute* in the UI breaks on that with a stack trace.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

CODE_LOCATION = "eval_pipeline.definitions"
"""The name under which ``workspace.yaml``, ``eval-pipeline up`` and ``dagster dev`` load the code."""
_REPOSITORY = "__repository__"


class CommandInstance(dg.DagsterInstance):
    """The instance as a command opens it."""

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        """Take no configuration."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, Any]:
        """Have Dagster's own defaults."""
        return InstanceRef.config_defaults(base_dir)

    def create_run_for_job(self, job_def: dg.JobDefinition, *args: Any, **kwargs: Any) -> dg.DagsterRun:  # noqa: ANN401 - Dagster's own arguments, handed on
        """Create the run with its origin."""
        return super().create_run_for_job(job_def, *args, **{"remote_job_origin": _origin(job_def.name), **kwargs})


def _origin(job: str) -> RemoteJobOrigin:
    location = ManagedGrpcPythonEnvCodeLocationOrigin(
        loadable_target_origin=LoadableTargetOrigin(module_name=CODE_LOCATION), location_name=CODE_LOCATION
    )
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, _REPOSITORY), job)
