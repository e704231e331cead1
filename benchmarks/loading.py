"""What loading costs: the code location against ``import dagster``, and a command that needs no Dagster."""

import sys
from typing import Final

from benchmarks.figures import Figure
from benchmarks.live_runs import EVAL_PIPELINE, Site
from benchmarks.measure import run, side_by_side

LOADING_ALLOWED: Final = 1.3
_REPEATS: Final = 5
_LIST_AND_LOOK: Final = """
import sys
from eval_pipeline.cli.main import run_command
code = run_command(["dataset", "list", "--json"])
sys.stdout.write(str(sum(name == "dagster" or name.startswith("dagster.") for name in sys.modules)))
sys.exit(code)
"""


def import_s(site: Site, module: str) -> float:
    """Return how long a fresh process takes to import a module."""
    return run([sys.executable, "-c", f"import {module}"], folder=site.folder, environ=site.environ).elapsed_s


def measure_loading(site: Site) -> list[Figure]:
    """Load the code location."""
    dagster_s, definitions_s = side_by_side(
        lambda: import_s(site, "dagster"), lambda: import_s(site, "eval_pipeline.definitions"), repeats=_REPEATS
    )
    return [
        Figure(
            what="loading `eval_pipeline.definitions`",
            measured=f"{definitions_s:.2f} s",
            limit=f"`import dagster` {dagster_s:.2f} s",
            ratio=definitions_s / dagster_s,
            allowed=LOADING_ALLOWED,
        )
    ]


def measure_listing(site: Site) -> list[Figure]:
    """List the datasets and look for Dagster among the imported modules."""
    looked = run([sys.executable, "-c", _LIST_AND_LOOK], folder=site.folder, environ=site.environ)
    imported = int(looked.output.rpartition("}")[2])
    listing = run([EVAL_PIPELINE, "dataset", "list"], folder=site.folder, environ=site.environ)
    return [
        Figure(
            what="Dagster modules that `dataset list` imports",
            measured=f"{imported}",
            limit=f"none; the command takes {listing.elapsed_s:.2f} s",
            ratio=float(imported),
            allowed=0.0,
        )
    ]
