"""Whose keys a run uses: the process environment, or a file that gives every project its own."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import DEFAULT_PROJECT, shown
from eval_pipeline.core.providers import KEY_VARIABLES, OTHER_KEY_VARIABLES, TITLES, URL_VARIABLES, Provider
from eval_pipeline.core.secrets import know_secrets, secrets_in_url
from eval_pipeline.intake.handed_file import read_small_file
from eval_pipeline.intake.yaml_file import UnreadableYamlError, read_yaml

_PUBLIC_URLS = {
    Provider.OPENAI: "https://api.openai.com/v1",
    Provider.GEMINI: "https://generativelanguage.googleapis.com",
}
_HOST_LIKE = re.compile(r"[a-z]+://|[\w-]+(\.[\w-]+)+([:/]|$)|localhost\b")
"""What is shown of a wrong address: a key that was pasted into the wrong variable is not."""
LANGFUSE_URL = "https://cloud.langfuse.com"
_KNOWN = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
    "LANGFUSE_BASE_URL",
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The provider variables of one project; keys never show."""

    langfuse_base_url: str
    base_urls: Mapping[Provider, str]
    api_keys: Mapping[Provider, str] = field(repr=False)
    langfuse_public_key: str | None = field(default=None, repr=False)
    langfuse_secret_key: str | None = field(default=None, repr=False)
    key_variables: Mapping[Provider, str] = field(default_factory=lambda: KEY_VARIABLES)
    """Where each key came from, or belongs."""

    @property
    def traces_to_langfuse(self) -> bool:
        """Whether both Langfuse keys are there."""
        return bool(self.langfuse_public_key and self.langfuse_secret_key)

    def base_url(self, provider: Provider) -> str:
        """Where a provider is reached."""
        return self.base_urls[provider]

    def has_key(self, provider: Provider) -> bool:
        """Whether the provider can be asked at all."""
        return provider in self.api_keys

    def require_key(self, provider: Provider) -> str:
        """Return the provider's key, or raise ``missing_api_key``."""
        variable = self.key_variables[provider]
        if self.has_key(provider):
            return _fit_for_header(variable, self.api_keys[provider])
        raise UsageError(
            f"no API key for {self.base_url(provider)}: {variable} is not set",
            code="missing_api_key",
            hint=f"set {variable} (any text will do for a server that checks none) and, if it is not "
            f"{TITLES[provider]} itself, {URL_VARIABLES[provider]}",
        )

    def require_langfuse_keys(self) -> tuple[str, str]:
        """Return Langfuse's public and secret key, or raise when one could not be sent."""
        public, secret = self.langfuse_public_key or "", self.langfuse_secret_key or ""
        return _fit_for_header("LANGFUSE_PUBLIC_KEY", public), _fit_for_header("LANGFUSE_SECRET_KEY", secret)


def _fit_for_header(variable: str, key: str) -> str:
    """Return a key that can be sent; one with a line break or a typographic dash in it was pasted wrongly."""
    for place, character in enumerate(key, start=1):
        if not "!" <= character <= "~":
            raise UsageError(
                f"{variable} has {_named(character)} as character {place} of {len(key)}, which cannot be sent",
                code="invalid_setting",
                hint=f"copy the key again, in one line and without quotes, into {variable}",
            )
    return key


def _named(character: str) -> str:
    """Name a character of a key without showing any other."""
    known = {"\n": "a line break", "\r": "a carriage return", " ": "a space", "\t": "a tab"}
    return known.get(character) or f"the character U+{ord(character):04X}"


def read_credentials(project: str, *, file: Path | None, environ: Mapping[str, str] | None = None) -> Credentials:
    """Collect a project's variables.

    Without a file every project uses the environment. With one, a project uses its own entry alone; only ``default``
    may fall back to the environment.
    """
    variables = dict(os.environ if environ is None else environ)
    if file is not None:
        entries = _read_file(file)
        for entry in entries.values():
            _keep_secret(entry)
        variables = entries.get(project, variables if project == DEFAULT_PROJECT else {})
    _keep_secret(variables)
    return Credentials(
        api_keys=_keys(variables),
        key_variables={provider: _key_variable(variables, provider) for provider in Provider},
        base_urls={
            provider: _url(variables, URL_VARIABLES[provider], default=url) for provider, url in _PUBLIC_URLS.items()
        },
        langfuse_public_key=variables.get("LANGFUSE_PUBLIC_KEY", "").strip() or None,
        langfuse_secret_key=variables.get("LANGFUSE_SECRET_KEY", "").strip() or None,
        langfuse_base_url=_url(variables, "LANGFUSE_BASE_URL", default=LANGFUSE_URL),
    )


def _keep_secret(variables: Mapping[str, str]) -> None:
    """Keep a project's keys out of all that is told or stored from now on, and the parts of one with a line break."""
    keys = [variables.get(name, "") for name in _KNOWN if name.endswith("_KEY")]
    know_secrets([*keys, *(part for key in keys for part in key.split())])
    for name in _KNOWN:
        if name.endswith("_URL"):
            know_secrets(secrets_in_url(variables.get(name, "")))


def _keys(variables: Mapping[str, str]) -> dict[Provider, str]:
    """Collect what is set; a key that is blank is none, and a line break behind one is not part of it."""
    keys = {provider: variables.get(_key_variable(variables, provider), "").strip() for provider in Provider}
    return {provider: key for provider, key in keys.items() if key}


def _key_variable(variables: Mapping[str, str], provider: Provider) -> str:
    """Name where a provider's key is; Google's SDK prefers GOOGLE_API_KEY where both of its names are."""
    other = OTHER_KEY_VARIABLES.get(provider)
    return other if other is not None and variables.get(other, "").strip() else KEY_VARIABLES[provider]


def _url(variables: Mapping[str, str], name: str, *, default: str) -> str:
    """Read an address, or raise before anything is sent to a place that cannot exist."""
    url = variables.get(name, "").strip() or default
    parts = _split(url)
    if parts is None:
        raise UsageError(
            f"{name} is no address of a server: it cannot be read as one",
            code="invalid_setting",
            hint=f"give a URL such as {default}, or leave it unset for that one",
        )
    surplus = {
        "a user name or password": parts.username or parts.password,
        "a question mark and what follows it": parts.query or "?" in url,
        "a fragment (#)": parts.fragment or "#" in url,
    }
    if found := [words for words, is_there in surplus.items() if is_there]:
        raise UsageError(
            f"{name} holds {' and '.join(found)}",
            code="invalid_setting",
            hint="give the address alone; keys have variables of their own, which never show",
        )
    if parts.scheme in {"http", "https"} and parts.hostname:
        return url
    raise UsageError(
        f"{name} is {shown(url) if _HOST_LIKE.match(url) else 'something'}, which is no address of a server",
        code="invalid_setting",
        hint=f"give a URL such as {default}, or leave it unset for that one",
    )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.port is None or parts.port > 0
    except ValueError:  # such as http://[x, or a port that is no number
        return None
    return parts if usable else None


def _read_file(file: Path) -> dict[str, dict[str, str]]:
    try:
        data = read_small_file(file)
    except UsageError as error:
        raise _bad_file(file, problem=error.message) from None
    entries = _parse(file, data)
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise _bad_file(file, problem="it is not a mapping of project to variables")
    return {str(project): _read_entry(file, project, entry) for project, entry in entries.items()}


def _read_entry(file: Path, project: object, entry: Mapping[object, object]) -> dict[str, str]:
    """Read one project's variables; one without a value is not set."""
    for name, value in entry.items():
        if name not in _KNOWN:
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
