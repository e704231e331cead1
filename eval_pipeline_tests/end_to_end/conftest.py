"""One provider for all tests of this folder; every test says how it behaves."""

from collections.abc import Iterator

import pytest

from eval_pipeline_tests.providing import Provider, provider

KEY = "sk-test-7f3a9c1e5b"


@pytest.fixture(scope="session")
def openai() -> Iterator[Provider]:
    with provider() as running:
        yield running
