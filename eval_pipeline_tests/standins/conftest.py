"""One OpenAI, one Gemini and one Langfuse stand-in for all tests of this folder, fresh before each test."""

from collections.abc import Iterator

import httpx
import openai
import pytest
from google import genai

from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.langfuse import app as langfuse
from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.speech import Speech
from eval_pipeline_tests.standins.speaking import RECORDED_CLIPS

RECORDED = Recordings({("recorded-model", "What is 2 + 2?"): "It is 4.\nA: 4"})
SETTINGS_AT_START = {
    "latency_s": 0,
    "requests_per_window": 10_000_000,
    "tokens_per_window": 10_000_000_000,
    "window_s": 60,
}
BATCH_SETTINGS_AT_START = {
    "batch_seconds": 0,
    "batch_polls": 0,
    "max_requests": 50_000,
    "max_file_bytes": 200_000_000,
    "max_embedding_inputs": 50_000,
}
GEMINI_SETTINGS_AT_START = {
    "batch_seconds": 0,
    "batch_polls": 0,
    "max_requests": 50_000,
    "max_batch_file_bytes": 2_000_000_000,
    "max_inline_bytes": 20_000_000,
    "max_open_batches": 100,
    "max_file_bytes": 2_000_000_000,
    "max_project_bytes": 20_000_000_000,
    "processing_looks": 0,
    "ahead_s": 0,
}


@pytest.fixture(scope="session")
def openai_client() -> Iterator[httpx.Client]:
    headers = {"authorization": "Bearer sk-test"}
    with (
        serve(create_app(OpenAIOptions(recordings=RECORDED, speech=Speech(RECORDED_CLIPS)))) as url,
        httpx.Client(base_url=url, headers=headers) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def gemini_client() -> Iterator[httpx.Client]:
    options = gemini.GeminiOptions(recordings=RECORDED, speech=Speech(RECORDED_CLIPS))
    headers = {"x-goog-api-key": "AIza-test"}
    with serve(gemini.create_app(options)) as url, httpx.Client(base_url=url, headers=headers) as client:
        yield client


@pytest.fixture(scope="session")
def genai_client(gemini_client: httpx.Client) -> Iterator[genai.Client]:
    options = genai.types.HttpOptions(base_url=str(gemini_client.base_url), timeout=10_000)
    client = genai.Client(api_key="AIza-test", http_options=options)
    yield client
    client.close()


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
    openai_client.post("/__standin__/error_rates", json={})
    return _fresh(openai_client)


@pytest.fixture
def sdk(api: httpx.Client, openai_sdk: openai.OpenAI) -> openai.OpenAI:
    """OpenAI's own client of the same stand-in."""
    del api
    return openai_sdk


@pytest.fixture
def gemini_api(gemini_client: httpx.Client) -> httpx.Client:
    """A bare client of the Gemini stand-in, which has forgotten all earlier tests."""
    gemini_client.post("/__standin__/batch_settings", json=GEMINI_SETTINGS_AT_START)
    gemini_client.post("/__standin__/error_rates", json={})
    return _without_batches(gemini_client)


@pytest.fixture
def google(gemini_api: httpx.Client, genai_client: genai.Client) -> genai.Client:
    """Google's own client of the same stand-in."""
    del gemini_api
    return genai_client


@pytest.fixture
def batch_api(api: httpx.Client) -> httpx.Client:
    """The bare client of the OpenAI stand-in, which has forgotten files and batches too."""
    api.post("/__standin__/batch_settings", json=BATCH_SETTINGS_AT_START)
    return _without_batches(api)


@pytest.fixture
def langfuse_api(langfuse_client: httpx.Client) -> httpx.Client:
    """A bare client of the Langfuse stand-in, which has forgotten all earlier tests."""
    langfuse_client.delete("/__standin__/state")
    return _fresh(langfuse_client)


def _without_batches(client: httpx.Client) -> httpx.Client:
    client.delete("/__standin__/batch_faults")
    client.delete("/__standin__/batches")
    return _fresh(client)


def _fresh(client: httpx.Client) -> httpx.Client:
    client.delete("/__standin__/faults")
    client.delete("/__standin__/counts")
    client.post("/__standin__/settings", json=SETTINGS_AT_START)
    return client
