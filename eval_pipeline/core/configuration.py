"""Checks of what a person asks for, before it is held against datasets and settings; the same in every flow.

Also the digest of what is frozen of it.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import TypeVar, assert_never

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.options import OptionKind, RunOption, keys_of, options_of, word_types

MAX_COST_USD = 1e9
RequestT = TypeVar("RequestT")


def read_request(request: type[RequestT], values: Json, /) -> RequestT:
    """Read a configuration file or form as the request of a flow."""
    return request(**read_given(request, values))


def read_given(request: type, values: Json, /) -> JsonDict:
    """Read what a configuration file or form sets of a request; only words and simple kinds are made what they mean."""
    options = {option.name: option for option in options_of(request)}
    given = read_mapping(values, options=tuple(options.values()))
    words = word_types(request)
    return {
        name: _word(value, option=options[name], words=words[name]) if name in words else value
        for name, value in given.items()
    }


def _word(value: object, *, option: RunOption, words: type[StrEnum]) -> StrEnum:
    word = str(value)
    try:
        return words(option.also.get(word, word))
    except ValueError as error:
        about = option.name.replace("_", " ")
        raise invalid_config(f"unknown {about} {shown(word)}", f"use {' or '.join(words)}") from error


def read_mapping(values: Json, *, options: Sequence[RunOption]) -> JsonDict:
    """Read a configuration file or form; an unknown key is an error, not ignored. Null means the default."""
    known = keys_of(options)
    unknown = sorted(set(values) - known, key=str)
    if unknown:
        raise invalid_config(
            f"unknown key {shown(str(unknown[0]))} in the run configuration", f"known: {', '.join(sorted(known))}"
        )
    given = {key: value for key, value in values.items() if value is not None}
    if "dataset" in known and not given.get("dataset"):
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


def check_range(name: str, *, value: float, low: float, high: float) -> None:
    """Raise unless ``low <= value <= high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise invalid_config(f"{name} is {shown(str(value))}", f"give a number from {low:g} to {high:g}")


def invalid_config(message: str, hint: str) -> UsageError:
    """Build the error of a configuration that cannot be used."""
    return UsageError(message, code="invalid_config", hint=hint)
