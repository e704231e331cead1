"""A run keeps to the endpoint that it was specified for, and tells where every answer came from."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline_tests.batch_server import batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.end_to_end.conftest import KEY
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider, provider

QUESTIONS = 10
GOLDEN = "question,answer\n" + "".join(f"Question {number}?,Answer {number}\n" for number in range(QUESTIONS))
RUN = ("--dataset", "golden", "--scorer", "exact_match", "--model", "gpt-4o-mini")
STOPS_EARLY_USD = "0.00006"


@pytest.fixture
def commands(tmp_path: Path, openai: Provider) -> Iterator[Commands]:
    made = Commands(tmp_path, OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=KEY)
    furnish(made.home)
    made.add("golden", GOLDEN)
    with openai.behaving():  # it counts for other tests, too
        yield made


def test_a_requested_run_asks_nobody_but_the_endpoint_of_its_specification(
    commands: Commands, openai: Provider
) -> None:
    with provider() as other:
        elsewhere = {"OPENAI_BASE_URL": other.base_url}
        requested = commands("text", "run", "requested", *RUN, "--mode", "fast", "--no-wait", **elsewhere)
        assert requested.code == 0

        problem = commands.make_stages(RunKey(project="default", run="requested"))

        assert problem is not None
        assert problem.code == "endpoint_changed"
        assert other.base_url in problem.message
        assert openai.base_url in problem.message
        shown = commands.json("run", "status", "requested")
        assert (shown["state"], shown["error"]["code"]) == ("failed", "endpoint_changed")
        assert commands("run", "retry", "requested", **elsewhere).code == 0
        assert other.answers.requests == QUESTIONS
    assert openai.answers.requests == 0


def test_a_run_that_goes_on_elsewhere_says_so_row_by_row(commands: Commands, openai: Provider) -> None:
    config = commands.folder / "short.yaml"
    config.write_text("model_body:\n  max_output_tokens: 16\nconcurrency: 2\n")
    fast = (*RUN, "--mode", "fast", "--config", str(config))
    assert commands("text", "run", "moved", *fast, "--max-cost-usd", STOPS_EARLY_USD).code == 101
    here = openai.answers.requests
    with provider() as other:
        elsewhere = {"OPENAI_BASE_URL": other.base_url}

        refused = commands("run", "retry", "moved", "--max-cost-usd", "1", "--json", **elsewhere)

        assert (refused.code, refused.error_code) == (1, "endpoint_changed")
        assert all(url in refused.document["error"]["message"] for url in (openai.base_url, other.base_url))
        untouched = commands.json("run", "status", "moved")
        assert (untouched["state"], untouched["max_cost_usd"]) == ("incomplete", float(STOPS_EARLY_USD))

        accepted = commands("run", "retry", "moved", "--max-cost-usd", "1", "--endpoint-changed", **elsewhere)

        assert accepted.code == 0
        assert 0 < here < QUESTIONS
        assert other.answers.requests == QUESTIONS - here
        output = commands.folder / "rows.csv"
        commands.json("text", "export", "moved", "--output", str(output))
        with output.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert Counter(row["endpoint"] for row in rows) == {openai.base_url: here, other.base_url: QUESTIONS - here}
        [report] = (commands.home / "store/text_eval/default/moved/report").glob("*/report.html")
        page = report.read_text(encoding="utf-8")
        assert "Another endpoint answered than the run was specified for" in page
        assert page.count(f"answered by <bdi>{other.base_url}</bdi>") == QUESTIONS - here
        spec = json.loads(next((commands.home / "store/text_eval/default/moved/spec").glob("*/spec.json")).read_text())
        assert spec["endpoints"]["openai"]["base_url"] == openai.base_url
        assert KEY not in page
        assert commands("text", "run", "stayed", *fast).code == 0
        compared = commands.json("text", "compare", "stayed", "moved")["differences"]
        both = ", ".join(sorted((openai.base_url, other.base_url)))
        assert [(one["name"], one["first"], one["second"]) for one in compared] == [
            ("answered_by.endpoints", openai.base_url, both)
        ]


def test_nothing_that_was_paid_for_is_forgotten_for_an_endpoint_that_is_refused(
    commands: Commands, openai: Provider
) -> None:
    assert commands("text", "run", "kept", *RUN, "--mode", "fast").code == 0
    commands.set(OPENAI_BASE_URL="http://127.0.0.1:9/v1")

    refused = commands("run", "retry", "kept", "--refresh", "--json")
    untouched = commands.json("run", "status", "kept")["state"]
    problem = commands.make_stages(RunKey(project="default", run="kept"), "responses", refresh=True)

    assert (refused.code, refused.error_code, untouched) == (1, "endpoint_changed", "completed")
    assert problem is not None
    assert problem.code == "endpoint_changed"
    commands.set(OPENAI_BASE_URL=openai.base_url)
    with openai.behaving():
        assert commands("run", "retry", "kept").code == 0
        assert openai.answers.requests == 0


def test_batches_that_are_out_are_not_superseded_for_an_endpoint_that_is_refused(tmp_path: Path) -> None:
    with batch_server() as server:
        server.scenario = "stuck"
        commands = Commands(tmp_path, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        commands.add("golden", GOLDEN)
        key = RunKey(project="default", run="out")
        assert commands("text", "run", "out", *RUN, "--no-wait").code == 0
        assert commands.make_stages(key) is None
        commands.set(OPENAI_BASE_URL="http://127.0.0.1:9/v1")

        problem = commands.make_stages(key, "responses", refresh=True)

        assert problem is not None
        assert problem.code == "endpoint_changed"
        assert [job["state"] for job in commands.json("text", "show", "out")["batches"]] == ["submitted"]


def test_a_completed_run_stays_so_when_it_may_not_go_on_elsewhere(commands: Commands, openai: Provider) -> None:
    limited = {"kind": "rate_limit_no_header", "endpoint": "responses", "match": "Question 1?"}
    with openai.behaving(limited):
        assert commands("text", "run", "rest", *RUN, "--mode", "fast", EVAL_RETRY_MAX_ATTEMPTS="1").code == 0

    refused = commands("run", "retry", "rest", "--json", OPENAI_BASE_URL="http://127.0.0.1:9/v1")

    assert (refused.code, refused.error_code) == (1, "endpoint_changed")
    assert commands.json("run", "status", "rest")["state"] == "completed"


def test_no_batch_goes_to_another_endpoint(tmp_path: Path) -> None:
    with batch_server() as first, batch_server() as second:
        commands = Commands(tmp_path, OPENAI_BASE_URL=first.url, OPENAI_API_KEY=KEY)
        furnish(commands.home)
        commands.add("golden", GOLDEN)
        elsewhere = {"OPENAI_BASE_URL": second.url}
        assert commands("text", "run", "batch", *RUN, "--no-wait", **elsewhere).code == 0

        problem = commands.make_stages(RunKey(project="default", run="batch"))

        assert problem is not None
        assert problem.code == "endpoint_changed"
        assert commands.json("text", "show", "batch")["batches"] == []
