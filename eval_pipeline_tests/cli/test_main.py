"""Usage errors, help, and what a defect looks like."""

import subprocess
import sys

import pytest

from eval_pipeline.cli import dataset
from eval_pipeline.cli.main import COMMANDS, GROUPS, cli
from eval_pipeline.runs.flow import plans
from eval_pipeline_tests.commands import Commands

USAGE_ERRORS = (
    ("nonsense",),
    ("dataset",),
    ("dataset", "add", "name"),
    ("dataset", "list", "--limit", "0"),
    ("text", "run"),
    ("text", "run", "r", "--unknown"),
    ("text", "run", "r", "--concurrency", "many"),
    ("text", "export", "r", "--format", "pivot", "--output", "x.csv"),
    ("run", "list", "--state", "sleeping"),
    ("run", "status", "a", "b"),
)


@pytest.mark.parametrize("arguments", USAGE_ERRORS)
def test_a_usage_error_exits_with_2_and_keeps_stdout_for_results(
    commands: Commands, arguments: tuple[str, ...]
) -> None:
    ended = commands(*arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err


@pytest.mark.parametrize("arguments", USAGE_ERRORS[2:])
def test_a_usage_error_is_one_json_document_where_json_was_asked_for(
    commands: Commands, arguments: tuple[str, ...]
) -> None:
    ended = commands(*arguments, "--json")

    assert ended.code == 2
    assert ended.error_code == "usage"
    assert "--help" in ended.document["error"]["hint"]


def test_the_bare_command_shows_its_help_without_calling_it_an_error(commands: Commands) -> None:
    ended = commands()

    assert ended.code == 2
    assert ended.err.startswith("Usage: eval-pipeline")
    assert "error" not in ended.err


def test_every_verb_has_help_and_the_listed_summary() -> None:
    context = cli.make_context("eval-pipeline", [], resilient_parsing=True)

    assert cli.list_commands(context) == sorted({*GROUPS, *COMMANDS, *(plan.command for plan in plans())})
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help


@pytest.mark.parametrize("path", [(), ("dataset", "add"), ("text", "run"), ("text", "show"), ("run", "retry"), ("up",)])
def test_help_goes_to_stdout_and_succeeds(commands: Commands, path: tuple[str, ...]) -> None:
    ended = commands(*path, "--help")

    assert ended.code == 0
    assert ended.out.startswith("Usage: eval-pipeline")


def test_a_defect_is_told_like_any_other_error(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(dataset, "open_deployment", broken)
    ended = commands("dataset", "list", "--json")

    assert ended.code == 1
    assert ended.error_code == "internal_error"
    assert "ZeroDivisionError: a bug" in ended.document["error"]["message"]
    assert "Traceback" in ended.err


def test_light_verbs_do_not_import_dagster_or_vendor_libraries() -> None:
    code = (
        "import sys; from eval_pipeline.cli.main import run_command; run_command(['dataset', 'list']);"
        "run_command(['run', 'list']); print(sorted({'dagster', 'pyarrow', 'pandas', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})

    assert done.stdout.splitlines()[-1] == "[]"
