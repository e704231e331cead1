"""Which model is asked, and where: a bare name means what it always meant, and a prefix only what there is."""

from pathlib import Path

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.runs import RunMode
from eval_pipeline.text_eval.choice import choose_embedding, choose_model, usual_mode
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.wiring.credentials import read_credentials
from eval_pipeline.wiring.endpoints import Endpoints, endpoints_of_project

FILE = """
endpoints:
  ollama: {protocol: openai_chat, base_url: "http://127.0.0.1:9/v1", key: none}
  bot: {protocol: http, request: {url: "http://127.0.0.1:9", json: {q: "{{ question }}"}}, answer: $.a}
"""


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    path = tmp_path / "endpoints.yaml"
    path.write_text(FILE)
    return endpoints_of_project(read_credentials("default", file=None, environ={}, endpoints_file=path))


@pytest.mark.parametrize(
    ("provider", "named", "endpoint", "model"),
    [
        (None, None, "openai", "gpt-4o-mini"),
        (None, "gemini-2.5-flash", "openai", "gemini-2.5-flash"),
        (None, "meta-llama/Llama-3.3", "openai", "meta-llama/Llama-3.3"),
        (None, "openai/gpt-4o", "openai", "gpt-4o"),
        (None, "openai/openai/gpt-4o", "openai", "openai/gpt-4o"),
        (None, "gemini/gemini-2.5-pro", "gemini", "gemini-2.5-pro"),
        (None, "ollama/hf.co/org/model:Q4", "ollama", "hf.co/org/model:Q4"),
        (None, "bot", "bot", "bot"),
        ("openai", "openai/gpt-4o", "openai", "openai/gpt-4o"),
        ("gemini", None, "gemini", "gemini-2.5-flash"),
        ("ollama", "gemma3", "ollama", "gemma3"),
        ("bot", None, "bot", "bot"),
    ],
)
def test_a_model_is_found_at_its_endpoint(
    endpoints: Endpoints, provider: str | None, named: str | None, endpoint: str, model: str
) -> None:
    request = TextRequest(dataset="golden", provider=provider, model=named)

    chosen, body = choose_model(request, endpoints)

    assert (chosen, body) == (endpoint, {"model": model})
    in_batches = endpoint in {"openai", "gemini"}
    assert usual_mode(request, endpoints) is (RunMode.BATCH if in_batches else RunMode.FAST)


def test_a_model_that_nobody_named_is_asked_for_at_an_endpoint_that_has_many(endpoints: Endpoints) -> None:
    with pytest.raises(UsageError, match="not a name"):
        choose_model(TextRequest(dataset="golden", provider="ollama"), endpoints)


@pytest.mark.parametrize(
    ("named", "answering", "expected"),
    [
        (None, "openai", ("openai", "text-embedding-3-large")),
        (None, "gemini", ("gemini", "gemini-embedding-001")),
        (None, "bot", ("openai", "text-embedding-3-large")),
        ("gemini-embedding-001", "openai", ("gemini", "gemini-embedding-001")),
        ("ollama/nomic-embed-text", "openai", ("ollama", "nomic-embed-text")),
        ("openai/bge-m3", "ollama", ("openai", "bge-m3")),
    ],
)
def test_texts_are_embedded_where_it_was_said(
    endpoints: Endpoints, named: str | None, answering: str, expected: tuple[str, str]
) -> None:
    found = choose_embedding(named, answering=answering, endpoints=endpoints)

    assert (found.endpoint, found.model) == expected
