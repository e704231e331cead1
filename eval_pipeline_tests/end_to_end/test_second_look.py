"""What is done with runs that are there: compared, scored again, reported again, without calling anybody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.end_to_end.conftest import KEY
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider, provider

GOLDEN = "question,answer\nq one,1\nq two,2\nq three,3\n"
ANSWERS = {
    ("before", "q one"): "A: 1",
    ("before", "q two"): "A: 9",
    ("before", "q three"): "A: 9",
    ("after", "q one"): "A: 1",
    ("after", "q two"): "A: 2",
    ("after", "q three"): "A: 3",
}


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Commands, Provider]]:
    """Two models on one dataset, scored by number."""
    with provider(ANSWERS) as openai:
        commands = Commands(tmp_path_factory.mktemp("two"), OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.base_url)
        furnish(commands.home)
        commands.add("numbers", GOLDEN)
        for model in ("before", "after"):
            run = ("text", "run", model, "--dataset", "numbers", "--mode", "fast", "--model", model)
            assert commands(*run, "--scorer", "numeric").code == 0
        yield commands, openai


def test_the_better_run_is_found_question_by_question(two_runs: tuple[Commands, Provider]) -> None:
    commands, _ = two_runs

    compared = commands.json("text", "compare", "before", "after")

    score = compared["scores"][0]
    assert (score["wins"], score["losses"], score["ties"]) == (2, 0, 1)
    assert score["difference"] == pytest.approx(2 / 3)
    assert [question["question"] for question in compared["changed"]] == ["q two", "q three"]
    told = commands("text", "compare", "before", "after").out
    assert compared["differences"] == [{"name": "model_body.model", "first": "before", "second": "after", "lines": []}]
    assert told.index("model_body.model") < told.index("SCORE")


def test_scores_are_made_anew_by_other_scorers_without_a_call(two_runs: tuple[Commands, Provider]) -> None:
    commands, openai = two_runs

    with openai.behaving():
        shown = commands.json("text", "rescore", "before", "--scorer", "contains", "--scorer", "token_f1")
        assert openai.answers.requests == 0

    assert [score["name"] for score in shown["summary_scores"]] == ["contains", "token_f1"]
    assert shown["state"] == "completed"
    assert [score["name"] for score in commands.json("text", "rescore", "before")["summary_scores"]] == ["numeric"]


def test_an_unknown_scorer_changes_nothing(two_runs: tuple[Commands, Provider]) -> None:
    commands, _ = two_runs

    refused = commands("text", "rescore", "after", "--scorer", "nonsense", "--json")

    assert (refused.code, refused.error_code) == (1, "unknown_scorer")
    assert commands.json("text", "show", "after")["summary_scores"][0]["name"] == "numeric"


def test_a_model_without_a_price_makes_the_cost_unknown_and_says_so(two_runs: tuple[Commands, Provider]) -> None:
    commands, _ = two_runs

    shown = commands.json("text", "show", "after")

    assert shown["cost"]["total_cost_usd"] is None
    assert [warning["code"] for warning in shown["warnings"]] == ["price_unknown"]
    assert "no published price" in commands("text", "show", "after").err


def test_a_budget_on_such_a_model_is_refused_and_leaves_the_name_free(
    two_runs: tuple[Commands, Provider],
) -> None:
    commands, _ = two_runs
    run = ("text", "run", "capped", "--dataset", "numbers", "--mode", "fast", "--model", "after")

    refused = commands(*run, "--max-cost-usd", "1", "--json")

    assert (refused.code, refused.error_code) == (1, "budget_needs_price")
    assert commands(*run, "--scorer", "numeric").code == 0


def test_an_estimate_needs_no_key_and_claims_nothing(two_runs: tuple[Commands, Provider]) -> None:
    commands, _ = two_runs
    run = ("text", "run", "later", "--dataset", "numbers", "--mode", "fast", "--model", "gpt-4o-mini")

    estimate = commands.json(*run, "--estimate", OPENAI_API_KEY="")["estimate"]

    assert estimate["items"] == 3
    assert estimate["total_cost_usd"] > 0
    assert commands("text", "show", "later", "--json").error_code == "run_not_found"


def test_the_report_of_a_breached_run_can_be_made_again_by_hand(tmp_path: Path) -> None:
    """What is downstream of the missed threshold was never made; the report needs none of it."""
    with provider() as openai, openai.behaving({"kind": "refusal", "endpoint": "responses"}):
        commands = Commands(tmp_path, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.base_url)
        furnish(commands.home)
        commands.add("numbers", GOLDEN)
        run = ("text", "run", "refused", "--dataset", "numbers", "--mode", "fast", "--model", "gpt-4o-mini")
        assert commands(*run).code == 100
        first = commands.json("text", "show", "refused")["report"]

        assert commands.make_stages(RunKey("default", "refused"), "report") is None

    shown = commands.json("text", "show", "refused")
    assert (shown["state"], shown["error"]["code"]) == ("failed", "failure_threshold_breached")
    assert shown["report"] != first


def test_a_breach_among_embeddings_is_reported_with_scores_and_reasons(tmp_path: Path) -> None:
    with provider() as openai, openai.behaving({"kind": "zero_vector", "endpoint": "embeddings"}):
        commands = Commands(tmp_path, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.base_url)
        furnish(commands.home)
        commands.add("numbers", GOLDEN)
        run = ("text", "run", "blind", "--dataset", "numbers", "--mode", "fast", "--model", "gpt-4o-mini")
        ended = commands(*run, "--failure-threshold", "0", "--json")

    assert ended.code == 100
    without = ended.document["summary_scores"][0]["unscoreable"]["embedding_failed"]
    assert without > 0
    assert f"cosine_similarity not scored: {without} embedding_failed" in commands("text", "show", "blind").out
    report = Path(ended.document["report"].removeprefix("file://")).read_text(encoding="utf-8")
    assert 'id="failures"' in report
