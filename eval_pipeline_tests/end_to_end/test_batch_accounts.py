"""Batches of several installations, keys and clocks at one provider, looked after by the sensor over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.defs import batch_sensors
from eval_pipeline.defs.batch_sensors import FRESHNESS_CHECK, look_after_batches
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.dispatch.submit import Desk, utc_now
from eval_pipeline.runs import batch_polling
from eval_pipeline.runs import batches as batch_runs
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.batch_server import BatchServer, batch_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish

GOLDEN = "question,answer\n" + "".join(f"what is {number}?,{number}\n" for number in range(5))
RUN = ("--dataset", "golden", "--scorer", "exact_match", "--model", "gpt-4o-mini")
KEY = RunKey(project="default", run="batch-1")
API_KEY = "sk-test-7f3a9c1e5b"
CHECK = dg.AssetCheckKey(dg.AssetKey(["text_eval", "response_batch"]), FRESHNESS_CHECK)
FINE = "every batch is within its window"


@dataclass
class Installation:
    """A home of its own, whose sensor ticks when it is told to."""

    commands: Commands
    environ: dict[str, str]
    cursor: str | None = None

    def submit(self) -> None:
        """Let a run submit its batches, as the daemon does."""
        assert self.commands("text", "run", KEY.run, *RUN, "--no-wait", "--json").code == 0
        assert self.commands.make_stages(KEY) is None
        assert self.state() == "waiting"

    def state(self) -> str:
        return str(self.commands.json("run", "status", KEY.run)["state"])

    def shown(self) -> Any:  # noqa: ANN401 - JSON
        return self.commands.json("text", "show", KEY.run)

    def batches(self) -> list[str]:
        """Return the provider's ids of the run's batches."""
        return [job["batch"] for job in self.shown()["batches"]]

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Open the home's own Dagster instance."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("EVAL_PIPELINE_HOME", str(self.commands.home))
            environment.delenv("DAGSTER_HOME", raising=False)
            with open_instance() as opened:
                yield opened

    def tick(self, **variables: str) -> tuple[list[dg.RunRequest], str]:
        """Let the sensor tick; returns what it asks for and what it says."""
        with self.instance() as instance, closing(Deployment(environ={**self.environ, **variables})) as deployment:
            context = dg.build_sensor_context(instance=instance, cursor=self.cursor)
            answer = look_after_batches(context, deployment, family=OPENAI)
        skipped = answer if isinstance(answer, dg.SkipReason) else answer.skip_reason
        self.cursor = context.cursor if isinstance(answer, dg.SkipReason) else answer.cursor
        requests = [] if isinstance(answer, dg.SkipReason) else list(answer.run_requests or [])
        return requests, str(skipped.skip_message) if isinstance(skipped, dg.SkipReason) else ""

    def tick_until_asked(self) -> dg.RunRequest:
        """Let the sensor tick until it asks for a run."""
        for _ in range(5):
            requests, _ = self.tick()
            if requests:
                [request] = requests
                return request
        pytest.fail("the sensor asked for no run")

    def execute(self, request: dg.RunRequest) -> None:
        """Do what the daemon does with a request."""
        assert request.partition_key == KEY.partition
        stages = [key.path[-1] for key in request.asset_selection or []]
        assert self.commands.make_stages(KEY, *stages) is None

    def judged(self) -> tuple[bool, str, dg.AssetCheckSeverity]:
        """Return the newest evaluation of the run's freshness check, as the UI shows it for the partition."""
        with self.instance() as instance:
            records = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=50)
        found = [record.event.asset_check_evaluation for record in records if record.event]
        mine = [one for one in found if one is not None and one.partition == KEY.partition]
        return mine[0].passed, mine[0].description or "", mine[0].severity


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as running:
        yield running


def install(folder: Path, server: BatchServer) -> Installation:
    """Make a home with the golden dataset in it."""
    folder.mkdir()
    variables = {
        "OPENAI_API_KEY": API_KEY,
        "OPENAI_BASE_URL": server.url,
        "EVAL_BATCH_POLL_SECONDS": "0.1",
        "NO_PROXY": "127.0.0.1",
    }
    commands = Commands(folder, **variables)
    furnish(commands.home)
    commands.add("golden", GOLDEN)
    return Installation(commands, {"EVAL_PIPELINE_HOME": str(commands.home), **variables})


@pytest.fixture
def ours(tmp_path: Path, server: BatchServer) -> Installation:
    return install(tmp_path / "ours", server)


def test_the_sensor_takes_a_run_from_its_batches_to_its_report(ours: Installation, server: BatchServer) -> None:
    assert ours.tick() == ([], "no batch is open")
    server.scenario = "stuck"
    ours.submit()
    assert ours.tick() == ([], "1 open batch, 1 call, 0 ended, 0 stages ready")
    server.spoiled["batch_0"] = None

    request = ours.tick_until_asked()
    ours.execute(request)

    assert [key.path[-1] for key in request.asset_selection or []] == list(plan_of(Flow.TEXT).stages_from("responses"))
    assert str(request.run_key).startswith("text_eval/batch-1/responses/")
    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert ours.tick() == ([], "no batch is open")
    assert set(server.executed.values()) == {1}


