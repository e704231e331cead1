"""What a person may set of a run or of a stage, each thing once: how it is read, told and asked for comes from it.

What may be set of a run is a field of its flow's request, which says its name, type and default, with the words about
it beside. Imported with every declaration of a flow, so nothing heavy stands here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from eval_pipeline.core.runs import RunMode


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

    name: str = ""
    """Its key in files and forms; of a request, its field says it."""
    kind: OptionKind = OptionKind.TEXT
    """Of a request, its field says what it is unless it is several things."""
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
    also: Mapping[str, str] = field(default_factory=dict)
    """Other words for a choice, which are taken and told nowhere."""
    page: str = ""
    """What the documentation says of it."""
    unset: str = ""
    """What the documentation says of a run that does not set it."""


OTHER_MODE_WORDS: Final[Mapping[str, str]] = MappingProxyType({"live": str(RunMode.FAST)})
"""What speech runs called the mode at first; it is the way in which single calls are made."""
FAILURE_THRESHOLD = RunOption(
    metavar="SHARE",
    help="The run fails (exit code 100) when failed / total is greater; 0 to 1, default 0.5.",
    form="The run fails above this share of failures.",
    page="The run fails when failed / total is greater; 0 to 1.",
    unset="`EVAL_BATCH_FAILURE_THRESHOLD`; of live calls, `EVAL_FAST_FAILURE_THRESHOLD`",
)
CONCURRENCY = RunOption(
    metavar="N",
    help="Live calls under way at once; default EVAL_FAST_API_CONCURRENCY.",
    form="Live calls under way at once.",
    page="Live calls under way at once; 1 to 1,000.",
    unset="`EVAL_FAST_API_CONCURRENCY`",
)
MAX_COST_USD = RunOption(
    metavar="USD",
    help="Stop, resumable (exit code 101), before the run costs more.",
    form="The run stops, resumable, before it costs more.",
    page="The run stops, resumable, before it costs more. Needs a model with a published price.",
    unset="no limit",
)


def options_of(request: type) -> tuple[RunOption, ...]:
    """Return what a person may set, as the fields of a request say it: ``Annotated[type, RunOption(…)]``."""
    return tuple(_option_of(each) for each in fields(request))


def word_types(request: type) -> dict[str, type[StrEnum]]:
    """Return the fields of a request that take one of a few words, with the words."""
    held = {each.name: _held_by(each)[0] for each in fields(request)}
    return {name: kind for name, kind in held.items() if isinstance(kind, type) and issubclass(kind, StrEnum)}


def _option_of(each: "Field[Any]") -> RunOption:
    kind, words = _held_by(each)
    option = replace(words, name=each.name)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return replace(
            option,
            kind=OptionKind.WORD,
            choices=tuple(str(word) for word in kind),
            default=None if each.default is None else str(each.default),
        )
    default = "" if each.default is MISSING else each.default
    shown = default if isinstance(default, str) and option.kind is OptionKind.TEXT else None
    return replace(option, kind=_NUMBERS.get(kind, option.kind), default=shown)


def _held_by(each: "Field[Any]") -> tuple[object, RunOption]:
    """Return what a field holds where it is set, which the default need not be, and the words about it."""
    kind, words = get_args(each.type)
    if get_origin(kind) in {UnionType, Union}:
        [kind] = [one for one in get_args(kind) if one is not NoneType]
    return kind, words


_NUMBERS: Final[Mapping[object, OptionKind]] = MappingProxyType({int: OptionKind.WHOLE, float: OptionKind.NUMBER})


def config_file(help_text: str) -> RunOption:
    """Return the option that names a file with settings of a run."""
    return RunOption(
        name="config_file", kind=OptionKind.CONFIG_FILE, flag="config", metavar="FILE.yaml", help=help_text
    )


def keys_of(options: Iterable[RunOption]) -> frozenset[str]:
    """Return the keys that a file or a form may have."""
    return frozenset(option.name for option in options if option.kind is not OptionKind.CONFIG_FILE)
