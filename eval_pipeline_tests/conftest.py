"""Real servers for the whole suite, started when a test first asks for one, and a place for files in memory."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from eval_pipeline.cli.main import GARBAGE_THRESHOLDS
from eval_pipeline.core.secrets import forget_secrets

pytest_plugins = ["eval_pipeline_tests.postgres", "eval_pipeline_tests.s3", "eval_pipeline_tests.laboratories"]

settings.register_profile("any_machine", suppress_health_check=[HealthCheck.too_slow])  # a busy one is no failure
settings.load_profile("any_machine")
TEMPORARY_ROOT = "PYTEST_DEBUG_TEMPROOT"
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's folder for that
ENOUGH_BYTES = 4 * 2**30
"""A whole run writes 0.7 GB."""
gc.set_threshold(*GARBAGE_THRESHOLDS)  # as every command has them: else collecting tests takes half as long again


def pytest_collection_finish() -> None:
    """Look through what was imported and collected no more: it stays to the end."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the files of tests in memory where there is room: that takes a quarter off the time of the suite."""
    free = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free
    if config.option.basetemp is None and free >= ENOUGH_BYTES:
        os.environ.setdefault(TEMPORARY_ROOT, str(IN_MEMORY))


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> Iterator[None]:
    """Forget the keys of a test at its end: they are kept out of everything that its process says."""
    yield
    forget_secrets()
