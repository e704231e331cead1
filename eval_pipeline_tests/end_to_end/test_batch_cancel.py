"""Batches that are stopped, by a person or because they are stuck: what is done of them is kept and paid once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.batch_polling import Polled, poll_run
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish

GOLDEN = "question,answer\n" + "".join(f"what is {number}?,{number}\n" for number in range(6))
RUN = ("--dataset", "golden", "--scorer", "exact_match", "--model", "gpt-4o-mini")
KEY = RunKey(project="default", run="batch-1")
LATE_S = 2 * 86_400


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as running:
        yield running


@pytest.fixture
def commands(tmp_path: Path, server: BatchServer) -> Commands:
    (tmp_path / "golden.csv").write_text(GOLDEN)
    commands = Commands(tmp_path, **variables(server))
    furnish(commands.home)
    assert commands("dataset", "add", "golden", "golden.csv").code == 0
    return commands


def variables(server: BatchServer, **settings: str) -> dict[str, str]:
    """Name the provider; two requests a batch make three batches a run."""
    return {
        "OPENAI_API_KEY": "sk-test-7f3a9c1e5b",
        "OPENAI_BASE_URL": server.url,
        "EVAL_BATCH_POLL_SECONDS": "0.1",
        "EVAL_BATCH_MAX_REQUESTS": "2",
        "NO_PROXY": "127.0.0.1",
        **settings,
    }


def submit(commands: Commands) -> None:
    """Let a run submit its batches, as a daemon does that then turns to something else."""
    assert commands("text", "run", KEY.run, *RUN, "--no-wait", "--json").code == 0
    assert commands.make_stages(KEY) is None
    assert status(commands)["state"] == "waiting"


def look(commands: Commands, server: BatchServer, **settings: str) -> Polled:
    """Look at the run's batches once, as the sensor does."""
    environ = {"EVAL_PIPELINE_HOME": str(commands.home), **variables(server, **settings)}
    with closing(Deployment(environ=environ)) as deployment:
        return poll_run(deployment, flow=Flow.TEXT, key=KEY)


def take_on(commands: Commands) -> EvalPipelineError | None:
    """Collect, as the run does that the sensor starts."""
    return commands.make_stages(KEY, *plan_of(Flow.TEXT).stages_from("responses"))


def status(commands: Commands) -> Any:  # noqa: ANN401 - JSON
    return commands.json("run", "status", KEY.run)


def batches(commands: Commands) -> Any:  # noqa: ANN401 - JSON
    return commands.json("text", "show", KEY.run)["batches"]


def shown(commands: Commands) -> Any:  # noqa: ANN401 - JSON
    return commands.json("text", "show", KEY.run)


def answers(commands: Commands) -> list[str | None]:
    """Return the stored answer to every question, in the order of the dataset."""
    return [item["llm_answer"] for item in commands.json("text", "show", KEY.run, "--detail")["traces"]]


def hold(server: BatchServer, *batches: str) -> None:
    """Let batches get no further; a cancelled one of them has done two of its lines."""
    server.spoiled.update(dict.fromkeys(batches, "stuck"))


ANSWERS = [f"answer to what is {number}?" for number in range(6)]


def test_a_cancelled_run_keeps_what_its_batches_have_done_and_sends_nothing_more(
    commands: Commands, server: BatchServer
) -> None:
    server.scenario = "stuck"
    submit(commands)
    hold(server, "batch_2")
    look(commands, server)
    assert [batch["status"] for batch in server.batches.values()] == ["validating", "completed", "validating"]
    assert commands.json("run", "cancel", KEY.run)["state"] == "cancelled"
    assert [batch["status"] for batch in server.batches.values()] == ["cancelled", "completed", "cancelled"]

    assert look(commands, server).ready, "what is done is there to be collected"
    problem = take_on(commands)

    assert problem is not None
    assert problem.code == "run_cancelled"
    assert (status(commands)["state"], status(commands)["cancel_requested"]) == ("cancelled", True)
    assert {(job["state"], str(job["outcomes"])) for job in batches(commands)} == {("collected", "{'ok': 2}")}
    assert (shown(commands)["counts"]["ok"], shown(commands)["cost"]["response"]["output_tokens"]) == (6, 30)
    assert look(commands, server).jobs == 0
    assert (len(server.batches), set(server.executed.values())) == (3, {1})


