"""Write the documentation that the code itself knows: settings, scorers, the command line, ``.env.example``.

``make docs`` writes it; a test compares what is written with what the code says.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from inspect import Parameter
from pathlib import Path

import click

from eval_pipeline.cli.main import cli
from eval_pipeline.core.options import keys_of
from eval_pipeline.judging.panel_schema import panel_schema
from eval_pipeline.runs.flow import FlowPlan, plans
from eval_pipeline.session_eval.sessions.schema import session_schema
from eval_pipeline.text_eval.scoring.scorers import SCORERS, describe_scorers
from eval_pipeline.wiring.endpoints_schema import endpoints_schema
from eval_pipeline.wiring.settings import SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ROOT / "docs" / "configuration.md"
COMMAND_LINE = ROOT / "docs" / "cli.md"
ENVIRONMENT = ROOT / ".env.example"
ENDPOINTS_SCHEMA = ROOT / "docs" / "endpoints.schema.json"
PANEL_SCHEMA = ROOT / "docs" / "panel.schema.json"
SESSION_SCHEMA = ROOT / "docs" / "session.schema.json"
HELP_WIDTH = 100
OWN_HELP = ("standins",)
"""Verbs that hand their arguments on to a parser that is not click's."""
_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \| (.+) \| (.+) \|$", re.MULTILINE)
_COMMENT_WIDTH = 100


def main() -> None:
    """Write every generated file and part anew."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


def documents() -> dict[Path, str]:
    """Return every file that is generated, or has generated parts, as it should be."""
    options = {f"{plan.command} options": options_table(plan) for plan in plans()}
    parts = {"settings": settings_table(), "scorers": scorers_table(), **options}
    page = CONFIGURATION.read_text(encoding="utf-8")
    page += "".join(_section(plan) for plan in plans() if f"generated: {plan.command} options" not in page)
    configuration = with_parts(page, parts=parts)
    return {
        CONFIGURATION: configuration,
        COMMAND_LINE: command_line(),
        ENVIRONMENT: environment(configuration),
        ENDPOINTS_SCHEMA: json.dumps(endpoints_schema(), indent=2, ensure_ascii=False) + "\n",
        PANEL_SCHEMA: json.dumps(panel_schema(), indent=2, ensure_ascii=False) + "\n",
        SESSION_SCHEMA: json.dumps(session_schema(), indent=2, ensure_ascii=False) + "\n",
    }


def _section(plan: FlowPlan) -> str:
    """Begin the section of a flow that the page does not know yet."""
    name = f"{plan.command} options"
    return (
        f"\n## {plan.title}: the configuration of a run\n\n"
        f"The keys of `eval-pipeline {plan.command} run RUN --config FILE.yaml` and of `{plan.flow}/spec` in the "
        f"Launchpad, by the same rules.\n\n<!-- generated: {name} -->\n<!-- end of {name} -->\n"
    )


def with_parts(text: str, *, parts: Mapping[str, str]) -> str:
    """Replace what stands between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->``."""
    for name, part in parts.items():
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
        before, found_begin, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise SystemExit(f"{CONFIGURATION}: the markers of the part {name!r} are missing: {begin.strip()} … {end}")
        text = f"{before}{begin}{part}{end}{after}"
    return text


def settings_table() -> str:
    """Return the table of all ``EVAL_…`` variables."""
    rows = [(f"`{each.variable}`", each.meaning, _default(each), each.accepts) for each in SETTINGS]
    return _table(("variable", "meaning", "default", "accepts"), rows)


def _default(setting: Setting) -> str:
    return "none" if setting.default is None else f"`{setting.default}`"


def options_table(plan: FlowPlan) -> str:
    """Return the table of what a person may set of a flow's runs."""
    keys = keys_of(plan.options)
    rows = [
        (f"`{each.name}`", each.page or each.form, each.unset or "none") for each in plan.options if each.name in keys
    ]
    return _table(("key", "meaning", "default"), rows)


