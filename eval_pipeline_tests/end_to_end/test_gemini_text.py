"""Text evaluation with Gemini as the provider, live and in batches: the same records in the same tables as OpenAI's."""

from collections.abc import Iterator
from typing import Any

import pytest

from eval_pipeline_tests.listening import FLASH, Studio, recordings, studio

pytestmark = pytest.mark.slow

GOLDEN = "question,answer\n" + "".join(f"what is {number}?,{number}\n" for number in range(5))
RUN = ("--dataset", "golden", "--provider", "gemini", "--json")
SMALL = "text-embedding-3-small"
BUDGET_EXCEEDED = 101


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio(tmp_path_factory.mktemp("text"), recordings(1)) as opened:
        opened.commands.add("golden", GOLDEN)
        yield opened


@pytest.fixture
def made(home: Studio) -> Studio:
    """Give the home with providers that have forgotten all earlier tests."""
    for listener in (home.gemini, home.openai):
        listener.spoil()
        listener.spoil_batches()
        listener.api.delete("/__standin__/batches")
        listener.api.delete("/__standin__/counts")
    return home


def detail(made: Studio, run: str) -> Any:  # noqa: ANN401 - JSON
    return made.commands.json("text", "show", run, "--detail")


@pytest.mark.parametrize("mode", ["fast", "batch"])
@pytest.mark.parametrize("embedding", [None, SMALL], ids=["embedded by Gemini", "embedded by OpenAI"])
def test_a_run_is_answered_and_embedded(made: Studio, mode: str, embedding: str | None) -> None:
    run = f"{mode}-{embedding or 'own'}"
    options = () if embedding is None else ("--embedding-model", embedding)

    ended = made("text", "run", run, *RUN, "--mode", mode, *options)

    assert (ended.code, ended.document["state"], ended.document["counts"]["ok"]) == (0, "completed", 5)
    [similarity] = [score for score in ended.document["summary_scores"] if score["name"] == "cosine_similarity"]
    assert similarity["total_pairs"] == 5
    cost = ended.document["cost"]
    assert (cost["response"]["model"], cost["embedding"]["model"]) == (FLASH, embedding or "gemini-embedding-001")
    assert cost["response"]["rate"] == ("batch" if mode == "batch" else "standard")
    assert cost["response"]["output_tokens"] > 0
    asked = made.gemini.counts()
    billed = asked["billed"]
    assert {question: billed[question] for question in map("what is {}?".format, range(5))} == {
        f"what is {number}?": 1 for number in range(5)
    }
    assert (asked["batches"]["created"] > 0) is (mode == "batch")
    assert (made.openai.counts()["batches"]["created"] > 0) is (mode == "batch" and embedding is not None)


def test_live_and_batch_store_the_same_kind_of_record(made: Studio) -> None:
    for mode in ("fast", "batch"):
        assert made("text", "run", f"same-{mode}", *RUN, "--mode", mode, "--scorer", "exact_match").code == 0
    live, batch = detail(made, "same-fast")["traces"], detail(made, "same-batch")["traces"]

    assert [sorted(item) for item in live] == [sorted(item) for item in batch]
    assert [item["llm_answer"] for item in live] == [item["llm_answer"] for item in batch]


def test_what_goes_wrong_in_a_batch_is_made_good_or_told(made: Studio) -> None:
    made.gemini.spoil(
        {"kind": "server_error", "endpoint": "generate", "match": "what is 0?", "times": 1},
        {"kind": "safety", "endpoint": "generate", "match": "what is 1?"},
        {"kind": "max_tokens", "endpoint": "generate", "match": "what is 2?"},
    )

    ended = made("text", "run", "spoilt", *RUN, "--scorer", "exact_match")

    assert (ended.code, ended.document["counts"]["ok"]) == (0, 3)
    errors = {item["question"]: item["error"]["code"] for item in detail(made, "spoilt")["traces"] if item["error"]}
    assert errors == {"what is 1?": "safety", "what is 2?": "max_tokens"}


def test_an_estimate_and_a_budget_know_the_prices(made: Studio) -> None:
    estimate = made("text", "run", "planned", *RUN, "--estimate")
    refused = made("text", "run", "planned", *RUN, "--max-cost-usd", "0.0000001")
    again = made("run", "retry", "planned", "--max-cost-usd", "1", "--json")

    assert (estimate.code, 0 < estimate.document["estimate"]["total_cost_usd"] < 1) == (0, True)
    assert (refused.code, refused.error_code) == (BUDGET_EXCEEDED, "budget_exceeded")
    assert (again.code, again.document["counts"]["ok"]) == (0, 5)
    assert 0 < again.document["cost"]["total_cost_usd"] < 1
    assert made.gemini.counts()["billed"]["what is 0?"] == 1
