"""What a model's searches found: asked for, read from every protocol into one form, and kept by the journal."""

from typing import Any

import orjson

from eval_pipeline.core.outcomes import Attempt, settle
from eval_pipeline.core.passages import Passage, searches_files
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.secrets import forget_secrets, know_secrets
from eval_pipeline.dispatch.records import decode, encode
from eval_pipeline.providers.gemini.generate import parse_generation
from eval_pipeline.providers.openai.responses import parse_response, with_results
from eval_pipeline.wiring.credentials import read_credentials
from eval_pipeline.wiring.endpoints import endpoints_of_project
from eval_pipeline.wiring.models import answer_form

SEARCH = {"type": "file_search", "vector_store_ids": ["vs_1"]}


def response(*output: Any) -> Attempt:  # noqa: ANN401 - any output item
    said = {"type": "message", "content": [{"type": "output_text", "text": "42"}]}
    return parse_response(200, orjson.dumps({"status": "completed", "output": [*output, said]}), {})


def call(results: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a server sends
    return {"type": "file_search_call", "status": "completed", "queries": ["q"], "results": results}


def generation(**grounding: Any) -> Attempt:  # noqa: ANN401 - any field of the metadata
    candidate = {"content": {"parts": [{"text": "42"}]}, "finishReason": "STOP", **grounding}
    return parse_generation(200, orjson.dumps({"candidates": [candidate]}), {})


def test_results_are_asked_for_where_files_are_searched_and_only_there() -> None:
    body = {"model": "m", "tools": [SEARCH], "include": ["reasoning.encrypted_content"]}

    assert with_results(body)["include"] == ["reasoning.encrypted_content", "file_search_call.results"]
    assert with_results(with_results(body)) == with_results(body)
    assert "include" not in with_results({"model": "m", "tools": [{"type": "web_search"}]})
    endpoint = endpoints_of_project(read_credentials("default", file=None, environ={})).find(OPENAI)
    line = answer_form(endpoint, body={"model": "m", "tools": [SEARCH]}).lines.line("q1", "q")
    assert orjson.loads(line)["body"]["include"] == ["file_search_call.results"]


def test_a_file_search_is_known_in_both_providers_words() -> None:
    assert searches_files({"tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/1"]}}]})
    assert searches_files({"tools": [{"file_search": {}}]})
    assert not searches_files({"tools": [{"googleSearch": {}}, {"type": "function", "name": "file"}]})
    assert not searches_files({"tools": "file_search"})


def test_what_a_file_search_found_is_read_once_each_with_file_and_score() -> None:
    result = {"file_id": "file_1", "filename": "a.md", "score": 0.5, "text": "Ducks lay."}
    attempt = response(call([result, {"file_id": "file_2", "text": "More."}]), call([result]))

    assert attempt.passages == (Passage("Ducks lay.", "a.md", 0.5), Passage("More.", "file_2", None))
    assert decode(encode(settle("q1", attempt, attempts=1))).passages == attempt.passages


def test_nothing_found_and_nobody_told_are_different_things() -> None:
    assert response(call([])).passages == ()
    assert response(call(None)).passages is None
    assert response().passages is None
    assert decode(encode(settle("q1", response(call([])), attempts=1))).passages == ()
    assert generation().passages is None
    assert generation(groundingMetadata={"webSearchQueries": ["q"]}).passages == ()


def test_odd_results_cost_no_answer() -> None:
    odd = [None, 7, {"text": ["x"], "filename": {}, "score": True}, {"text": "kept", "score": "high"}]

    assert response(call(odd)).passages == (Passage(""), Passage("kept"))
    assert response(call(odd)).text == "42"
    assert generation(groundingMetadata={"groundingChunks": [None, {}, {"web": 7}]}).passages == ()


def test_gemini_tells_files_pages_and_places() -> None:
    chunks = [
        {"retrievedContext": {"title": "guide.pdf", "text": "Sow in June.", "fileSearchStore": "fileSearchStores/1"}},
        {"retrieved_context": {"uri": "gs://b/x", "rag_chunk": {"text": "Reap in May."}}},
        {"web": {"uri": "https://example.org/", "title": "example.org"}},
    ]

    assert generation(groundingMetadata={"groundingChunks": chunks}).passages == (
        Passage("Sow in June.", "guide.pdf"),
        Passage("Reap in May.", "gs://b/x"),
        Passage("", "example.org"),
    )


def test_a_key_that_comes_back_in_a_passage_is_not_kept() -> None:
    know_secrets(["sk-passage-0123456789"])
    try:
        found = response(call([{"text": "the key is sk-passage-0123456789", "filename": "sk-passage-0123456789"}]))
        assert found.passages == (Passage("the key is [key]", "[key]"),)
    finally:
        forget_secrets()
