"""One OpenAI and one Langfuse stand-in for all tests of this folder, fresh before each test."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from eval_pipeline.standins import langfuse
from eval_pipeline.standins.openai import OpenAIOptions, create_app
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.server import serve

RECORDED = Recordings({("recorded-model", "What is 2 + 2?"): "It is 4.\nA: 4"})
SETTINGS_AT_START = {
    "latency_s": 0,
    "requests_per_window": 10_000_000,
    "tokens_per_window": 10_000_000_000,
    "window_s": 60,
}


@pytest.fixture(scope="session")
def openai_client() -> Iterator[httpx.Client]:
    headers = {"authorization": "Bearer sk-test"}
    with (
        serve(create_app(OpenAIOptions(recordings=RECORDED))) as url,
        httpx.Client(base_url=url, headers=headers) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def langfuse_client() -> Iterator[httpx.Client]:
    with (
        serve(langfuse.create_app()) as url,
        httpx.Client(base_url=url, auth=("pk-test", "sk-test")) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def openai_sdk(openai_client: httpx.Client) -> Iterator[openai.OpenAI]:
    url = f"{openai_client.base_url}/v1"
    with openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0, timeout=10) as sdk:
        yield sdk


@pytest.fixture
def api(openai_client: httpx.Client) -> httpx.Client:
    """A bare client of the OpenAI stand-in, which has forgotten all earlier tests."""
    return _fresh(openai_client)


@pytest.fixture
def sdk(api: httpx.Client, openai_sdk: openai.OpenAI) -> openai.OpenAI:
    """OpenAI's own client of the same stand-in."""
    del api
    return openai_sdk


@pytest.fixture
def langfuse_api(langfuse_client: httpx.Client) -> httpx.Client:
    """A bare client of the Langfuse stand-in, which has forgotten all earlier tests."""
    langfuse_client.delete("/__standin__/state")
    return _fresh(langfuse_client)


def _fresh(client: httpx.Client) -> httpx.Client:
    client.delete("/__standin__/faults")
    client.delete("/__standin__/counts")
    client.post("/__standin__/settings", json=SETTINGS_AT_START)
    return client
