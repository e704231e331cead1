"""Checks of what a person asks for, before it is held against datasets and settings; the same in every flow.

Also the digest of what is frozen of it.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import assert_never

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.options import OptionKind, RunOption, keys_of
from eval_pipeline.core.runs import RunMode

MAX_COST_USD = 1e9


def read_mapping(values: Json, *, options: Sequence[RunOption]) -> JsonDict:
    """Read a configuration file or form; an unknown key is an error, not ignored. Null means the default."""
    known = keys_of(options)
    unknown = sorted(set(values) - known, key=str)
    if unknown:
        raise invalid_config(
            f"unknown key {shown(str(unknown[0]))} in the run configuration", f"known: {', '.join(sorted(known))}"
        )
    given = {key: value for key, value in values.items() if value is not None}
    if not given.get("dataset"):
        raise invalid_config("no dataset was named", "give the name of a dataset: eval-pipeline dataset list")
    for option in options:
        if option.name in given:
            _check_kind(option, given[option.name])
    return given


def _check_kind(option: RunOption, value: object) -> None:
    """Raise for a name that is no text, or a count that is no whole number; what is more is checked by its flow."""
    key, is_number = option.name, not isinstance(value, bool) and isinstance(value, int | float)
    match option.kind:
        case OptionKind.TEXT:
            if not isinstance(value, str):
                raise invalid_config(
                    f"{key} is {shown(str(value))}, which is no text", f"write {key} as text, a number in quotes"
                )
        case OptionKind.WHOLE:
            if not (is_number and isinstance(value, int)):
                raise invalid_config(f"{key} is {shown(str(value))}", "give a whole number")
        case OptionKind.NUMBER:
            if not is_number:
                raise invalid_config(f"{key} is {shown(str(value))}", "give a number")
        case OptionKind.WORD | OptionKind.TEXTS | OptionKind.VALUES | OptionKind.MAPPING | OptionKind.CONFIG_FILE:
            pass
        case _:
            assert_never(option.kind)


def canonical_sha256(document: Json) -> str:
    """Return the digest of a frozen specification: of its JSON without spaces, keys in order."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()


def parse_mode(value: object) -> RunMode:
    """Read a run mode."""
    try:
        return RunMode(str(value))
    except ValueError as error:
        raise invalid_config(f"unknown mode {shown(str(value))}", "use batch or fast") from error


def check_range(name: str, *, value: float, low: float, high: float) -> None:
    """Raise unless ``low <= value <= high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise invalid_config(f"{name} is {shown(str(value))}", f"give a number from {low:g} to {high:g}")


def invalid_config(message: str, hint: str) -> UsageError:
    """Build the error of a configuration that cannot be used."""
    return UsageError(message, code="invalid_config", hint=hint)
