"""Recorded sessions on the command line, from coming in to going out."""

import json
from pathlib import Path

import pytest

from eval_pipeline.core.documents import JsonDict
from eval_pipeline_tests.session_eval.homes import lines
from eval_pipeline_tests.session_eval.sessions.samples import native


def ran(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, JsonDict]:
    """Run a verb of the group with --json."""
    from eval_pipeline.cli.main import run_command  # noqa: PLC0415 - as every command is run

    code = run_command(["session", *arguments, "--json"])
    told: JsonDict = json.loads(capsys.readouterr().out)
    return code, told


def test_sessions_come_in_are_looked_at_and_go_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(tmp_path / "home"))
    path = lines(tmp_path / "s.jsonl", native("a", name="to Pune"), "broken", native("b"))

    def run(*arguments: str) -> tuple[int, JsonDict]:
        return ran(monkeypatch, capsys, *arguments)

    code, told = run("ingest", str(path))
    assert (code, told["new"], told["bad_count"], told["bad"][0]["number"]) == (0, 2, 1, 2)
    assert run("ingest", str(lines(tmp_path / "none.jsonl", "broken")))[0] == 1

    told = run("list", "--search", "pune")[1]
    assert (told["total"], told["sessions"][0]["likes"], told["sessions"][0]["facts"]["tool_calls"]) == (1, 1, 2)

    assert (
        run("feedback", "a", "--message", "5", "--dislike", "--comment", "no", "--author", "ravi")[1]["dislikes"] == 1
    )
    assert run("feedback", "a", "--message", "9", "--like")[1]["error"]["code"] == "message_not_found"
    assert run("feedback", "a", "--like")[0] == 2
    sheet = tmp_path / "thumbs.csv"
    assert run("feedback", "b", "--export", str(sheet))[1]["rows"] == 1
    assert run("feedback", "--import", str(sheet))[1] == {
        "project": "default",
        "recorded": 0,
        "unchanged": 1,
        "conflicts": [],
    }
    sheet.write_text(sheet.read_text().replace(",like,", ",dislike,").replace(",asha,", ",meera,"))
    assert run("feedback", "--import", str(sheet))[1]["recorded"] == 1
    sheet.write_text(sheet.read_text().replace(",dislike,", ",perhaps,"))
    assert run("feedback", "--import", str(sheet))[1]["error"]["code"] == "invalid_feedback_file"

    shown = run("show", "a")[1]
    assert (shown["dislikes"], [one["author"] for one in shown["people"]]) == (1, ["asha", "ravi"])
    assert run("show", "nobody")[1]["error"]["code"] == "session_not_found"

    out = tmp_path / "out.jsonl"
    assert run("export", "--output", str(out))[1]["sessions"] == 2
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert written == [{**native("a", name="to Pune"), "messages": _lean("a")}, {**native("b"), "messages": _lean("b")}]
    assert run("ingest", str(out))[1]["unchanged"] == 2

    assert run("delete", "a", "--yes")[1]["deleted"] == 1
    assert run("list")[1]["total"] == 1


def _lean(session_id: str) -> list[JsonDict]:
    """Return the messages without what is null in them."""
    messages = native(session_id)["messages"]
    return [{key: item for key, item in message.items() if item is not None} for message in messages]