def scorers_table() -> str:
    """Return the table of all scorers with their parameters."""
    rows = [(f"`{name}`", _one_line(text), _parameters(name)) for name, text in describe_scorers().items()]
    return _table(("scorer", "what it computes", "parameters and defaults"), rows)


def _parameters(name: str) -> str:
    parameters = SCORERS[name].parameters().values()
    return ", ".join(_parameter(each) for each in parameters) or "none"


def _parameter(parameter: Parameter) -> str:
    if parameter.default is Parameter.empty:
        return f"`{parameter.name}` (required)"
    default = parameter.default
    return f"`{parameter.name}: {str(default).lower() if isinstance(default, bool) else default}`"


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def command_line() -> str:
    """Return the page of all verbs, as their ``--help`` tells."""
    helps = [
        f"## {' '.join(path)}\n\n```text\n{help_of(context, command)}\n```\n" for path, context, command in verbs()
    ]
    head = "# Command line\n\n<!-- generated by make docs: do not edit -->\n\nWhat `--help` of every verb says.\n"
    return "\n".join([head, *helps])


def verbs() -> list[tuple[tuple[str, ...], click.Context, click.Command]]:
    """Return the program and all its verbs, each with its path, context and command."""
    root = click.Context(
        cli, info_name="eval-pipeline", terminal_width=HELP_WIDTH, max_content_width=HELP_WIDTH, **cli.context_settings
    )
    return [(("eval-pipeline",), root, cli), *_below(root, cli, path=("eval-pipeline",))]


def _below(
    context: click.Context, group: click.Group, *, path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], click.Context, click.Command]]:
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise SystemExit(f"{' '.join(path)} lists {name!r}, which it does not have")
        inner = click.Context(command, info_name=name, parent=context, **command.context_settings)
        found.append(((*path, name), inner, command))
        if isinstance(command, click.Group):
            found.extend(_below(inner, command, path=(*path, name)))
    return found


def help_of(context: click.Context, command: click.Command) -> str:
    """Return the help of a verb at a fixed width, without blanks at the ends of lines."""
    text = _standins_help() if command.name in OWN_HELP else command.get_help(context)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _standins_help() -> str:
    asked = [sys.executable, "-m", "eval_pipeline.standins", "--help"]
    # argparse takes the width, and newer ones the colours, from the environment
    fixed = {**os.environ, "COLUMNS": str(HELP_WIDTH), "NO_COLOR": "1"}
    return subprocess.run(asked, check=True, capture_output=True, text=True, env=fixed).stdout  # noqa: S603 - our own


def environment(configuration: str) -> str:
    """Return ``.env.example``: the settings, and the variables of the hand-written tables, all commented out."""
    others = [_variable(name, meaning=meaning, default=default) for name, meaning, default in _others(configuration)]
    settings = [
        _variable(each.variable, meaning=f"{each.meaning} Accepts {each.accepts}.", default=_default(each))
        for each in SETTINGS
    ]
    head = (
        "# Generated by make docs from docs/configuration.md and the settings: do not edit.\n"
        "# Copy it to .env, set what you need, then: set -a; . ./.env; set +a\n"
    )
    return "\n".join([head, *others, *settings])


def _others(configuration: str) -> list[tuple[str, str, str]]:
    settings = {each.variable for each in SETTINGS}
    return [row for row in _ROW.findall(configuration) if row[0] not in settings]


def _variable(name: str, *, meaning: str, default: str) -> str:
    comment = "\n".join(_wrapped(meaning.replace("`", "")))
    value = re.fullmatch(r"`([^`]*)`", default)
    return f"{comment}\n# {name}={value[1] if value else ''}\n"


def _wrapped(text: str) -> list[str]:
    lines = ["#"]
    for word in text.split():
        if len(lines[-1]) + len(word) >= _COMMENT_WIDTH:
            lines.append("#")
        lines[-1] += f" {word}"
    return lines


if __name__ == "__main__":
    main()
