"""Whose keys a run uses: the process environment, or a file that gives every project its own."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import DEFAULT_PROJECT
from eval_pipeline.core.protocols import BUILT_IN, GEMINI, OPENAI
from eval_pipeline.core.secrets import know_secrets, secrets_in_url
from eval_pipeline.intake.handed_file import read_small_file
from eval_pipeline.intake.yaml_file import UnreadableYamlError, read_yaml
from eval_pipeline.wiring.addresses import check_address
from eval_pipeline.wiring.keys import fit_for_header

KEY_VARIABLES: Final = MappingProxyType({OPENAI: "OPENAI_API_KEY", GEMINI: "GEMINI_API_KEY"})
_OTHER_KEY_VARIABLES: Final = MappingProxyType({GEMINI: "GOOGLE_API_KEY"})
"""Names that win over the first ones where both are set, as in the vendor's own client."""
FORMER_KEY_VARIABLES: Final = MappingProxyType({OPENAI: "OPENAI_FORMER_API_KEYS", GEMINI: "GEMINI_FORMER_API_KEYS"})
"""Keys that a project had before, spaces or commas between them: batches are looked for under each."""
TITLES: Final = MappingProxyType({OPENAI: "OpenAI", GEMINI: "Gemini"})
URL_VARIABLES: Final = MappingProxyType({OPENAI: "OPENAI_BASE_URL", GEMINI: "GOOGLE_GEMINI_BASE_URL"})
_PUBLIC_URLS: Final = MappingProxyType(
    {OPENAI: "https://api.openai.com/v1", GEMINI: "https://generativelanguage.googleapis.com"}
)
LANGFUSE_URL = "https://cloud.langfuse.com"
ENDPOINTS_FILE: Final = "EVAL_ENDPOINTS_FILE"
_KNOWN = (
    "OPENAI_API_KEY",
    "OPENAI_FORMER_API_KEYS",
    "OPENAI_BASE_URL",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GEMINI_FORMER_API_KEYS",
    "GOOGLE_GEMINI_BASE_URL",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
    "LANGFUSE_BASE_URL",
    ENDPOINTS_FILE,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The provider variables of one project; keys never show."""

    langfuse_base_url: str
    base_urls: Mapping[str, str]
    """Of the built-in endpoints, by name; so are the others."""
    api_keys: Mapping[str, str] = field(repr=False)
    langfuse_public_key: str | None = field(default=None, repr=False)
    langfuse_secret_key: str | None = field(default=None, repr=False)
    key_variables: Mapping[str, str] = field(default_factory=lambda: KEY_VARIABLES)
    """Where each key came from, or belongs."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All that the project's variables are."""
    endpoints_file: Path | None = None
    """Where endpoints beside the built-in ones are written down."""

    @property
    def traces_to_langfuse(self) -> bool:
        """Whether both Langfuse keys are there."""
        return bool(self.langfuse_public_key and self.langfuse_secret_key)

    def former_keys(self, variable: str) -> tuple[str, ...]:
        """Return the keys that a variable lists; a line break, a space or a comma stands between two."""
        return tuple(self.variables.get(variable, "").replace(",", " ").split())

    def require_langfuse_keys(self) -> tuple[str, str]:
        """Return Langfuse's public and secret key, or raise when one could not be sent."""
        public, secret = self.langfuse_public_key or "", self.langfuse_secret_key or ""
        return fit_for_header("LANGFUSE_PUBLIC_KEY", public), fit_for_header("LANGFUSE_SECRET_KEY", secret)


def read_credentials(
    project: str, *, file: Path | None, environ: Mapping[str, str] | None = None, endpoints_file: Path | None = None
) -> Credentials:
    """Collect a project's variables.

    Without a file every project uses the environment. With one, a project uses its own entry alone; only ``default``
    may fall back to the environment. What an endpoints file calls ``${VARIABLE}`` is looked up in the same place.

    Args:
        project: whose they are.
        file: maps projects to their variables.
        environ: of the process.
        endpoints_file: of all projects; the entry of one may name its own.
    """
    variables = dict(os.environ if environ is None else environ)
    if file is not None:
        entries = _read_file(file, endpoints_file=endpoints_file)
        for entry in entries.values():
            _keep_secret(entry)
        variables = entries.get(project, variables if project == DEFAULT_PROJECT else {})
        own = entries.get(project, {}).get(ENDPOINTS_FILE, "").strip()
        endpoints_file = file.parent / own if own else endpoints_file
    _keep_secret(variables)
    return Credentials(
        api_keys=_keys(variables),
        key_variables={name: _key_variable(variables, name) for name in BUILT_IN},
        base_urls={name: _url(variables, URL_VARIABLES[name], default=url) for name, url in _PUBLIC_URLS.items()},
        variables=variables,
        endpoints_file=endpoints_file,
        langfuse_public_key=variables.get("LANGFUSE_PUBLIC_KEY", "").strip() or None,
        langfuse_secret_key=variables.get("LANGFUSE_SECRET_KEY", "").strip() or None,
        langfuse_base_url=_url(variables, "LANGFUSE_BASE_URL", default=LANGFUSE_URL),
    )


def _keep_secret(variables: Mapping[str, str]) -> None:
    """Keep a project's keys out of all that is told or stored from now on, and the parts of one with a line break."""
    keys = [variables.get(name, "").replace(",", " ") for name in _KNOWN if name.endswith(("_KEY", "_KEYS"))]
    know_secrets([*keys, *(part for key in keys for part in key.split())])
    for name in _KNOWN:
        if name.endswith("_URL"):
            know_secrets(secrets_in_url(variables.get(name, "")))


def _keys(variables: Mapping[str, str]) -> dict[str, str]:
    """Collect what is set; a key that is blank is none, and a line break behind one is not part of it."""
    keys = {name: variables.get(_key_variable(variables, name), "").strip() for name in BUILT_IN}
    return {name: key for name, key in keys.items() if key}


def _key_variable(variables: Mapping[str, str], name: str) -> str:
    """Name where a built-in endpoint's key is; Google's SDK prefers GOOGLE_API_KEY where both of its names are."""
    other = _OTHER_KEY_VARIABLES.get(name)
    return other if other is not None and variables.get(other, "").strip() else KEY_VARIABLES[name]


def _url(variables: Mapping[str, str], name: str, *, default: str) -> str:
    """Read an address, or raise before anything is sent to a place that cannot exist."""
    hint = f"give a URL such as {default}, or leave it unset for that one"
    return check_address(variables.get(name, "").strip() or default, words=name, hint=hint)


def _read_file(file: Path, *, endpoints_file: Path | None) -> dict[str, dict[str, str]]:
    try:
        data = read_small_file(file)
    except UsageError as error:
        raise _bad_file(file, problem=error.message) from None
    entries = _parse(file, data)
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise _bad_file(file, problem="it is not a mapping of project to variables")
    named = cache(lambda: _named_in(endpoints_file))
    return {str(project): _read_entry(file, project, entry, named=named) for project, entry in entries.items()}


def _named_in(endpoints_file: Path | None) -> frozenset[str]:
    """Return the variables that an endpoints file refers to."""
    if endpoints_file is None:
        return frozenset()
    from eval_pipeline.wiring.endpoints_file import read_endpoints_file  # noqa: PLC0415 - pydantic: where there is one

    return read_endpoints_file(endpoints_file).variables


def _read_entry(
    file: Path, project: object, entry: Mapping[object, object], *, named: Callable[[], frozenset[str]]
) -> dict[str, str]:
    """Read one project's variables; one without a value is not set.

    Beside the known ones it may hold those that the endpoints file names; with a file of its own, any.
    """
    for name, value in entry.items():
        if name not in _KNOWN and not entry.get(ENDPOINTS_FILE) and name not in named():
            raise _bad_file(file, problem=f"project {project!r} has the unknown variable {name!r}")
        if isinstance(value, dict | list):
            raise _bad_file(file, problem=f"{name} of project {project!r} is no text")
    return {str(name): str(value) for name, value in entry.items() if value is not None}


def _parse(file: Path, data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8-sig")) if file.suffix == ".json" else read_yaml(data)
    except UnreadableYamlError as error:
        where = f"line {error.line:,}: " if error.line else ""
        raise _bad_file(file, problem=f"{where}{error.why}") from None
    except json.JSONDecodeError as error:
        raise _bad_file(file, problem=f"line {error.lineno} is not JSON") from None
    except UnicodeDecodeError:
        raise _bad_file(file, problem="it is no UTF-8 text") from None
    except (ValueError, RecursionError):
        raise _bad_file(file, problem="it holds brackets without end, or a number of thousands of digits") from None


def _bad_file(file: Path, *, problem: str) -> UsageError:
    return UsageError(
        f"the credentials file {file} cannot be used: {problem}",
        code="invalid_setting",
        hint=f"it maps each project to some of {', '.join(_KNOWN)}",
    )
