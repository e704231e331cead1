"""What every verb shares: its common options, and how results and errors are written.

What is written comes from files, models and providers: nothing in it may move a terminal's cursor or colour its text.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import click

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import DEFAULT_PROJECT

P = ParamSpec("P")
R = TypeVar("R")

_OBEYED = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON leaves as it is although terminals obey it, or cannot be written as UTF-8."""
_JOINERS = "\u200c\u200d"  # invisible, but Hindi and many other scripts are not written without them

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on stdout; everything else goes to stderr."
)
project_option = click.option(
    "--project", metavar="NAME", default=DEFAULT_PROJECT, show_default=True, help="Whose datasets, runs and keys."
)


def common_options(function: Callable[P, R]) -> Callable[P, R]:
    """Give a verb ``--json`` and ``--project``."""
    return json_option(project_option(function))


def write_json(document: object) -> None:
    """Write one JSON document to stdout; floats at full precision, never NaN."""
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False, default=str)
    click.echo(_OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def write_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write an aligned table to stdout; None is an empty cell."""
    lines = [["" if cell is None else printable(str(cell)) for cell in row] for row in [headers, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def write_error(error: EvalPipelineError) -> None:
    """Tell a person on stderr what happened and what to do."""
    _write_word("error", error.message, colour="red")
    if error.hint:
        _write_word("hint", error.hint, colour="cyan")


def write_warning(text: str) -> None:
    """Tell a person on stderr what is off although the command succeeds."""
    _write_word("warning", text, colour="yellow")


def _write_word(word: str, text: str, *, colour: str) -> None:
    shown = printable(text, keep="\n")
    click.echo(f"{click.style(word, fg=colour, bold=True)}: {shown}", err=True)


def error_json(error: EvalPipelineError) -> dict[str, str]:
    """Return the JSON form of an error."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def printable(text: str, *, keep: str = "") -> str:
    """Show the characters that a terminal would obey, instead of obeying them."""
    kept = _JOINERS + keep
    return "".join(
        character if character.isprintable() or character in kept else repr(character)[1:-1] for character in text
    )


def page_footer(page: Any) -> str:  # noqa: ANN401 - a Page of anything
    """Say which part of a listing is shown."""
    if not page.total:
        return "none"
    if not page.items:
        return f"none from {page.offset + 1:,} on; there are {page.total:,}"
    return f"{page.offset + 1:,}-{page.offset + len(page.items):,} of {page.total:,}"
