"""What the documentation says is so: generated parts, error codes, commands, examples and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

from eval_pipeline.cli.main import cli
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.runs import RunState
from eval_pipeline.providers.gemini import generate
from eval_pipeline.stt_eval.request import SttRequest
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.scoring.scorers import parse_scorers
from eval_pipeline.text_eval.spec import build_model_body
from eval_pipeline.wiring.credentials import read_credentials
from eval_pipeline.wiring.endpoints_file import read_endpoints_file
from scripts import write_docs

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"])
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SOURCE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "eval_pipeline").rglob("*.py"))
    if "standins" not in path.parts
)
FIRST_CELL = re.compile(r"^\| `([a-z_]+)` \|", re.MULTILINE)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a language, also those that are indented in a list."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)


def _commands(page: Path) -> Iterator[str]:
    """Give the command lines of the page's shell blocks, continued lines joined."""
    for block in _blocks(page.read_text(encoding="utf-8"), "sh"):
        yield from block.replace("\\\n", " ").splitlines()


def _arguments(line: str) -> list[str] | None:
    """Return what stands behind ``eval-pipeline``, up to a pipe; None where another program is called."""
    words = shlex.split(line, comments=True)
    if not words or Path(words[0]).name != "eval-pipeline":
        return None
    end = next((at for at, word in enumerate(words) if word in {"|", "&&", ";", ">", "&"}), len(words))
    return words[1:end]


def _find(words: list[str]) -> tuple[click.Command, list[str]]:
    """Walk down to the verb; return it and what is left for it."""
    command: click.Command = cli
    left = list(words)
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        found = command.get_command(click.Context(command), left[0])
        assert found is not None, f"there is no verb {left[0]!r} of {command.name!r}"
        command = found
        left.pop(0)
    return command, left


def _check_options(command: click.Command, words: list[str]) -> None:
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert given <= known | {"--help", "-h", "--version"}, f"unknown options of {command.name}: {given - known}"


@pytest.mark.parametrize(
    "path",
    [write_docs.CONFIGURATION, write_docs.COMMAND_LINE, write_docs.ENVIRONMENT, write_docs.ENDPOINTS_SCHEMA],
    ids=_name,
)
def test_what_is_generated_is_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == write_docs.documents()[path], "write it anew: make docs"


def test_a_part_without_its_markers_is_told() -> None:
    with pytest.raises(SystemExit, match="'settings' are missing"):
        write_docs.with_parts("no marker here", parts={"settings": "table"})


def test_every_error_code_is_in_the_runbook() -> None:
    codes = set(re.findall(r'\bcode="([a-z_]+)"', SOURCE))

    assert codes > {"dataset_not_found", "internal_error"}
    assert codes - set(FIRST_CELL.findall(RUNBOOK)) == set()


def test_the_runbook_explains_no_code_that_is_gone() -> None:
    gone = {code for code in FIRST_CELL.findall(RUNBOOK) if f'"{code}"' not in SOURCE}

    assert gone == set()


def test_every_state_of_a_run_is_in_the_runbook_once() -> None:
    explained = FIRST_CELL.findall(RUNBOOK.partition("## States of a run")[2].partition("\n## ")[0])

    assert sorted(explained) == sorted(RunState)


def test_every_key_of_a_run_configuration_is_documented_once() -> None:
    section = CONFIGURATION.partition("## The configuration of a run")[2].partition("### Scorers")[0]

    assert sorted(FIRST_CELL.findall(section)) == sorted(each.name for each in fields(TextRequest))


def test_every_key_of_a_speech_run_is_documented_once_and_its_example_is_accepted() -> None:
    section = CONFIGURATION.partition("## The configuration of a speech run")[2].partition("\n## ")[0]
    [example] = _blocks(section, "yaml")

    assert sorted(FIRST_CELL.findall(section)) == sorted(each.name for each in fields(SttRequest))
    assert len(SttRequest.from_mapping(yaml.safe_load(example)).models) == 3


def test_every_reason_of_gemini_to_stop_is_in_the_runbook() -> None:
    stopped = {reason.lower() for reason in (*generate.CUT, *generate.REFUSED) if not reason.startswith("IMAGE_")}

    assert {reason for reason in stopped if f"`{reason}`" not in RUNBOOK} == set()


def test_the_example_of_a_run_configuration_is_accepted() -> None:
    example = next(block for block in _blocks(CONFIGURATION, "yaml") if "dataset:" in block)

    request = TextRequest.from_mapping(yaml.safe_load(example))

    assert build_model_body(request)["temperature"] == 0
    assert len(parse_scorers(request.scorers)) == 4


def test_the_example_of_a_credentials_file_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "credentials.yaml"
    file.write_text(next(block for block in _blocks(CONFIGURATION, "yaml") if "health:" in block), encoding="utf-8")

    assert read_credentials("health", file=file, environ={}).traces_to_langfuse
    assert read_credentials("schools", file=file, environ={}).base_urls[OPENAI] == "http://127.0.0.1:8000/v1"


def test_the_example_of_an_endpoints_file_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.yaml"
    page = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
    file.write_text(next(block for block in _blocks(page, "yaml") if "endpoints:" in block), encoding="utf-8")

    assert {"ollama", "azure", "claude"} <= set(read_endpoints_file(file).entries)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_in_shell_blocks_can_be_parsed(page: Path) -> None:
    for line in _commands(page):
        words = _arguments(line)
        if words:
            command, left = _find(words)
            if not set(left) & {"--help", "-h", "--version"}:
                command.make_context(command.name, left, parent=click.Context(cli, **cli.context_settings))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_in_sentences_name_existing_verbs_and_options(page: Path) -> None:
    for quoted in re.findall(r"`eval-pipeline ([^`\n]+)`", page.read_text(encoding="utf-8")):
        if "…" not in quoted:
            _check_options(*_find(quoted.split()))


def test_a_verb_or_an_option_that_does_not_exist_is_found() -> None:
    with pytest.raises(AssertionError, match="no verb 'walk'"):
        _find(["run", "walk"])
    with pytest.raises(AssertionError, match="--louder"):
        _check_options(*_find(["run", "retry", "RUN", "--louder"]))
    assert _arguments('.venv/bin/eval-pipeline run list --json | jq ".runs"  # all') == ["run", "list", "--json"]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{_name(page)} links to {target}, which is not there"
        if heading:
            assert heading in _headings(file), f"{_name(page)} links to {target}, which has no such heading"


def _headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
