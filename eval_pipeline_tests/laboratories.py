"""One laboratory for all tests that make stages through Dagster; every test works on runs of its own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from eval_pipeline_tests.laboratory import Laboratory
    from eval_pipeline_tests.providing import Provider


@pytest.fixture(scope="session")
def shared_provider() -> Iterator["Provider"]:
    from eval_pipeline_tests.providing import provider  # noqa: PLC0415 - servers: only where a test asks for them

    with provider() as running:
        yield running


@pytest.fixture(scope="session")
def shared_laboratory(tmp_path_factory: pytest.TempPathFactory, shared_provider: "Provider") -> Iterator["Laboratory"]:
    from eval_pipeline_tests.laboratory import open_laboratory  # noqa: PLC0415 - dagster: only where a test asks for it

    with open_laboratory(tmp_path_factory.mktemp("laboratory") / "home", shared_provider) as laboratory:
        yield laboratory


@pytest.fixture
def lab(shared_laboratory: "Laboratory") -> Iterator["Laboratory"]:
    """The laboratory, with a provider that has forgotten all earlier tests."""
    with shared_laboratory.provider.behaving():
        yield shared_laboratory
