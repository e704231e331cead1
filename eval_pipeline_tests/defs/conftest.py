"""One laboratory for all tests of this folder; every test works on runs of its own."""

from collections.abc import Iterator

import pytest

from eval_pipeline_tests.defs.laboratory import Laboratory, open_laboratory
from eval_pipeline_tests.providing import Provider, provider


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="session")
def shared_laboratory(tmp_path_factory: pytest.TempPathFactory, shared_provider: Provider) -> Iterator[Laboratory]:
    with open_laboratory(tmp_path_factory.mktemp("laboratory") / "home", shared_provider) as laboratory:
        yield laboratory


@pytest.fixture
def lab(shared_laboratory: Laboratory) -> Iterator[Laboratory]:
    """The laboratory, with a provider that has forgotten all earlier tests."""
    with shared_laboratory.provider.behaving():
        yield shared_laboratory
