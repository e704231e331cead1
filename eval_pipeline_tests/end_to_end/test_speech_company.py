"""A speech run in company: another process works on it, another run goes beside it, a text run has its name."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.flow import plan_of
from eval_pipeline_tests.commands import PATIENCE_S, ended
from eval_pipeline_tests.listening import FLASH, PRO, RUN, Studio, recordings, studio

pytestmark = pytest.mark.slow

CLIPS = recordings(4)
LONGER_THAN_ANY_LOOK_S = 4
COLLECTING = plan_of(Flow.STT).stages_from("transcripts")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path, CLIPS) as opened:
        opened.gemini.spoil_batches({"scenario": "stuck"})
        yield opened


def wait_until(made: Studio, state: str) -> None:
    """Look until a run stands somewhere; every look is a command."""
    for _ in range(1_000):
        if made.commands("run", "status", RUN, "--json").code == 0 and made.state() == state:
            return
    pytest.fail(f"the run is {made.state()}, not {state}")


def test_a_command_that_waits_watches_the_process_that_takes_the_run_from_it(made: Studio) -> None:
    """As beside a daemon: the command looks seldom, the other one comes first."""
    arguments = ("stt", "run", RUN, "--dataset", "clips", "--model", FLASH, "--json")
    with made.commands.begin(*arguments, EVAL_BATCH_POLL_SECONDS="30") as follower:
        wait_until(made, "waiting")
        made.gemini.force("SUCCEEDED", done=4)
        made.gemini.door.hold("GET", ":download")
        with made.commands.begin("run", "retry", RUN, "--json") as worker:
            assert made.gemini.door.reached.wait(PATIENCE_S)
            with pytest.raises(subprocess.TimeoutExpired):
                follower.wait(LONGER_THAN_ANY_LOOK_S)
            second = made.make_stages(*COLLECTING)
            running = made.commands.json("run", "status", RUN)
            made.gemini.door.opened.set()
            assert ended(worker).code == 0
        watched = ended(follower)

    assert (second is None or second.code == "stage_in_use", running["state"]) == (True, "running")
    assert running["worker"]["pid"] == worker.pid
    assert (watched.code, watched.document["state"], watched.document["counts"]["ok"]) == (0, "completed", 4)
    assert (len(made.gemini.batches()), set(made.gemini.executed().values())) == (1, {1})


def test_two_runs_at_once_keep_to_their_own_clips_and_batches(made: Studio) -> None:
    made.submit(models=(FLASH, PRO))
    made.submit(run="clips-2")
    made.gemini.force("SUCCEEDED", done=4)

    first = made("run", "retry", RUN, "--json")
    left = len(made.gemini.clips())
    second = made("run", "retry", "clips-2", "--json")

    assert (first.code, first.document["counts"]["ok"]) == (0, 8)
    assert (second.code, second.document["counts"]["ok"]) == (0, 4)
    assert (left, made.gemini.clips()) == (4, [])
    assert made.gemini.counts()["batches"]["executed"] == 12


def test_a_cancelled_run_keeps_what_was_done_and_goes_on_with_the_rest(made: Studio) -> None:
    made.submit()
    made.gemini.spoil_batches()
    cancelled = made.commands.json("run", "cancel", RUN)
    states = [batch["metadata"]["state"] for batch in made.gemini.batches()]

    again = made("run", "retry", RUN, "--json")

    assert cancelled["state"] == "cancelled"
    assert "BATCH_STATE_SUCCEEDED" not in states
    assert (again.code, again.document["state"], again.document["counts"]["ok"]) == (0, "completed", 4)
    assert set(made.gemini.executed().values()) == {1}


def test_a_refreshed_run_is_paid_again_and_its_old_batch_is_cancelled(made: Studio) -> None:
    made.submit()
    made.gemini.spoil_batches()

    again = made("run", "retry", RUN, "--refresh", "--json")
    once = made.gemini.executed()
    twice = made("run", "retry", RUN, "--refresh", "--json")

    assert (again.code, twice.code, twice.document["counts"]["ok"]) == (0, 0, 4)
    assert set(once.values()) == {1}
    assert set(made.gemini.executed().values()) == {2}


def test_a_limit_that_nothing_would_keep_to_is_refused(made: Studio) -> None:
    made.submit()

    refused = made("run", "retry", RUN, "--max-cost-usd", "0.01", "--json")

    assert (refused.code, refused.error_code) == (1, "budget_unsupported")
    assert made.state() == "waiting"


def test_a_deleted_run_leaves_its_name_free(made: Studio) -> None:
    made.gemini.spoil_batches()
    assert made.run().code == 0

    assert made.commands.json("run", "delete", RUN, "--yes", "--flow", "stt_eval")["deleted"]
    assert made("run", "status", RUN, "--json").error_code == "run_not_found"
    ended_again = made.run()

    assert (ended_again.code, ended_again.document["counts"]["ok"]) == (0, 4)


def test_a_text_run_of_the_same_name_is_another_run(made: Studio) -> None:
    made.commands.add("golden", "question,answer\nwhat is 1?,1\nwhat is 2?,2\n")
    text = ("text", "run", RUN, "--dataset", "golden", "--scorer", "exact_match", "--model", "gpt-4o-mini", "--json")
    made.submit()

    assert made(*text).code == 0
    assert made("run", "status", RUN, "--json").error_code == "run_name_ambiguous"
    made.commands.json("run", "cancel", RUN, "--flow", "stt_eval")
    assert made.state() == "cancelled"
    assert made.commands.json("run", "status", RUN, "--flow", "text_eval")["state"] == "completed"
    made.gemini.spoil_batches()
    again = made("run", "retry", RUN, "--flow", "stt_eval", "--json")
    made.commands.json("run", "delete", RUN, "--yes", "--flow", "text_eval")

    assert (again.code, made.state()) == (0, "completed")
    assert made.shown()["counts"]["ok"] == 4
