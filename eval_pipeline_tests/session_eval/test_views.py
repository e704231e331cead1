"""Sessions judged by a panel on the command line: how they stand, week by week, and how far judges are trusted."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from eval_pipeline.definitions import defs
from eval_pipeline.defs.resources import deployment_resource
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.runs.panels.room import Servers, judge_servers
from eval_pipeline_tests.session_eval.homes import TAU_BENCH, brought_in, lines

COUNT = 12


@dataclass(frozen=True)
class Judged:
    """A home with sessions that two runs judged."""

    command: Commands
    servers: Servers
    ids: list[str]


def recorded(count: int) -> list[dict[str, Any]]:
    with gzip.open(TAU_BENCH, "rt") as file:
        runs = json.load(file)[:count]
    return [
        {
            "schema": "eval_pipeline.session/1",
            "session_id": f"tau-{number:02}",
            "name": f"Flight {number}",
            "profile_id": "airline" if number % 2 else "other",
            "last_active": f"2026-01-0{1 + number % 8}T20:00:00Z",
            "pinned": number == 7,
            "messages": [
                {"role": one["role"], "content": one.get("content") or "(calls a tool)"}
                for one in run["traj"]
                if one["role"] in {"user", "assistant"}
            ][:6],
            "outcome": {"success": run["reward"] == 1.0},
        }
        for number, run in enumerate(runs)
    ]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    folder = tmp_path_factory.mktemp("views")
    with judge_servers() as servers:
        command = Commands(folder, **servers.environ())
        deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(command.home)})
        sessions = recorded(COUNT)
        brought_in(deployment, lines(folder / "sessions.jsonl", *sessions))
        deployment.close()
        command.json("session", "run", "first", "--mode", "fast")
        yield Judged(command, servers, [one["session_id"] for one in sessions])


def test_an_overview_shows_how_sessions_stand(judged: Judged) -> None:
    page = judged.command.json("session", "overview", "--limit", "5")

    assert (page["total"], len(page["sessions"])) == (COUNT, 5)
    assert page["sessions"][0]["session_id"] == "tau-07"  # pinned
    assert [one["last_active"] for one in page["sessions"][1:]] == sorted(
        (one["last_active"] for one in page["sessions"][1:]), reverse=True
    )
    first = page["sessions"][0]
    assert (first["status"], first["reasons"], first["panel_complete"]) == ("evaluated", [], True)
    assert first["result"]["run"] == "first"
    assert first["result"]["versions"]["panel_version"] == page["current"]["panel_version"] == "sessions-1"
    rest = judged.command.json("session", "overview", "--limit", "500", "--offset", "5")
    assert len({one["session_id"] for one in page["sessions"] + rest["sessions"]}) == COUNT
    assert judged.command.json("session", "overview", "--status", "pending")["total"] == 0
    assert judged.command.json("session", "overview", "--profile", "airline", "--search", "FLIGHT 1")["total"] == 2
    assert "tau-07" in judged.command("session", "overview").out
    for wrong in (["--limit", "0"], ["--limit", "501"], ["--offset", "-1"]):
        assert judged.command("session", "overview", *wrong).code == 2


def test_a_run_shows_its_averages_and_every_session(judged: Judged) -> None:
    shown = judged.command.json("session", "show", "first", "--detail")

    assert shown["statuses"] == {"evaluated": COUNT}
    mean = next(score for score in shown["summary_scores"] if score["name"] == "mean")
    assert mean["total_pairs"] == COUNT
    assert mean["avg"] == pytest.approx(sum(row["mean"] for row in shown["session_scores"]) / COUNT)
    assert mean["ci_low"] <= mean["avg"] <= mean["ci_high"]
    written = judged.command("session", "show", "first").out
    assert "goal completion" in written
    assert f"sessions {COUNT}, {COUNT} evaluated" in written
    assert "0 failed; up to 50% may fail" in written


def test_weeks_are_told_by_panel_in_the_zone_that_is_asked_for(judged: Judged) -> None:
    stats = judged.command.json("session", "stats", "--days", "365", "--time-zone", "Asia/Kolkata")

    assert stats["time_zone"] == "Asia/Kolkata"
    [series] = stats["series"]
    assert series["panel_version"] == "sessions-1"
    assert series["adds_up"]
    by_week = {row["week"]: row for row in series["rows"] if row["bucket"] == "overall"}
    assert list(by_week) == stats["weeks"]
    # of eight days at 20:00 UTC, the fourth of January is a Monday there
    counts = {week: row["sessions"] for week, row in by_week.items() if row["sessions"]}
    assert counts == {"2025-12-29": 6, "2026-01-05": 6}
    utc = judged.command.json("session", "stats", "--days", "365", EVAL_TIME_ZONE="UTC")
    weeks = {row["week"]: row["sessions"] for row in utc["series"][0]["rows"] if row["bucket"] == "overall"}
    assert (weeks["2025-12-29"], weeks["2026-01-05"]) == (8, 4)
    goal = by_week["2025-12-29"]["axes"]["goal_completion"]
    assert goal["n"] + sum(goal["nulls"].values()) == 6
    assert "overall" in judged.command("session", "stats", "--days", "365").out
    assert judged.command("session", "stats", "--time-zone", "Mars/Base", "--json").error_code == "invalid_time_zone"
    assert judged.command("session", "stats", EVAL_TIME_ZONE="../etc/passwd").code == 1
    late = judged.command("session", "stats", "--days", "1")
    told = judged.command.json("session", "stats", "--days", "1")
    assert (told["series"], told["last_active"]) == ([], "2026-01-08T20:00:00+00:00")
    assert f"--days {told['days_to_last_active']} shows it" in late.out
    days = str(told["days_to_last_active"])
    assert judged.command.json("session", "stats", "--days", days)["series"]
    assert "of profile nobody was judged so far" in judged.command("session", "stats", "--profile", "nobody").out
    one = judged.command.json("session", "stats", "--days", "365", "--profile", "airline")
    assert sum(row["sessions"] for row in one["series"][0]["rows"] if row["bucket"] == "overall") == COUNT // 2


def test_people_rate_sessions_and_stand_beside_the_judges(judged: Judged, tmp_path: Path) -> None:
    rows = [("session_id", "axis", "level", "rater", "comment")]
    rows += [(name, "goal_completion", "75", "Asha", "=1+1") for name in judged.ids]
    rows += [
        (name, "goal_completion", "50" if place % 2 else "100", "Ben", "") for place, name in enumerate(judged.ids)
    ]
    sheet = tmp_path / "ratings.csv"
    with sheet.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    took = judged.command.json("session", "ratings", "import", str(sheet))
    again = judged.command.json("session", "ratings", "import", str(sheet))
    assert (took["recorded"], again["recorded"], again["unchanged"]) == (2 * COUNT, 0, 2 * COUNT)

    judged.command.json("session", "rescore", "first")
    trust = judged.command.json("session", "calibration", "first")
    goal = next(axis for axis in trust["axes"] if axis["axis"] == "goal_completion")
    assert goal["rated_by_people"] == COUNT
    assert [one["judge"] for one in goal["against_people"]] == ["outcome", "dialogue", "auditor", "panel"]
    assert goal["people"][0]["kappa"]["n"] == COUNT
    outcomes = next(one for one in trust["predicted"] if one["by"] == "outcomes")
    assert outcomes["good"] + outcomes["bad"] == COUNT
    assert [one["name"] for one in outcomes["baselines"]] == ["session length", "call count"]
    shown = judged.command("session", "calibration", "first").out
    assert "session length alone" in shown

    out = tmp_path / "out.csv"
    assert judged.command.json("session", "ratings", "export", str(out))["rows"] == 2 * COUNT
    written = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert {row["level"] for row in written if row["rater"] == "Asha"} == {"75.0"}
    assert judged.command.json("session", "ratings", "import", str(out))["recorded"] == 0
    sheet.write_text("session_id,axis,level\nnobody,goal_completion,75\ntau-01,beauty,5\ntau-01,efficiency,101\n")
    refused = judged.command("session", "ratings", "import", str(sheet), "--json")
    assert refused.error_code == "invalid_rating_file"
    assert [f"line {line}" in refused.document["error"]["message"] for line in (2, 3, 4)] == [True] * 3
    weights = judged.command("session", "rescore", "first", "--weights", "first", "--json")
    assert weights.error_code == "weights_not_found"
    assert judged.command("session", "rescore", "first", "--weights", "../first", "--json").code == 1


def test_what_was_judged_is_not_judged_again_until_something_changes(judged: Judged, tmp_path: Path) -> None:
    assert judged.command("session", "run", "again", "--mode", "fast", "--json").error_code == "no_sessions"
    panel = tmp_path / "panel.yaml"
    text = (Path(__file__).parents[2] / "eval_pipeline/judging/built_in/sessions.yaml").read_text(encoding="utf-8")
    panel.write_text(
        text.replace("version: sessions-1", "version: sessions-2", 1).replace(
            "You look at outcomes.", "Look at outcomes."
        ),
        encoding="utf-8",
    )
    stale = judged.command.json("session", "overview", "--panel", str(panel), "--status", "stale")
    assert stale["total"] == COUNT
    assert {tuple(one["reasons"]) for one in stale["sessions"]} == {("judge_changed",)}

    judged.servers.reset()
    judged.command.json("session", "run", "second", "--mode", "fast", "--panel", str(panel), "--limit", "4")
    now = judged.command.json("session", "overview", "--limit", "500")
    assert [one["status"] for one in now["sessions"]].count("evaluated") == 4
    series = judged.command.json("session", "stats", "--days", "365")["series"]
    assert [one["panel_version"] for one in series] == ["sessions-2", "sessions-1"]
    assert [one["sessions"] for one in series] == [4, COUNT]

    compared = judged.command.json("session", "compare", "first", "second")
    assert (compared["sessions"]["both"], compared["same_instrument"]) == (4, False)
    assert compared["instrument_changes"] == ["judge_changed"]
    mean = compared["axes"][0]
    assert (mean["axis"], mean["paired"]) == ("mean", 4)
    assert mean["wins"] + mean["losses"] + mean["ties"] == 4
    drift = judged.command.json("session", "drift", "first", "second")
    assert (drift["sessions"], drift["changed_experts"]) == (4, ["outcome"])
    assert {"expert_id", "axis", "shift", "low", "high", "kappa", "alarms"} <= drift["moved"][0].keys()
    assert "were judged in both" in judged.command("session", "compare", "first", "second").out
    assert "judged in both" in judged.command("session", "drift", "first", "second").out


def alarmed(metadata: Mapping[str, Any]) -> bool:
    return bool("alarms" in metadata and metadata["alarms"].value)


def test_dagster_makes_weeks_and_drift_of_a_project(judged: Judged) -> None:
    for name, key in (("weekly_stats", "sessions"), ("judge_drift", "alarms")):
        with judged.command.scene():
            made = dg.materialize(
                [defs.get_assets_def(dg.AssetKey(["session_eval", name]))],
                resources={"deployment": deployment_resource()},
                selection=[dg.AssetKey(["session_eval", name])],
            )
        [event] = made.get_asset_materialization_events()
        metadata: Mapping[str, Any] = event.materialization.metadata
        assert metadata[key].value >= 0
        passed = {check.check_name: check.passed for check in made.get_asset_check_evaluations()}
        expected = {"weekly_stats": {"adds_up": True}, "judge_drift": {"still": not alarmed(metadata), "anchors": True}}
        assert passed == expected[name]
        document = json.loads(Path(str(metadata["report"].value)).read_text(encoding="utf-8"))
        assert document["project"] == "default"
