"""Fills in ``${VARIABLE}`` in what an endpoints file says: secrets stand in variables, never in the file."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.secrets import know_secrets

VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def variables_in(value: object) -> Iterator[str]:
    """Name the variables that a value of a file refers to."""
    match value:
        case str():
            yield from VARIABLE.findall(value)
        case Mapping():
            for part in value.values():
                yield from variables_in(part)
        case list() | tuple():
            for part in value:
                yield from variables_in(part)


def fill(value: Json, variables: Mapping[str, str], *, endpoint: str, file: Path | None) -> JsonDict:
    """Return a mapping with its variables filled in, which are kept secret from now on.

    Args:
        value: as the file says it.
        variables: of the project.
        endpoint: for the error's words.
        file: that says it.
    """
    for name in variables_in(value):
        if not variables.get(name, "").strip():
            raise UsageError(
                f"endpoint {endpoint} of {file} needs {name}, which is not set",
                code="invalid_setting",
                hint=f"set {name} where this process finds its variables, or take ${{{name}}} out of the file",
            )
        know_secrets([variables[name].strip()])
    filled: JsonDict = _filled(value, variables)
    return filled


def _filled(value: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str():
            return VARIABLE.sub(lambda found: variables[found[1]].strip(), value)
        case Mapping():
            return {key: _filled(part, variables) for key, part in value.items()}
        case list() | tuple():
            return [_filled(part, variables) for part in value]
        case _:
            return value