def test_a_cancelled_run_goes_on_with_what_was_not_done(commands: Commands, server: BatchServer) -> None:
    submit(commands)
    hold(server, "batch_0")  # the others have done nothing when they are cancelled
    commands.json("run", "cancel", KEY.run)
    look(commands, server)
    take_on(commands)
    assert shown(commands)["counts"]["ok"] == 2

    again = commands("run", "retry", KEY.run, "--json")

    assert (again.code, again.document["state"], again.document["counts"]["ok"]) == (0, "completed", 6)
    assert answers(commands) == ANSWERS
    assert [batch["status"] for batch in server.batches.values()] == ["cancelled"] * 3 + ["completed"] * 2
    assert set(server.executed.values()) == {1}
    assert set(server.keys().values()) == {1}


def test_a_run_that_is_taken_up_before_its_cancelled_batches_were_collected_collects_them(
    commands: Commands, server: BatchServer
) -> None:
    submit(commands)
    hold(server, "batch_0")
    commands.json("run", "cancel", KEY.run)

    again = commands("run", "retry", KEY.run, "--json")

    assert (again.code, again.document["state"], again.document["counts"]["ok"]) == (0, "completed", 6)
    assert answers(commands) == ANSWERS
    assert set(server.executed.values()) == {1}


def test_a_batch_that_is_stuck_is_cancelled_and_only_what_it_left_is_sent_again(
    tmp_path: Path, commands: Commands, server: BatchServer
) -> None:
    """Of the three requests of the stuck batch two are done by then."""
    settings = {"EVAL_BATCH_MAX_REQUESTS": "3", "EVAL_BATCH_WINDOW_SECONDS": "1"}
    server.scenario = "stuck"
    impatient = Commands(tmp_path, **variables(server, **settings))
    submit(impatient)
    assert look(impatient, server, **settings).alerts == {}
    server.batches["batch_0"]["created_at"] -= 302  # a window of a second, and 300 s of slack

    overdue = look(impatient, server, **settings)
    ended = impatient("run", "retry", KEY.run, "--json")

    assert "is overdue; cancelling it to save what is done" in overdue.sentence()
    assert (ended.code, ended.document["state"], ended.document["counts"]["ok"]) == (0, "completed", 6)
    assert answers(commands) == ANSWERS
    outcomes = [(job["requests"], job["outcomes"]) for job in ended.document["batches"]]
    assert outcomes == [(3, {"ok": 2, "cancelled": 1}), (3, {"ok": 3}), (1, {"ok": 1})]
    assert set(server.executed.values()) == {1}


def test_a_batch_that_ends_while_it_is_cancelled_does_not_save_the_others_from_it(
    commands: Commands, server: BatchServer
) -> None:
    """The provider answers 409: it has ended."""
    submit(commands)
    server.batches["batch_0"]["status"] = "expired"

    cancelled = commands("run", "cancel", KEY.run, "--json")

    assert cancelled.code == 0
    assert [batch["status"] for batch in server.batches.values()] == ["expired", "cancelled", "cancelled"]


def test_a_cancellation_that_did_not_reach_the_provider_can_be_repeated(
    commands: Commands, server: BatchServer
) -> None:
    submit(commands)
    server.key = "sk-another"
    refused = commands("run", "cancel", KEY.run, "--json")
    assert (refused.code, refused.error_code) == (1, "provider_account")
    server.key = None

    assert commands("run", "cancel", KEY.run, "--json").code == 0

    assert {batch["status"] for batch in server.batches.values()} == {"cancelled"}
