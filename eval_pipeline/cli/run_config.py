"""Run configurations in files and flags, as every flow's ``run`` takes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval_pipeline.core.errors import UsageError


def read_settings(file: Path | None, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Join a run configuration with the flags, which win; raises ``invalid_config`` where no dataset is named."""
    values = {**read_config(file), **{name: value for name, value in flags.items() if value not in (None, ())}}
    if not values.get("dataset"):
        raise UsageError("no dataset was named", code="invalid_config", hint="give --dataset NAME")
    return values


def read_config(file: Path | None) -> Mapping[str, Any]:
    """Read a YAML run configuration; a mapping, or an error that names the line."""
    if file is None:
        return {}
    import yaml  # noqa: PLC0415 - only where a file is given

    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}", code="invalid_config", hint="give a YAML file") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise UsageError(
            f"{file}{where} is not YAML", code="invalid_config", hint="check the indentation there"
        ) from error
    except (ValueError, RecursionError) as error:  # a date that no calendar has; braces in braces without end
        raise UsageError(
            f"{file} cannot be read: {error}", code="invalid_config", hint="put text that looks like a date in quotes"
        ) from error
    if value is None:  # nothing but comments
        return {}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise UsageError(
        f"{file} holds no mapping of settings", code="invalid_config", hint="write lines such as 'model: gpt-4o-mini'"
    )
