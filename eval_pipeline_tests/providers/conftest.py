"""A server that answers as it is told, for all tests of this folder."""

from collections.abc import Iterator

import pytest

from eval_pipeline_tests.providers.script import Script, scripted


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script
