"""Batch runs with a budget: a round that could cost too much is not sent, and the run goes on with a higher limit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish

GOLDEN = "question,answer\n" + "".join(f"what is {number}?,{number}\n" for number in range(5))
RUN = ("--dataset", "golden", "--model", "gpt-4o-mini")
KEY = RunKey(project="default", run="batch-1")
A_LITTLE, ENOUGH = "0.0000001", "0.01"


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as running:
        yield running


@pytest.fixture
def commands(tmp_path: Path, server: BatchServer) -> Commands:
    (tmp_path / "golden.csv").write_text(GOLDEN)
    commands = Commands(
        tmp_path,
        OPENAI_API_KEY="sk-test-7f3a9c1e5b",
        OPENAI_BASE_URL=server.url,
        EVAL_BATCH_POLL_SECONDS="0.1",
        EVAL_BATCH_MAX_REQUESTS="2",
        NO_PROXY="127.0.0.1",
    )
    furnish(commands.home)
    assert commands("dataset", "add", "golden", "golden.csv").code == 0
    return commands


def test_a_first_round_that_does_not_fit_is_not_sent_at_all(commands: Commands, server: BatchServer) -> None:
    """Not even the first of its three files, which would fit."""
    ended = commands("text", "run", KEY.run, *RUN, "--max-cost-usd", "0.0005", "--json")

    assert (ended.code, ended.error_code, ended.document["state"]) == (101, "budget_exceeded", "incomplete")
    assert "5 requests of responses may cost $0.000" in ended.document["error"]["message"]
    assert "run retry batch-1 --max-cost-usd X" in ended.document["error"]["hint"]
    assert server.batches == server.files == {}

    again = commands("run", "retry", KEY.run, "--max-cost-usd", ENOUGH, "--json")

    assert (again.code, again.document["state"], again.document["counts"]["ok"]) == (0, "completed", 5)
    assert again.document["cost"]["total_cost_usd"] < float(ENOUGH)
    assert set(server.keys().values()) == {1}


def test_a_follow_up_round_that_does_not_fit_leaves_what_was_collected(commands: Commands, server: BatchServer) -> None:
    server.scenario = "expired_no_files"  # of the first batch: its two items go out again
    assert commands("text", "run", KEY.run, *RUN, "--max-cost-usd", ENOUGH, "--no-wait", "--json").code == 0
    assert commands.make_stages(KEY) is None

    ended = commands("run", "retry", KEY.run, "--max-cost-usd", A_LITTLE, "--json")

    assert (ended.code, ended.error_code) == (101, "budget_exceeded")
    assert "2 requests of responses may cost" in ended.document["error"]["message"]
    assert len(server.batches) == 3
    assert {job["state"] for job in ended.document["batches"]} == {"collected"}

    again = commands("run", "retry", KEY.run, "--max-cost-usd", ENOUGH, "--json")

    assert (again.code, again.document["counts"]["ok"]) == (0, 5)
    assert set(server.executed.values()) == {1}


def test_embeddings_that_do_not_fit_beside_the_answers_are_not_sent(commands: Commands, server: BatchServer) -> None:
    """Golden answers of 100 kB in all: at most 100,000 tokens, which is exact."""
    commands.add("long", "question,answer\n" + "".join(f"what is {n}?,{str(n) * 20_000}\n" for n in range(5)))
    run = ("--dataset", "long", "--model", "gpt-4o-mini", "--max-cost-usd", "0.002")

    ended = commands("text", "run", KEY.run, *run, "--json")

    assert (ended.code, ended.error_code, ended.document["counts"]["ok"]) == (101, "budget_exceeded", 5)
    assert "10 requests of embeddings may cost" in ended.document["error"]["message"]
    assert {batch["endpoint"] for batch in server.batches.values()} == {"/v1/responses"}
    assert commands("run", "retry", KEY.run, "--max-cost-usd", ENOUGH, "--json").code == 0
    assert set(server.executed.values()) == {1}
