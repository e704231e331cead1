"""An installation for tests of sessions."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.session_eval.homes import a_deployment


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """Give an installation whose home is new."""
    with closing(a_deployment(tmp_path)) as opened:
        yield opened