def test_a_run_whose_process_died_before_it_told_that_it_submitted_is_collected(
    ours: Installation, server: BatchServer
) -> None:
    """The command line is not retried by Dagster: only the sensor knows of its batch."""
    ours.submit()
    ref = StageRef(flow=Flow.TEXT, key=KEY, stage="response_batch")
    with closing(Deployment(environ=ours.environ)) as deployment:
        deployment.objects.delete(f"{ref.prefix}/manifest.json")
        assert deployment.stages.find(ref) is None

    request = ours.tick_until_asked()
    ours.execute(request)

    assert [key.path[-1] for key in request.asset_selection or []][:2] == ["response_batch", "responses"]
    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert (len(server.batches), set(server.executed.values())) == (1, {1})


def test_what_was_called_lost_is_taken_back_by_the_sensor_and_completes_the_run(
    ours: Installation, server: BatchServer
) -> None:
    server.scenario, server.times = "files_later", 10**6
    failed = ours.commands("text", "run", KEY.run, *RUN, "--json", EVAL_BATCH_LOST_SECONDS="0")
    assert (failed.code, failed.document["counts"]["by_status"]["missing"]) == (100, 5)
    server.scenario = None

    ours.execute(ours.tick_until_asked())

    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert (len(server.batches), set(server.executed.values())) == (1, {1})
    assert ours.tick() == ([], "no batch is open")


