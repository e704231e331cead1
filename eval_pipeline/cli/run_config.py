"""Run configurations in files and flags, as every flow's ``run`` takes them."""

from pathlib import Path

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.intake.handed_file import read_small_file
from eval_pipeline.intake.yaml_file import UnreadableYamlError, read_yaml


def read_settings(file: Path | None, flags: Json) -> JsonDict:
    """Join a run configuration with the flags, which win; raises ``invalid_config`` where a flow needs a dataset."""
    values = {**read_config(file), **{name: value for name, value in flags.items() if value not in (None, ())}}
    if "dataset" in flags and not values.get("dataset"):
        raise UsageError("no dataset was named", code="invalid_config", hint="give --dataset NAME")
    return values


def read_config(file: Path | None) -> Json:
    """Read a YAML run configuration; a mapping, or an error that names the line."""
    if file is None:
        return {}
    try:
        value = read_yaml(read_small_file(file))
    except UnreadableYamlError as error:
        where = f" line {error.line:,}" if error.line else ""
        raise UsageError(
            f"cannot read {file}{where}: {error.why}",
            code="invalid_config",
            hint="check the indentation there, and put text that looks like a date or number in quotes",
        ) from None
    except UsageError as error:
        raise UsageError(error.message, code="invalid_config", hint="give a YAML file") from None
    if value is None:  # nothing but comments
        return {}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise UsageError(
        f"{file} holds no mapping of settings", code="invalid_config", hint="write lines such as 'model: gpt-4o-mini'"
    )
