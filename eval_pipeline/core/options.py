"""What a person may set of a run or of a stage, each thing once: how it is read, told and asked for comes from it.

Imported with every declaration of a flow, so nothing heavy stands here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class OptionKind(StrEnum):
    """What values an option takes."""

    TEXT = "text"
    WORD = "one of a few words"
    """As its flow reads it: also a word of another kind is told as an unknown one."""
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
    """What the Launchpad says of it; what the command line says, where that is the same."""
    default: str | None = None
    """What the Launchpad shows where nothing is set; of texts alone."""
    flag: str | None = None
    """How the command line calls it, without dashes; by default its name. "" means: not on the command line."""
    help: str = ""
    """What the command line says of it."""
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    page: str = ""
    """What the documentation says of it."""
    unset: str = ""
    """What the documentation says of a run that does not set it."""


FAILURE_THRESHOLD = RunOption(
    name="failure_threshold",
    kind=OptionKind.NUMBER,
    metavar="SHARE",
    help="The run fails (exit code 100) when failed / total is greater; 0 to 1, default 0.5.",
    form="The run fails above this share of failures.",
    page="The run fails when failed / total is greater; 0 to 1.",
    unset="`EVAL_BATCH_FAILURE_THRESHOLD`; of live calls, `EVAL_FAST_FAILURE_THRESHOLD`",
)
CONCURRENCY = RunOption(
    name="concurrency",
    kind=OptionKind.WHOLE,
    metavar="N",
    help="Live calls under way at once; default EVAL_FAST_API_CONCURRENCY.",
    form="Live calls under way at once.",
    page="Live calls under way at once; 1 to 1,000.",
    unset="`EVAL_FAST_API_CONCURRENCY`",
)
MAX_COST_USD = RunOption(
    name="max_cost_usd",
    kind=OptionKind.NUMBER,
    metavar="USD",
    help="Stop, resumable (exit code 101), before the run costs more.",
    form="The run stops, resumable, before it costs more.",
    page="The run stops, resumable, before it costs more. Needs a model with a published price.",
    unset="no limit",
)


def config_file(help_text: str) -> RunOption:
    """Return the option that names a file with settings of a run."""
    return RunOption(
        name="config_file", kind=OptionKind.CONFIG_FILE, flag="config", metavar="FILE.yaml", help=help_text
    )


def keys_of(options: Iterable[RunOption]) -> frozenset[str]:
    """Return the keys that a file or a form may have."""
    return frozenset(option.name for option in options if option.kind is not OptionKind.CONFIG_FILE)