def test_a_refused_key_fails_a_check_and_nothing_else(ours: Installation, server: BatchServer) -> None:
    """A tick that raised would hide every other project; a run that failed would have to be taken up by hand."""
    ours.submit()
    assert ours.judged()[0], "the run's own check passes"
    server.key = "sk-another"

    for _ in range(2):
        requests, words = ours.tick()

        assert requests == []
        assert "paused: " in words
        assert "check OPENAI_API_KEY, OPENAI_BASE_URL and the account's credit; nothing is lost meanwhile" in words
        assert API_KEY not in words
    passed, told, severity = ours.judged()
    assert (passed, severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "HTTP 401" in told
    assert ours.state() == "waiting"

    server.key = None
    ours.execute(ours.tick_until_asked())

    assert ours.judged()[:2] == (True, FINE)
    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert (len(server.batches), set(server.executed.values())) == (1, {1})


def test_a_provider_that_fails_fails_no_tick_and_no_check(ours: Installation, server: BatchServer) -> None:
    ours.submit()
    server.scenario, server.times = "poll_500", 4

    for _ in range(4):
        requests, words = ours.tick()
        assert requests == []
        assert "HTTP 500: boom" in words
    assert ours.judged()[0]
    assert ours.state() == "waiting"

    ours.execute(ours.tick_until_asked())
    assert (ours.state(), set(server.executed.values())) == ("completed", {1})


def test_a_batch_past_its_window_fails_the_check_of_its_run_until_it_has_ended(
    ours: Installation, server: BatchServer
) -> None:
    server.scenario = "stuck"
    ours.submit()
    server.batches["batch_0"]["created_at"] -= 2 * 86_400

    _, words = ours.tick()
    assert "is overdue; cancelling it to save what is done" in words
    assert server.batches["batch_0"]["status"] == "cancelled"
    passed, told, severity = ours.judged()
    assert (passed, severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "batch batch_0 is open for longer than its window" in told
    ours.execute(ours.tick_until_asked())  # collects two items, sends three again
    ours.execute(ours.tick_until_asked())

    assert ours.judged()[0]
    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert set(server.executed.values()) == {1}


def test_two_installations_with_equal_runs_on_one_account_keep_to_their_own_batches(
    tmp_path: Path, ours: Installation, server: BatchServer
) -> None:
    """Same project, run, file and key: only the ledgers differ."""
    theirs = install(tmp_path / "theirs", server)
    ours.submit()
    theirs.submit()
    assert (ours.batches(), theirs.batches()) == (["batch_0"], ["batch_1"])
    server.spoiled["batch_1"] = "stuck"

    theirs.commands.json("run", "cancel", KEY.run)
    ours.execute(ours.tick_until_asked())

    assert [batch["status"] for batch in server.batches.values()] == ["completed", "cancelled"]
    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert theirs.state() == "cancelled"
    again = theirs.commands("run", "retry", KEY.run, "--json")
    assert (again.code, again.document["counts"]["ok"]) == (0, 5)
    assert (ours.batches(), theirs.batches()) == (["batch_0"], ["batch_1", "batch_2"])
    assert set(server.keys().values()) == {1}
    assert set(server.executed.values()) == {2}, "once for each installation"


def test_a_lost_answer_is_not_found_in_the_batch_of_another_installation(
    tmp_path: Path, ours: Installation, server: BatchServer
) -> None:
    """Both have submitted the same bytes; one of them does not know whether its creation arrived."""
    theirs = install(tmp_path / "theirs", server)
    theirs.submit()
    server.scenario = "create_accepted_dropped"

    assert ours.commands("text", "run", KEY.run, *RUN, "--json").code == 0

    assert (ours.batches(), theirs.batches()) == (["batch_1"], ["batch_0"])
    assert server.calls["create"] == 2


def test_a_run_goes_on_when_the_key_of_its_account_was_rotated(ours: Installation, server: BatchServer) -> None:
    ours.submit()
    ours.environ["OPENAI_API_KEY"] = server.key = "sk-rotated"

    ours.tick()
    request = ours.tick_until_asked()
    stages = [key.path[-1] for key in request.asset_selection or []]
    rotated = Commands(ours.commands.folder, **ours.environ)

    assert rotated.make_stages(KEY, *stages) is None
    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert (len(server.batches), set(server.executed.values())) == (1, {1})


@pytest.mark.parametrize("scenario", ["create_accepted_dropped", "create_dropped", "missing"])
def test_what_lies_under_a_former_key_is_found_collected_and_paid_once(
    ours: Installation, server: BatchServer, scenario: str
) -> None:
    """The new key is of another account, which knows nothing of what went out; what is asked next goes out there."""
    server.apart, server.scenario = True, scenario
    server.unlisted.add("batch_0")
    ours.environ["EVAL_BATCH_CREATE_TIMEOUT_SECONDS"] = "0.1"
    ours.submit()
    ours.environ |= {"OPENAI_API_KEY": "sk-of-another-account", "OPENAI_FORMER_API_KEYS": f"sk-revoked, {API_KEY}"}
    rotated = Commands(ours.commands.folder, **ours.environ)
    if scenario == "create_dropped":
        server.ahead_s = 200
    else:
        server.unlisted.clear()

    for _ in range(3):
        request = ours.tick_until_asked()
        stages = [key.path[-1] for key in request.asset_selection or []]
        assert rotated.make_stages(KEY, *stages) is None
        if ours.state() == "completed":
            break

    assert (ours.state(), ours.shown()["counts"]["ok"]) == ("completed", 5)
    assert set(server.executed.values()) == {1}
    owners = [server.owners[batch] for batch in server.batches]
    new, old = "Bearer sk-of-another-account", f"Bearer {API_KEY}"
    assert owners == {"create_accepted_dropped": [old], "create_dropped": [new], "missing": [old, new]}[scenario]


def test_a_run_is_cancelled_under_the_key_that_it_went_out_with(ours: Installation, server: BatchServer) -> None:
    server.apart, server.scenario = True, "stuck"
    ours.submit()
    ours.environ |= {"OPENAI_API_KEY": "sk-of-another-account", "OPENAI_FORMER_API_KEYS": API_KEY}

    Commands(ours.commands.folder, **ours.environ).json("run", "cancel", KEY.run)

    assert [batch["status"] for batch in server.batches.values()] == ["cancelled"]


def test_a_key_of_another_account_leaves_a_run_waiting_for_its_own(
    tmp_path: Path, ours: Installation, server: BatchServer
) -> None:
    """The other account has a batch of the same number, which is somebody else's."""
    ours.submit()
    with batch_server() as elsewhere:
        theirs = install(tmp_path / "theirs", elsewhere)
        theirs.submit()
        for _ in range(3):
            requests, words = ours.tick(OPENAI_BASE_URL=elsewhere.url, OPENAI_API_KEY="sk-elsewhere")
            assert requests == []
            assert f"to another address ({server.url})" in words
        assert "give OPENAI_API_KEY and OPENAI_BASE_URL of that account back" in ours.judged()[1]
        assert "cancelled" not in {batch["status"] for batch in elsewhere.batches.values()}

    ours.execute(ours.tick_until_asked())

    assert (ours.state(), ours.judged()[:2]) == ("completed", (True, FINE))
    assert (len(server.batches), set(server.executed.values())) == (1, {1})


class JumpingClock:
    """Our clock, which is a day ahead and a day back by turns; the provider's goes on as it does."""

    def __init__(self) -> None:
        self.reads = 0
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self.reads += 1
            return utc_now() + timedelta(days=1 if self.reads % 2 else -1)


@pytest.mark.parametrize("scenario", ["one_429", "create_accepted_dropped", "token_limit"])
def test_a_clock_that_jumps_loses_nothing_and_doubles_nothing(
    ours: Installation, server: BatchServer, monkeypatch: pytest.MonkeyPatch, scenario: str
) -> None:
    clock = JumpingClock()
    monkeypatch.setattr(batch_runs, "Desk", partial(Desk, now=clock))
    for module in (batch_polling, batch_sensors):
        monkeypatch.setattr(module, "utc_now", clock)
    server.scenario = scenario

    ended = ours.commands("text", "run", KEY.run, *RUN, "--json")

    assert clock.reads > 5
    assert (ended.code, ended.document["state"], ended.document["counts"]["ok"]) == (0, "completed", 5)
    assert set(server.keys().values()) == {1}
    assert set(server.executed.values()) == {1}
