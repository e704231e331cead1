"""Claude from request to report, named in an endpoints file: live, by batches, and when its batches go wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.defs.batch_sensors import look_after_batches
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.claude_server import KEY, ClaudeServer, claude_server
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish

GOLDEN = "question,answer\n" + "".join(f"what is q{number}?,{number}\n" for number in range(5))
RUN = ("--dataset", "golden", "--model", "claude/claude-sonnet-5", "--scorer", "exact_match", "--json")
USED = {f"what is q{number}?": 1 for number in range(5)}
ENDPOINTS = "endpoints:\n  claude: {{protocol: anthropic, base_url: '{url}', key: '${{CLAUDE_KEY}}', batches: true}}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[ClaudeServer]:
    with claude_server() as running:
        yield running


@pytest.fixture
def commands(tmp_path: Path, server: ClaudeServer) -> Commands:
    server.begin_anew()
    (tmp_path / "endpoints.yaml").write_text(ENDPOINTS.format(url=server.url))
    commands = Commands(
        tmp_path,
        EVAL_ENDPOINTS_FILE=str(tmp_path / "endpoints.yaml"),
        CLAUDE_KEY=KEY,
        EVAL_BATCH_POLL_SECONDS="0.1",
        EVAL_BATCH_CREATE_TIMEOUT_SECONDS="1",
        NO_PROXY="127.0.0.1",
    )
    furnish(commands.home)
    commands.add("golden", GOLDEN)
    return commands


def run(commands: Commands, *options: str, **variables: str) -> dict[str, Any]:
    ended = commands("text", "run", "claude-1", *RUN, *options, **variables)
    return {**ended.document, "exit": ended.code}


def errors_of(commands: Commands) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in commands.json("text", "show", "claude-1", "--detail")["traces"]:
        if item["error"]:
            found[item["error"]["code"]] = found.get(item["error"]["code"], 0) + 1
    return found


def test_live_and_batch_ask_the_same_and_a_batch_costs_half(commands: Commands, server: ClaudeServer) -> None:
    batch = run(commands)
    live = commands("text", "run", "claude-2", *RUN, "--mode", "fast").document

    assert (batch["exit"], batch["counts"]["ok"], live["counts"]["ok"]) == (0, 5, 5)
    half, whole = batch["cost"]["response"], live["cost"]["response"]
    assert (half["rate"], whole["rate"], half["model"]) == ("batch", "standard", "claude-sonnet-5")
    assert half["total_tokens"] == whole["total_tokens"]
    assert half["cost_usd"] == pytest.approx(whole["cost_usd"] / 2)
    assert half["input_tokens"] == server.counts()["messages"]["tokens"]["input"]
    assert server.executed == USED
    shown = commands.json("text", "show", "claude-1", "--detail")
    assert all(item["llm_answer"].startswith("You asked: what is q") for item in shown["traces"])
    stored = b"".join(content for _, content in commands.everything_stored())
    assert KEY.encode() not in stored


RECOVERED = [
    ("all_well", 1),
    ("out_of_order", 1),
    ("expired_partial", 2),
    ("expired_no_files", 2),
    ("token_limit_on_create", 1),
    ("create_529", 1),
    ("one_429", 2),
    ("one_error", 2),
    ("missing_line", 2),
    ("duplicate_line", 1),
    ("unknown_line", 1),
    ("cut_last_line", 2),
    ("poll_500", 1),
    ("short_download", 1),
    ("reset_download", 1),
    ("create_accepted_dropped", 1),
    ("unknown_status", 1),
    ("late_files", 1),
    ("u2028", 1),
]
QUICK = {"create_accepted_dropped"}
TWICE = {"missing_line", "cut_last_line"}
"""What the provider executed and its results lost."""


@pytest.mark.parametrize(
    ("scenario", "batches"),
    [pytest.param(*case, marks=[] if case[0] in QUICK else pytest.mark.slow, id=case[0]) for case in RECOVERED],
)
def test_what_can_be_recovered_ends_well_and_is_paid_once(
    commands: Commands, server: ClaudeServer, scenario: str, batches: int
) -> None:
    server.begin_anew(scenario)

    document = run(commands)

    assert (document["exit"], document["state"], document["counts"]["ok"]) == (0, "completed", 5)
    assert server.made == batches
    assert max(server.executed.values()) == (2 if scenario in TWICE else 1)
    assert set(server.keys().values()) == {1}, "no request of one submission was executed twice"
    assert all(sum(job["outcomes"].values()) == job["requests"] for job in document["batches"] if job["outcomes"])


FINAL = {
    "cancelled_no_files": (0, "failed", "batch_cancelled"),
    "all_bad_request": (0, "failed", "invalid_request_error"),
    "one_400": (4, "failed", "invalid_request_error"),
    "result_404": (0, "missing", "result_lost"),
    "max_tokens": (0, "incomplete", "max_tokens"),
}


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(name, marks=[] if name == "all_bad_request" else pytest.mark.slow) for name in FINAL],
)
def test_what_is_final_is_told_in_the_providers_words_and_not_sent_again(
    commands: Commands, server: ClaudeServer, scenario: str
) -> None:
    ok, status, code = FINAL[scenario]
    server.begin_anew(scenario)

    document = run(commands, EVAL_BATCH_LOST_SECONDS="0")

    assert document["exit"] == (0 if ok else 100)
    assert (document["counts"]["ok"], document["counts"]["by_status"][status]) == (ok, 5 - ok)
    assert server.made == 1
    assert errors_of(commands) == {code: 5 - ok}


def test_a_waiting_run_is_taken_on_by_the_sensor_of_its_protocol(commands: Commands, server: ClaudeServer) -> None:
    server.begin_anew("create_accepted_dropped", polls=2)
    key = RunKey(project="default", run="claude-1")
    claimed = commands("text", "run", "claude-1", *RUN, "--no-wait")
    assert claimed.code == 0
    assert commands.make_stages(key, "spec", "dataset", "response_batch") is None
    status = commands.json("run", "status", "claude-1")
    assert [job["state"] for job in status["batches"]] == ["intent"]
    assert "may be its batch" in str(status)

    variables = {
        "EVAL_PIPELINE_HOME": str(commands.home),
        "EVAL_ENDPOINTS_FILE": str(commands.folder / "endpoints.yaml"),
        "CLAUDE_KEY": KEY,
        "EVAL_BATCH_POLL_SECONDS": "0.1",
        "NO_PROXY": "127.0.0.1",
    }
    with dg.DagsterInstance.ephemeral() as instance:
        deployment = Deployment(environ=variables)
        try:
            for _ in range(12):
                with dg.build_sensor_context(instance=instance) as context:
                    answer = look_after_batches(context, deployment, family="anthropic")
                if isinstance(answer, dg.SensorResult) and answer.run_requests:
                    break
        finally:
            deployment.close()
    assert isinstance(answer, dg.SensorResult)
    [request] = answer.run_requests or []
    assert request.partition_key == "claude-1"

    assert commands.make_stages(key, "responses", "scores", "report") is None
    assert commands.json("text", "show", "claude-1")["counts"]["ok"] == 5
    assert (server.made, server.executed) == (1, USED)


def test_what_claude_does_not_have_is_said_before_anything_is_sent(commands: Commands, server: ClaudeServer) -> None:
    asked = server.counts()["messages"]["requests"]
    vectors = commands("text", "run", "v", *RUN, "--scorer", "cosine_similarity", "--embedding-model", "claude/x")
    (commands.folder / "seeded.yaml").write_text("model_body: {seed: 1}\n")
    seeded = commands("text", "run", "s", *RUN, "--config", "seeded.yaml")

    assert (vectors.code, vectors.error_code) == (1, "not_offered_by_endpoint")
    assert "name another endpoint for the embeddings" in vectors.document["error"]["hint"]
    assert (seeded.code, seeded.error_code) == (1, "invalid_config")
    assert "'seed'" in seeded.document["error"]["message"]
    assert (server.made, server.counts()["messages"]["requests"]) == (0, asked)


def test_doctor_finds_what_the_server_has_though_its_address_names_no_version(
    commands: Commands, server: ClaudeServer
) -> None:
    told = commands("doctor").out

    assert f"{server.url}/v1/models accepts the key" in told
    assert "/messages yes, /messages/batches yes" in told
    assert server.made == 0


@pytest.mark.slow
def test_a_wrong_key_is_an_action_for_a_person_and_loses_nothing(commands: Commands, server: ClaudeServer) -> None:
    server.set("faults", [{"kind": "unauthorized", "endpoint": "batches.create"}])
    refused = commands("text", "run", "claude-1", *RUN)
    assert (refused.code, refused.error_code) == (1, "provider_account")
    assert "CLAUDE_KEY" in refused.document["error"]["hint"]

    server.set("faults", [])
    again = commands("run", "retry", "claude-1", "--json")
    assert (again.code, again.document["counts"]["ok"], server.made) == (0, 5, 1)


@pytest.mark.slow
def test_a_run_that_is_cancelled_stops_what_may_be_its_batch_once_that_is_known(
    commands: Commands, server: ClaudeServer
) -> None:
    server.begin_anew(polls=50)
    assert commands("text", "run", "claude-1", *RUN, "--no-wait").code == 0
    key = RunKey(project="default", run="claude-1")
    assert commands.make_stages(key, "spec", "dataset", "response_batch") is None

    cancelled = commands("run", "cancel", "claude-1", "--json")

    assert cancelled.code == 0, cancelled
    assert server.calls("batches.cancel") == 1
    commands.make_stages(key, "responses")
    assert commands.json("run", "status", "claude-1")["state"] == "cancelled"
    assert (server.made, sum(server.executed.values())) == (1, 0)


@pytest.mark.slow
def test_a_rotated_key_of_the_same_workspace_takes_its_batches_over(commands: Commands, server: ClaudeServer) -> None:
    server.begin_anew(polls=3)
    assert commands("text", "run", "claude-1", *RUN, "--no-wait").code == 0
    key = RunKey(project="default", run="claude-1")
    assert commands.make_stages(key) is None

    taken_over = commands("run", "retry", "claude-1", "--json", CLAUDE_KEY="sk-ant-the-next-key")

    assert (taken_over.code, taken_over.document["counts"]["ok"]) == (0, 5)
    assert (server.made, server.executed) == (1, USED)
