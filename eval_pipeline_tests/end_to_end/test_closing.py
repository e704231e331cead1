"""Batches whose results nobody wants any more: nothing that is out is forgotten, and nothing runs unseen."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.closing import ABSENT
from eval_pipeline.dispatch.leases import hold
from eval_pipeline.runs.control import reopen
from eval_pipeline.runs.deleting import OpenBatches, delete
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.end_to_end.test_batch_cancel import GOLDEN, KEY, RUN, batches, look, status, submit, variables
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.storage.records import change_run


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


def statuses(server: BatchServer) -> list[str]:
    return [batch["status"] for batch in server.batches.values()]


def test_a_run_is_deleted_once_its_batches_are_settled_and_not_unasked(commands: Commands, server: BatchServer) -> None:
    server.scenario = "stuck"
    submit(commands)

    refused = commands("run", "delete", KEY.run, "--yes", "--json")

    assert (refused.code, refused.error_code) == (1, "batches_open")
    assert "3 batches with 6 requests" in refused.out
    assert status(commands)["state"] == "waiting"
    assert statuses(server) == ["validating"] * 3

    server.key = "sk-another"  # the provider does not take our key just now
    unsettled = commands("run", "delete", KEY.run, "--yes", "--cancel-batches", "--json")
    assert (unsettled.code, unsettled.error_code) == (1, "batches_unsettled")
    assert status(commands)["state"] == "deleting"
    assert commands("run", "retry", KEY.run, "--json").error_code == "run_being_deleted"

    server.key = None
    assert commands.json("run", "delete", KEY.run, "--yes", "--cancel-batches")["deleted"]
    assert statuses(server) == ["cancelled"] * 3
    assert commands("run", "status", KEY.run, "--json").error_code == "run_not_found"
    assert not list((commands.home / "store" / "text_eval").rglob("*.jsonl"))
    submit(commands)
    assert set(server.keys().values()) == {1}, "the name is free, and its requests have keys of their own"


def test_a_creation_that_nobody_could_settle_keeps_a_run_from_being_deleted_until_it_is_found(
    commands: Commands, server: BatchServer
) -> None:
    server.scenario = "create_accepted_dropped"
    server.unlisted.add("batch_0")
    submit(commands)

    unsettled = commands("run", "delete", KEY.run, "--yes", "--cancel-batches", "--json")
    assert unsettled.error_code == "batches_unsettled"
    assert "nobody knows yet whether it was created" in unsettled.out

    server.unlisted.clear()
    assert commands.json("run", "delete", KEY.run, "--yes", "--cancel-batches")["deleted"]
    assert server.batches["batch_0"]["status"] == "cancelled"
    assert not {"validating", "in_progress"} & set(statuses(server))


def test_asking_anew_stops_a_batch_that_turns_up_later(commands: Commands, server: BatchServer) -> None:
    server.scenario = "create_accepted_dropped"
    server.unlisted.add("batch_0")
    submit(commands)

    ask_anew(commands)
    assert server.batches["batch_0"]["status"] == "validating", "nobody knows of it yet"
    assert len(server.batches) == 6

    server.unlisted.clear()
    look(commands, server)
    assert server.batches["batch_0"]["status"] == "cancelled"
    look(commands, server)
    assert batches(commands)[0]["state"] == "cancelled"
    ended = commands("run", "retry", KEY.run, "--json")
    assert (ended.code, ended.document["state"], ended.document["counts"]["ok"]) == (0, "completed", 6)
    assert set(server.keys().values()) == {1}
    assert sum(server.executed.values()) == 10, "nothing of the batch that turned up was executed"


def test_asking_anew_goes_on_where_a_batch_is_gone(commands: Commands, server: BatchServer) -> None:
    server.scenario = "stuck"
    submit(commands)
    del server.batches["batch_0"]

    ask_anew(commands)

    [gone, *_] = batches(commands)
    assert (gone["state"], gone["anomalies"]) == ("cancelled", [ABSENT])
    assert len(server.batches) == 5


def test_asking_anew_stops_what_was_called_lost_and_never_takes_it_back(
    commands: Commands, server: BatchServer
) -> None:
    server.scenario, server.times = "files_later", 10**6
    assert commands("text", "run", KEY.run, *RUN, "--json", EVAL_BATCH_LOST_SECONDS="0").code == 100
    assert {job["state"] for job in batches(commands)} == {"lost"}
    server.scenario = None

    ask_anew(commands)

    lost = batches(commands)[:3]
    assert {(job["state"], job["error"] and job["error"]["code"]) for job in lost} == {("cancelled", "superseded")}
    assert all("may have been charged" in job["anomalies"][-1] for job in lost)
    ended = commands("run", "retry", KEY.run, "--json")
    assert (ended.code, ended.document["counts"]["ok"], len(server.batches)) == (0, 6, 6)


def ask_anew(commands: Commands) -> None:
    """Start the answers over, as a daemon does."""
    assert commands("run", "retry", KEY.run, "--refresh", "--no-wait", "--json").code == 0
    assert commands.make_stages(KEY, *plan_of(Flow.TEXT).stages_from("responses"), refresh=True) is None


def test_nobody_takes_a_run_up_while_it_is_deleted(commands: Commands, server: BatchServer) -> None:
    submit(commands)
    environ = {"EVAL_PIPELINE_HOME": str(commands.home), **variables(server)}
    responses = StageRef(flow=Flow.TEXT, key=KEY, stage="responses")
    with closing(Deployment(environ=environ)) as ours, closing(Deployment(environ=environ)) as theirs:
        with hold(theirs.ledger, responses.prefix, worker=theirs.worker), pytest.raises(ConflictError) as held:
            delete(ours, flow=Flow.TEXT, key=KEY, batches=OpenBatches.CANCEL)
        assert held.value.code == "stage_in_use"
        assert statuses(server) == ["validating"] * 3, "whoever makes the stage is left alone"

        reopen(theirs, flow=Flow.TEXT, key=KEY, max_cost_usd=None, here=True)
        with pytest.raises(ConflictError) as taken_up:
            delete(ours, flow=Flow.TEXT, key=KEY, batches=OpenBatches.CANCEL)
        assert taken_up.value.code == "run_in_progress"

        change_run(ours.ledger, key=KEY, state=RunState.DELETING, worker=None)
        problem = commands.make_stages(KEY, "responses")
        assert problem is not None
        assert problem.code == "run_being_deleted"
    assert statuses(server) == ["validating"] * 3
