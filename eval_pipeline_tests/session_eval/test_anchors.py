"""Anchor sets on the command line: frozen, judged again whatever was judged before, and held against their baseline."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import dagster as dg
import httpx
import pytest
import yaml

from eval_pipeline.definitions import defs
from eval_pipeline.defs.resources import deployment_resource
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.runs.panels.room import Servers, judge_servers
from eval_pipeline_tests.session_eval.homes import brought_in, lines
from eval_pipeline_tests.session_eval.test_views import recorded

COUNT = 32
FEWEST = 30
OUTCOME = "You look at outcomes."
RENAMED = {"kind": "other_model", "message": "judge-of-march"}


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with judge_servers() as running:
        yield running


@pytest.fixture(scope="module")
def command(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """Give a project whose sessions the run ``first`` judged."""
    folder = tmp_path_factory.mktemp("anchors")
    command = Commands(folder, **servers.environ())
    take_in(command, recorded(COUNT))
    judge(command, "first")
    return command


def panel_file(command: Commands, version: str, *changes: tuple[str, str]) -> str:
    """Write the built-in panel with two of its experts, one a provider."""
    built_in = files("eval_pipeline.judging") / "built_in" / "sessions.yaml"
    document = yaml.safe_load(built_in.read_text(encoding="utf-8"))
    experts = [expert for expert in document["experts"] if expert["id"] in {"outcome", "auditor"}]
    text = yaml.safe_dump({**document, "version": version, "experts": experts}, sort_keys=False, width=1000)
    for old, new in changes:
        text = text.replace(old, new)
    path = command.folder / f"{version}.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def judge(command: Commands, run: str, *options: str) -> Any:  # noqa: ANN401 - JSON
    panel = panel_file(command, "house-1")
    return command.json("session", "run", run, "--mode", "fast", "--panel", panel, *options)


def take_in(command: Commands, sessions: list[dict[str, Any]]) -> None:
    deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(command.home)})
    brought_in(deployment, lines(command.home.parent / "sessions.jsonl", *sessions))
    deployment.close()


@contextmanager
def always_saying(servers: Servers, level: str) -> Iterator[None]:
    """Let the judges of one provider give everything the same level."""
    url = f"{servers.openai_url}/__standin__/judge_script"
    httpx.post(url, json=[{"verdicts": {"*": level}}]).raise_for_status()
    try:
        yield
    finally:
        httpx.delete(url).raise_for_status()


def checks_of_drift(command: Commands) -> dict[str, bool]:
    with command.scene():
        made = dg.materialize(
            [defs.get_assets_def(dg.AssetKey(["session_eval", "judge_drift"]))],
            resources={"deployment": deployment_resource()},
        )
    return {one.check_name: one.passed for one in made.get_asset_check_evaluations()}


def test_anchors_are_judged_anew_when_a_provider_renames_its_model(command: Commands, servers: Servers) -> None:
    kept = command.json("session", "anchors", "set", "house", "--from", "first", "--count", "30")
    frozen = {one["session_id"]: one["fingerprint"] for one in kept["sessions"]}
    assert (len(frozen), kept["number"]) == (FEWEST, 1)
    assert command.json("session", "drift")["anchors"][0]["due"] == []

    # a frozen session goes on, and sessions come in; the provider has another model by now
    sessions = recorded(COUNT + 1)
    changed = next(one for one in sessions if one["session_id"] in frozen)
    changed["messages"] = [*changed["messages"], {"role": "user", "content": "And one more thing."}]
    take_in(command, sessions)
    with servers.going_wrong(RENAMED):
        judge(command, "later")
        [before] = command.json("session", "drift")["anchors"]
        assert any("judge-of-march" in reason and "later" in reason for reason in before["due"])
        assert checks_of_drift(command) == {"still": True, "anchors": False}
        servers.reset()
        ran = judge(command, "anchors-1", "--scope", "anchors", "--anchors", "house")
    experts = len(ran["panel"]["experts"])
    assert servers.requests() >= FEWEST * experts  # what `first` said is not taken over
    assert ran["sessions"] == {"count": FEWEST, "scope": "anchors"}

    told = command.json("session", "drift")
    [now] = told["anchors"]
    assert (now["latest"], now["due"]) == ("anchors-1", [])
    # the contents that were frozen are those that were judged, the changed one's too
    assert (now["drift"]["before"], now["drift"]["sessions"]) == ("first", FEWEST)
    assert now["drift"]["changed_experts"]
    assert told["moved"]
    assert checks_of_drift(command)["anchors"] is True
    assert "anchors-1 held against first" in command("session", "drift").out

    # overviews still tell what sessions are worth by the runs over sessions
    runs = {one["result"]["run"] for one in command.json("session", "overview", "--limit", "500")["sessions"]}
    assert runs == {"first", "later"}

    # the next run asks everybody anew and has that one as its baseline; its own retry asks what is missing alone
    servers.reset()
    tried = panel_file(command, "tried", ("You check the work", "Check the work"))
    with always_saying(servers, "0"), servers.going_wrong({"kind": "unauthorized", "match": OUTCOME}):
        asked = ("--mode", "fast", "--anchors", "house", "--panel", tried)
        assert command("session", "run", "anchors-2", *asked).code == 100  # one of two experts is no panel
    assert servers.asked().total() >= FEWEST * (experts - 1)
    servers.reset()
    with always_saying(servers, "0"):
        command.json("run", "retry", "anchors-2", "--flow", "session_eval")
    assert FEWEST <= servers.requests() < FEWEST * 1.5
    moved = command.json("session", "drift", "--anchors", "house")
    assert (moved["before"], moved["now"]) == ("anchors-1", "anchors-2")
    assert "auditor" in moved["changed_experts"]
    assert command.json("session", "overview")["current"]["panel_version"] == "house-1"
    assert any(alarm.startswith("outcome, goal_completion: ") for alarm in moved["alarms"])
    assert checks_of_drift(command)["still"] is False


def test_an_anchor_set_is_refused_by_what_it_lacks(command: Commands) -> None:
    few = command("session", "anchors", "set", "named", "tau-01", "tau-02", "--json")
    assert (few.error_code, "2 sessions" in few.document["error"]["message"]) == ("too_few_anchors", True)
    many = command("session", "anchors", "set", "named", "--from", "first", "--count", "40", "--json")
    assert (many.error_code, many.document["error"]["hint"]) == (
        "too_few_anchors",
        "say --count 32, or name another run",
    )
    for count, code in (("29", "too_few_anchors"), ("101", "invalid_config")):
        refused = command("session", "anchors", "set", "named", "--from", "first", "--count", count, "--json")
        assert refused.error_code == code
    assert command("session", "anchors", "set", "../house", "--from", "first", "--json").code == 1
    assert command("session", "anchors", "show", "named", "--json").error_code == "anchors_not_found"
    assert command("session", "run", "r", "--anchors", "named", "--json").error_code == "anchors_not_found"

    ids = [f"tau-{number:02}" for number in range(FEWEST)]
    named = command.json("session", "anchors", "set", "named", *ids)
    again = command.json("session", "anchors", "set", "named", *ids)
    anew = command.json("session", "anchors", "set", "named", "--from", "first")
    assert [one["number"] for one in (named, again, anew)] == [1, 1, 2]  # the first version stays
    assert command.json("session", "anchors", "show", "named", "--version", "1")["sessions"] == named["sessions"]
    listed = {one["name"]: one["sessions"] for one in command.json("session", "anchors", "list")["anchors"]}
    assert listed["named"] == COUNT
    for wrong in (
        ["--scope", "all", "--anchors", "named"],
        ["--scope", "anchors"],
        ["--anchors", "named", "--limit", "9"],
    ):
        assert command("session", "run", "r", *wrong, "--json").error_code == "invalid_config"

    command.json("session", "delete", "tau-03", "--yes")
    gone = command("session", "run", "r", "--anchors", "named", "--json")
    assert (gone.error_code, "tau-03" in gone.document["error"]["message"]) == ("anchors_gone", True)
