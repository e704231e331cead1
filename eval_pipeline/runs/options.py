"""What a person may set of a run or of a stage, each thing once: Launchpad form and command line come from it.

Imported with every declaration of a flow, so nothing heavy stands here.
"""

from dataclasses import dataclass
from enum import StrEnum


class OptionKind(StrEnum):
    """What values an option takes."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    TEXTS = "texts"
    VALUES = "texts or mappings"
    MAPPING = "mapping"
    CONFIG_FILE = "file"
    """Of the command line alone: the file that may hold all others. It stands where help shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOption:
    """One thing that a person may set."""

    name: str
    """Its key in files and forms."""
    kind: OptionKind = OptionKind.TEXT
    form: str = ""
    """What the Launchpad says of it."""
    default: str | None = None
    """What the Launchpad shows where nothing is set; of texts alone."""
    flag: str | None = None
    """How the command line calls it, without dashes; by default its name. "" means: not on the command line."""
    help: str = ""
    """What the command line says of it."""
    metavar: str | None = None
    choices: tuple[str, ...] = ()


FAILURE_THRESHOLD = RunOption(
    name="failure_threshold",
    kind=OptionKind.NUMBER,
    metavar="SHARE",
    help="The run fails (exit code 100) when failed / total is greater; 0 to 1, default 0.5.",
    form="The run fails above this share of failures.",
)
CONCURRENCY = RunOption(
    name="concurrency",
    kind=OptionKind.WHOLE,
    metavar="N",
    help="Live calls under way at once; default EVAL_FAST_API_CONCURRENCY.",
    form="Live calls under way at once.",
)
MAX_COST_USD = RunOption(
    name="max_cost_usd",
    kind=OptionKind.NUMBER,
    metavar="USD",
    help="Stop, resumable (exit code 101), before the run costs more.",
    form="The run stops, resumable, before it costs more.",
)


def config_file(help_text: str) -> RunOption:
    """Return the option that names a file with settings of a run."""
    return RunOption(
        name="config_file", kind=OptionKind.CONFIG_FILE, flag="config", metavar="FILE.yaml", help=help_text
    )
