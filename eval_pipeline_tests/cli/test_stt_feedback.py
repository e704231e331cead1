"""What ``stt feedback`` takes, refuses and tells."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from eval_pipeline.cli.main import cli
from eval_pipeline.cli.stt_feedback import feedback
from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.stt_eval.judged_run import FLASH, WHISPER, open_judged, transcribe

CLIP = ("first", "--set", "clip-1", FLASH)


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(tmp_path / "home"))
    for variable in ("EVAL_PIPELINE_STORE", "EVAL_PIPELINE_DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    opened = open_judged(tmp_path / "home")
    yield opened
    opened.close()


class Typed:
    """The verb as a person types it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> str:
        """Return what stands on stdout."""
        self._capsys.readouterr()
        feedback.main(list(arguments), standalone_mode=False, parent=click.Context(cli, **cli.context_settings))
        return self._capsys.readouterr().out

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Return the document."""
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def typed(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> Typed:
    del deployment
    return Typed(capsys)


def test_a_verdict_is_recorded_and_shown_with_its_history(typed: Typed) -> None:
    typed(*CLIP, "--wrong", "--tag", "name", "--tag", "number", "--comment", "the village", "--reviewer", "मीरा")
    [verdict] = typed.json(*CLIP, "--clear", "--no-tags", "--reviewer", "asha")["verdicts"]

    assert (verdict["sample"], verdict["model"], verdict["verdict"]) == ("clip-1", FLASH, "cleared")
    assert (verdict["is_correct"], verdict["comment"], verdict["tags"]) == (None, "the village", [])
    assert [(entry["reviewer"], entry["changed"]) for entry in verdict["history"]] == [
        ("मीरा", {"is_correct": False, "comment": "the village", "tags": ["name", "number"]}),
        ("asha", {"is_correct": None, "tags": []}),
    ]
    assert typed.json("first")["verdicts"] == [verdict]


def test_several_results_get_the_same_verdict(typed: Typed) -> None:
    out = typed(*CLIP, "--set", "clip-1", WHISPER, "--correct")

    assert out.count("correct") == 2
    assert len(typed.json("first")["verdicts"]) == 2


def test_without_an_action_what_was_said_is_shown_with_the_agreement(typed: Typed) -> None:
    typed(*CLIP, "--correct")
    typed("first", "--set", "clip-1", WHISPER, "--wrong")
    typed("first", "--set", "clip-2", FLASH, "--correct")

    document, out = typed.json("first"), typed("first")

    assert document["agreement"]["overall"]["auc"] == 1.0
    assert document["agreement"]["models"][WHISPER]["wrong"] == 1
    assert "all models" in out
    assert "not counted: 1 on transcripts without WER" in out


def test_what_people_write_moves_no_cursor(typed: Typed) -> None:
    out = typed(*CLIP, "--comment", "two\nlines\u202e", "--reviewer", "asha")

    assert "two\\nlines\\u202e" in out
    assert len(out.splitlines()) == 2


def test_a_verdict_on_an_earlier_transcript_is_shown_as_such_and_scores_of_it_are_not_used(
    typed: Typed, deployment: Deployment
) -> None:
    typed(*CLIP, "--correct")
    transcribe(deployment, {("clip-1", FLASH): "another"})

    assert "correct (earlier transcript)" in typed("first")
    document = typed.json("first")
    assert (document["verdicts"][0]["stale"], document["agreement"]) == (True, None)


def test_an_exported_file_is_imported_without_a_change(typed: Typed, tmp_path: Path) -> None:
    sheet = tmp_path / "verdicts.csv"
    typed(*CLIP, "--wrong", "--comment", "=1+1")

    assert typed("first", "--export", str(sheet), "--bom") == f"wrote 3 transcripts to {sheet}\n"
    assert typed("first", "--import", str(sheet)) == "nothing changed\n"
    assert typed.json("first", "--import", str(sheet))["changed"] == 0


def test_a_filled_in_file_is_recorded(typed: Typed, tmp_path: Path) -> None:
    sheet = tmp_path / "verdicts.csv"
    sheet.write_text(f"sample,model,is_correct\nclip-1,{FLASH},yes\nclip-1,{WHISPER},\n", encoding="utf-8")

    assert typed("first", "--import", str(sheet), "--reviewer", "asha") == (
        "verdicts recorded: 1; rows that said nothing new: 1\n"
    )
    assert typed.json("first")["verdicts"][0]["history"][0]["reviewer"] == "asha"


def test_an_empty_change_and_a_result_that_failed_are_refused(typed: Typed) -> None:
    for arguments, code in (
        (CLIP, "verdict_unchanged"),
        ((*CLIP, "--clear"), "verdict_unchanged"),
        (("first", "--set", "clip-2", WHISPER, "--correct"), "result_not_finished"),
    ):
        with pytest.raises(ConflictError) as caught:
            typed(*arguments)
        assert caught.value.code == code


def test_an_empty_name_is_not_taken_for_the_users_own(typed: Typed) -> None:
    with pytest.raises(UsageError, match="no name"):
        typed(*CLIP, "--correct", "--reviewer", "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((*CLIP, "--correct", "--wrong"), "--correct and --wrong contradict"),
        ((*CLIP, "--tag", "name", "--no-tags"), "--tag and --no-tags contradict"),
        ((*CLIP, "--correct", "--export", "x.csv"), "--set and --export do not go together"),
        (("first", "--wrong", "--comment", ""), "--comment and --wrong without --set"),
        (("first", "--import", "x.csv", "--clear"), "--clear without --set"),
        (("first", "--bom"), "--bom without --export"),
        (("first", "--reviewer", "asha"), "--reviewer without --set or --import"),
        ((*CLIP, "--tag", "nmae"), "'nmae' is not one of"),
    ],
)
def test_options_that_do_not_go_together_are_refused(typed: Typed, arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        typed(*arguments)

    assert problem in caught.value.format_message()
