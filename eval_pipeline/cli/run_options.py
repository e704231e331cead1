"""The options that the verbs of every flow take alike, each group in the order in which help shows it."""

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from eval_pipeline.cli.output import common_options

P = ParamSpec("P")
R = TypeVar("R")


def launch_options(run: Callable[P, R]) -> Callable[P, R]:
    """Give ``run`` its ways to begin, and the common options."""
    estimate = click.option("--estimate", is_flag=True, help="Only check everything and say what it would cost.")
    wait = click.option(
        "--wait/--no-wait",
        default=True,
        show_default=True,
        help="Follow it here to its end, or leave it to the daemon.",
    )
    return estimate(wait(common_options(run)))


def export_options(export: Callable[P, R]) -> Callable[P, R]:
    """Give ``export`` its file, and the common options."""
    output = click.option(
        "--output",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        required=True,
        help="Ends in .csv, .jsonl, .parquet or .xlsx.",
    )
    bom = click.option("--bom", is_flag=True, help="Begin the CSV with a byte order mark, for Excel.")
    return output(bom(common_options(export)))
