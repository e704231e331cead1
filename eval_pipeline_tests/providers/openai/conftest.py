"""One OpenAI stand-in for all tests of this folder, without faults before each test."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.openai.app import create_app
from eval_pipeline.standins.server import serve


@pytest.fixture(scope="session")
def standin_app() -> Starlette:
    return create_app()


@pytest.fixture(scope="session")
def standin_url(standin_app: Starlette) -> Iterator[str]:
    with serve(standin_app) as url:
        yield f"{url}/v1"


@pytest.fixture
def standin(standin_app: Starlette, standin_url: str) -> Standin:
    """The state of the stand-in, which has forgotten all earlier tests."""
    del standin_url
    state: Standin = standin_app.state.standin
    state.set_rules([])
    state.counts.reset()
    return state
