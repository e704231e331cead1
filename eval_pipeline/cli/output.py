"""What every verb shares: its common options, and how results are written to stdout."""

import json
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import click

from eval_pipeline.core.names import DEFAULT_PROJECT

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
project_option = click.option("--project", default=DEFAULT_PROJECT, show_default=True, help="Whose data it is.")


def common_options(function: Callable[P, R]) -> Callable[P, R]:
    """Give a verb ``--json`` and ``--project``."""
    return json_option(project_option(function))


def write_json(document: object) -> None:
    """Write one JSON document to stdout; floats at full precision, never NaN."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False, default=str))


def write_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write an aligned table to stdout; cells are untrusted, so control characters are shown, not obeyed."""
    lines = [[printable(str(cell)) for cell in row] for row in [headers, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def printable(text: str) -> str:
    """Replace characters that a terminal would obey."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def page_footer(page: Any) -> str:  # noqa: ANN401 - a Page of anything
    """Say which part of a listing is shown."""
    if not page.total:
        return "none"
    return f"{page.offset + 1:,}-{page.offset + len(page.items):,} of {page.total:,}"
