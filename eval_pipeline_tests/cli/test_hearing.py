"""Ctrl-C while a batch run waits: whoever has the signals at that moment, the command ends and says how to go on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster._utils.interrupts import capture_interrupts

from eval_pipeline.cli.hearing import hearing
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_that_dagster_forgets_is_heard(number: signal.Signals) -> None:
    """Dagster takes signals while it executes; one that comes behind the last step it notes and drops."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        with hearing() as ears:
            ears.check()
            with capture_interrupts():
                signal.raise_signal(number)
            with pytest.raises(KeyboardInterrupt):
                ears.check()
            ears.check()  # it is heard once
    finally:
        signal.signal(signal.SIGTERM, before)
    assert signal.set_wakeup_fd(-1) == -1, "nobody listens any more"


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as running:
        yield running


@pytest.fixture
def _heeding() -> Iterator[None]:
    """Heed Ctrl-C as a command in a terminal does: what a shell started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heeding")
def test_a_run_that_waits_is_left_at_once_with_the_words_that_tell_how_to_go_on(
    tmp_path: Path, server: BatchServer
) -> None:
    commands = Commands(
        tmp_path,
        OPENAI_API_KEY="sk-test-7f3a9c1e5b",
        OPENAI_BASE_URL=server.url,
        EVAL_BATCH_POLL_SECONDS="0.1",
        NO_PROXY="127.0.0.1",
    )
    furnish(commands.home)
    commands.add("golden", "question,answer\nwhat is 1?,1\n")
    server.scenario = "stuck"
    behind_the_first_run = 2
    server.when_listed = lambda: server.calls["list"] > behind_the_first_run and os.kill(os.getpid(), signal.SIGINT)

    left = commands("text", "run", "batch-1", "--dataset", "golden", "--scorer", "exact_match", "--json")

    assert (left.code, left.error_code) == (130, "run_interrupted")
    assert "its batches go on at the provider" in left.document["error"]["message"]
    assert "eval-pipeline run retry batch-1 follows it again" in left.document["error"]["hint"]
    assert commands.json("run", "status", "batch-1")["state"] == "waiting"
    server.when_listed = lambda: None
    server.spoiled.clear()
    server.spoiled.update(dict.fromkeys(server.batches))
    again = commands("run", "retry", "batch-1", "--json")
    assert (again.code, again.document["counts"]["ok"], len(server.batches)) == (0, 1, 1)
