"""Sessions judged through the command line: whole runs, kills in the middle, two runs; what is paid, is counted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.runs.panels.room import Servers, judge_servers

EXPERTS = 4
CANARIES = 3 * 4 * 3
"""Three sessions, four payloads, the experts that rate the main axis."""
OUTCOME = "You look at outcomes"


def session(number: int, *, text: str = "") -> dict[str, Any]:
    call = {"id": "c1", "name": "cancel", "arguments": {"order": number}}
    return {
        "schema": "eval_pipeline.session/1",
        "session_id": f"s{number:03d}",
        "last_active": f"2026-01-{1 + number % 28:02d}T10:00:00Z",
        "messages": [
            {"role": "user", "content": f"Please cancel order {number}. {text}"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": f"order {number}: cancelled"},
            {"role": "assistant", "content": f"Your order {number} is cancelled."},
        ],
    }


def ingested(commands: Commands, *sessions: dict[str, Any]) -> None:
    path = commands.folder / "sessions.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in sessions))
    commands.json("session", "ingest", str(path))


@pytest.fixture
def servers() -> Iterator[Servers]:
    with judge_servers() as started:
        yield started


@pytest.fixture
def commands(tmp_path: Path, servers: Servers) -> Commands:
    return Commands(tmp_path, **servers.environ(), EVAL_BATCH_POLL_SECONDS="0.1")


def test_sessions_are_judged_live_and_another_run_pays_for_nothing_twice(commands: Commands, servers: Servers) -> None:
    ingested(commands, *map(session, range(5)))
    estimate = commands.json("session", "run", "first", "--mode", "fast", "--estimate")["estimate"]
    assert (estimate["items"], set(estimate["stages"])) == (20, {"outcome", "operator", "dialogue", "auditor"})
    assert servers.requests() == 0

    shown = commands.json("session", "run", "first", "--mode", "fast", "--concurrency", "8")
    assert (shown["state"], shown["counts"]["ok"], shown["counts"]["failed"]) == ("completed", 20, 0)
    assert shown["checks"]["judgements"]["parse_failures"]["passed"]
    assert set(shown["canaries"]) == {"outcome", "dialogue", "auditor"}
    assert servers.requests() == 20 + CANARIES
    # an estimate is of the same size as what it was
    assert shown["cost"]["total_cost_usd"] < 3 * estimate["total_cost_usd"]

    nothing = commands("session", "run", "second", "--mode", "fast", "--json")
    assert (nothing.code, nothing.error_code) == (1, "no_sessions")
    ingested(commands, session(5))
    again = commands.json("session", "run", "third", "--mode", "fast", "--scope", "all")
    assert again["counts"]["ok"] == 24
    assert servers.requests() <= 20 + CANARIES + EXPERTS + CANARIES, "what is there is taken over"
    detail = commands.json("session", "show", "third", "--detail", "--run")["judgements"]
    assert [row["taken_from_run"] for row in detail if row["variant"] == "plain"] == ["first"] * 20 + [None] * 4
    assert commands.json("run", "list", "--flow", "session_eval")["total"] == 2


def test_an_unknown_session_and_a_text_that_changes_under_its_label_are_refused(commands: Commands) -> None:
    ingested(commands, session(1))
    unknown = commands("session", "run", "first", "--session", "nobody", "--json")
    assert (unknown.code, unknown.error_code) == (1, "session_not_found")

    from eval_pipeline.judging import built_in  # noqa: PLC0415 - where the panel's text lies

    text = (Path(built_in.__file__).parent / "sessions.yaml").read_text()
    panel = commands.folder / "panel.yaml"
    panel.write_text(text.replace("version: sessions-1", "version: ours-1"))
    options = ("--mode", "fast", "--panel", "panel.yaml")
    assert commands("session", "run", "first", *options).code == 0
    panel.write_text(panel.read_text().replace("You look at outcomes", "You look at results"))
    changed = commands("session", "run", "second", *options, "--scope", "all", "--json")
    assert (changed.code, changed.error_code) == (1, "panel_label_taken")
    assert "version" in changed.document["error"]["hint"]


@pytest.mark.slow
def test_a_run_killed_in_the_middle_asks_only_what_is_missing(tmp_path: Path) -> None:
    with judge_servers(latency_s=0.2) as servers:
        commands = Commands(tmp_path, **servers.environ())
        ingested(commands, *map(session, range(20)))
        with commands.begin("session", "run", "killed", "--mode", "fast", "--concurrency", "8") as process:
            while servers.requests() < 40:
                assert process.poll() is None, process.communicate()
            process.kill()
            process.wait()
        before = servers.requests()
        assert before < 20 * EXPERTS
        shown = commands.json("session", "show", "killed", "--run", "--detail")
        assert (shown["state"], shown["counts"]["total"]) == ("interrupted", 80)
        assert 0 < shown["counts"]["ok"] < 80
        each = {one["session_id"]: one for one in shown["sessions_so_far"]}
        assert len(each) == 20
        assert {"ok", "pending"} <= {one["state"] for one in each.values()} <= {"ok", "running", "pending"}
        assert all(one["average"] > 0 for one in each.values() if one["state"] == "ok")
        shown = commands.json("run", "retry", "killed")

    assert (shown["state"], shown["counts"]["ok"]) == ("completed", 80)
    assert servers.requests() <= 80 + CANARIES + 8, "at most the calls under way are repeated"


def test_one_dead_expert_leaves_partial_sessions_and_a_retry_completes_them(
    commands: Commands, servers: Servers
) -> None:
    ingested(commands, *map(session, range(6)))
    with servers.going_wrong({"kind": "unauthorized", "match": OUTCOME}):
        shown = commands.json("session", "run", "first", "--mode", "fast", "--concurrency", "4")
    assert (shown["state"], shown["counts"]["ok"], shown["counts"]["failed"]) == ("completed", 18, 6)
    [warning] = [one for one in shown["warnings"] if one["code"] == "expert_not_asked"]
    assert warning["message"].startswith("outcome: ")

    again = commands.json("run", "retry", "first")
    assert (again["state"], again["counts"]["ok"]) == ("completed", 24)


def test_too_many_failures_fail_the_run_after_all_is_stored(commands: Commands, servers: Servers) -> None:
    ingested(commands, *map(session, range(3)))
    with servers.going_wrong({"kind": "verdict_prose", "sticky": True}):
        ended = commands("session", "run", "first", "--mode", "fast", "--json")
    assert ended.code == 100
    shown = ended.document
    assert (shown["state"], shown["error"]["code"]) == ("failed", "failure_threshold_breached")
    assert (shown["counts"]["ok"], shown["counts"]["by_status"]["parse_failed"]) == (3, 9)
    assert shown["report"]


@pytest.mark.slow
def test_a_batch_run_killed_between_submitting_and_collecting_pays_for_nothing_twice(
    commands: Commands, servers: Servers
) -> None:
    ingested(commands, *map(session, range(6)))
    with commands.begin("session", "run", "killed", "--mode", "batch", EVAL_BATCH_POLL_SECONDS="5") as process:
        while servers.in_batches()["created"] < 4:
            assert process.poll() is None, process.communicate()
        process.kill()
        process.wait()
    shown = commands.json("run", "retry", "killed")
    assert (shown["state"], shown["mode"], shown["counts"]["ok"]) == ("completed", "batch", 24)
    assert shown["cost"]["total_cost_usd"] > 0
    assert servers.in_batches() == {"created": 4, "executed": 24 + CANARIES}
