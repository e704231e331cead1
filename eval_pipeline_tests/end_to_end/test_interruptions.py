"""Runs that are killed, interrupted or cancelled: nothing stored is asked again, and a retry completes them."""

import signal
from collections.abc import Iterator
from threading import Thread

import pytest

from eval_pipeline_tests.commands import Commands, Ended, ended
from eval_pipeline_tests.end_to_end.conftest import KEY
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider

QUESTIONS, REPEATS, CONCURRENCY = 10, 3, 4
ITEMS = QUESTIONS * REPEATS
SIXTY_PERCENT = ITEMS * 6 // 10
LATENCY_S = 0.05
LONGER_THAN_ANY_CHECK_S = 60.0
LONG_ENOUGH_TO_BE_STOPPED_S = 1.5
"""Three more rounds of calls at this pace outlast the signal and the process that cancels, on a busy machine too."""
GOLDEN = "question,answer\n" + "".join(f"Question {number}?,Answer {number}\n" for number in range(QUESTIONS))
RUN = ("--dataset", "golden", "--mode", "fast", "--scorer", "exact_match", "--concurrency", str(CONCURRENCY))


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory, openai: Provider) -> Commands:
    made = Commands(tmp_path_factory.mktemp("interrupted"), OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY=KEY)
    furnish(made.home)
    made.add("golden", GOLDEN, "--duplication-factor", str(REPEATS))
    return made


@pytest.fixture
def slow(openai: Provider) -> Iterator[Provider]:
    with openai.behaving(latency_s=LATENCY_S):
        yield openai


def test_a_run_killed_at_60_percent_is_seen_guarded_and_resumed(commands: Commands, slow: Provider) -> None:
    """One process is watched through its whole life: a start costs seconds."""
    with commands.begin("text", "run", "killed", *RUN) as process:
        slow.wait_for(SIXTY_PERCENT)
        slow.answer_after(LONGER_THAN_ANY_CHECK_S)
        _check_that_others_keep_off(commands, worker=process.pid)
        asked = slow.answers.requests
        process.kill()
    slow.answer_after(0)
    stored = ITEMS - _check_that_it_counts_as_interrupted(commands)
    retried = commands("run", "retry", "killed", "--json")

    assert retried.code == 0
    assert retried.document["state"] == "completed"
    assert retried.document["counts"]["ok"] == ITEMS
    assert asked - CONCURRENCY <= stored <= asked + CONCURRENCY
    assert slow.answers.requests <= ITEMS + CONCURRENCY
    assert set(slow.answers.asked) == {f"Question {number}?" for number in range(QUESTIONS)}
    assert slow.answers.requests == sum(slow.answers.asked.values())
    assert commands.json("dataset", "delete", "golden", "--all", "--yes")["deleted_versions"] == 1
    assert commands.json("text", "show", "killed")["counts"]["ok"] == ITEMS
    commands.add("golden", GOLDEN)


def _check_that_others_keep_off(commands: Commands, *, worker: int) -> None:
    status = commands.json("run", "status", "killed")
    assert status["state"] == "running"
    assert status["worker"]["pid"] == worker
    assert {stage["stage"]: stage["state"] for stage in status["stages"]}["responses"] == "at work"
    assert f"worked on by process {worker} on " in commands("run", "status", "killed").out
    for refused, code in (
        (("run", "retry", "killed"), "run_in_progress"),
        (("run", "delete", "killed", "--yes"), "run_in_progress"),
        (("text", "run", "killed", *RUN), "run_name_already_exists"),
        (("dataset", "delete", "golden", "--all", "--yes"), "dataset_in_use"),
    ):
        ended = commands(*refused, "--json")
        assert (ended.code, ended.error_code) == (1, code)


def _check_that_it_counts_as_interrupted(commands: Commands) -> int:
    """Return the items that are not finished."""
    status = commands.json("run", "status", "killed")
    assert status["state"] == "interrupted"
    assert status["worker"] is None
    assert {stage["stage"]: stage["state"] for stage in status["stages"]}["responses"] == "interrupted"
    assert [run["run"] for run in commands.json("run", "list", "--state", "interrupted")["runs"]] == ["killed"]
    shown = commands.json("text", "show", "killed")
    assert shown["cost"]["total_cost_usd"] > 0
    assert shown["counts"]["failed"] == 0
    return int(shown["counts"]["unfinished"])


@pytest.fixture
def heard() -> Iterator[None]:
    """Let commands hear that their terminal was closed: what ``nohup`` starts, such as these tests, does not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP], ids=["ctrl-c", "a terminal that is closed"])
def test_an_interruption_ends_with_130_and_the_retry_asks_only_the_rest(
    commands: Commands, slow: Provider, how: signal.Signals
) -> None:
    run = f"stopped-{how.name}"
    with commands.begin("text", "run", run, *RUN, "--repeats", str(REPEATS), "--json") as process:
        slow.wait_for(SIXTY_PERCENT)
        slow.answer_after(LONG_ENOUGH_TO_BE_STOPPED_S)
        process.send_signal(how)
        stopped = ended(process)
    slow.answer_after(0)
    before = slow.answers.requests
    retried = commands("run", "retry", run)

    assert stopped.code == 130
    assert stopped.document["state"] == "interrupted"
    assert stopped.document["error"]["code"] == "run_interrupted"
    assert f"eval-pipeline run retry {run}" in stopped.document["error"]["hint"]
    assert stopped.document["counts"]["ok"] == before < ITEMS
    assert "Traceback" not in stopped.err
    assert "waiting for the calls under way" in stopped.err
    assert retried.code == 0
    assert slow.answers.requests == ITEMS


def test_a_run_cancelled_by_another_process_stops_and_can_be_resumed(commands: Commands, slow: Provider) -> None:
    said: list[Ended] = []
    canceller = Thread(target=lambda: said.append(_cancel_soon(commands, slow)))
    canceller.start()
    run = commands("text", "run", "cancelled", *RUN, "--repeats", str(REPEATS), "--json")
    canceller.join()
    slow.answer_after(0)
    unfinished = run.document["counts"]["unfinished"]
    before = slow.answers.requests
    retried = commands("run", "retry", "cancelled", "--json")

    assert said[0].code == 0
    assert "asked to stop at the next item boundary" in said[0].out
    assert run.code == 101
    assert run.document["state"] == "cancelled"
    assert run.document["error"]["code"] == "run_cancelled"
    assert 0 < unfinished < ITEMS
    assert retried.code == 0
    assert slow.answers.requests == before + unfinished == ITEMS
    assert commands("run", "cancel", "cancelled", "--json").error_code == "run_already_ended"


def _cancel_soon(commands: Commands, provider: Provider) -> Ended:
    provider.wait_for(CONCURRENCY)
    provider.answer_after(LONG_ENOUGH_TO_BE_STOPPED_S)
    return commands.process("run", "cancel", "cancelled")


def test_a_request_without_a_daemon_says_that_nobody_takes_it_up_and_can_be_cancelled(commands: Commands) -> None:
    requested = commands("text", "run", "left", *RUN, "--no-wait")

    assert requested.code == 0
    assert "requested left" in requested.out
    assert "no Dagster daemon is running" in requested.err
    assert commands.json("run", "status", "left")["state"] == "requested"
    assert commands.json("run", "cancel", "left")["state"] == "cancelled"
    assert commands.json("run", "delete", "left", "--yes")["deleted"]
    assert commands("run", "status", "left", "--json").error_code == "run_not_found"
