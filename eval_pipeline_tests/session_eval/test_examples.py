"""The sessions of the demo are those of tau-bench, and its script rates them as its page says."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.judging.panel_file import built_in_panel, read_panel
from eval_pipeline.session_eval.sessions.session import read_session
from eval_pipeline.standins.judge_script import read_script
from scripts import write_session_examples as examples

FOLDER = examples.FOLDER


def documents(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def test_the_sessions_of_the_demo_are_whole_and_say_what_is_made_up() -> None:
    sessions = documents("airline.jsonl")

    assert [read_session(session).session_id for session in sessions] == [f"airline-{task:02d}" for task in range(40)]
    assert sum(session["outcome"]["success"] for session in sessions) == 15
    assert {session["metadata"]["made_up"] for session in sessions} == {"times and thumbs"}
    assert all("59a200c" in session["metadata"]["licence"] for session in sessions)


def test_every_verdict_of_the_script_says_that_no_model_judged() -> None:
    script = read_script(FOLDER / "verdicts.jsonl")

    assert len(script.judgements) == 40 * 4
    said = [verdict["reasoning"] for one in script.judgements for verdict in one.verdicts.values()]
    assert set(said) == {"Scripted for the demo: no model judged this."}


def test_the_panel_of_the_demo_is_the_built_in_one_with_experts_that_are_no_models() -> None:
    panel = read_panel((FOLDER / "panel.yaml").read_bytes(), source="panel.yaml")
    built_in = built_in_panel("sessions")

    assert panel.rubric.axes == built_in.rubric.axes
    assert [(one.id, one.axes) for one in panel.experts] == [(one.id, one.axes) for one in built_in.experts]
    assert {one.model.rpartition("/")[2] for one in panel.experts} == {"scripted-no-model"}


@pytest.mark.skipif(not examples.SOURCE.is_file(), reason="the whole set lies with the importers")
def test_messages_calls_results_and_outcomes_are_those_of_the_source() -> None:
    results = json.loads(gzip.decompress(examples.SOURCE.read_bytes()))
    chosen = [one for one in results if one["trial"] == examples.TRIAL and one["task_id"] < examples.TASKS]

    assert [examples.session_of(one) for one in chosen] == documents("airline.jsonl")
    assert Path(FOLDER / "panel.yaml").read_text(encoding="utf-8") == examples.panel()
