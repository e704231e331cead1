"""Endpoints that a file writes down, with the key and the address that they have for a project.

Separate from the built-in ones: what is here imports pydantic, which only those who have such a file wait for.
"""

from pathlib import Path
from typing import Final

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.secrets import know_secrets, secrets_in_url
from eval_pipeline.intake.handed_file import read_small_file
from eval_pipeline.providers.entry import EndpointEntry
from eval_pipeline.wiring.addresses import check_address
from eval_pipeline.wiring.credentials import Credentials
from eval_pipeline.wiring.endpoint import Endpoint, Key
from eval_pipeline.wiring.endpoints_file import EndpointsFile
from eval_pipeline.wiring.filling import VARIABLE
from eval_pipeline.wiring.protocols import plan_of

KEYLESS: Final = "none"


def written_endpoint(name: str, credentials: Credentials, file: EndpointsFile) -> Endpoint:
    """Return an endpoint of a file with the variables of a project."""
    entry = file.entries[name]
    plan = plan_of(entry.protocol)
    given = entry.address or plan.default_url or ""
    words = f"base_url of endpoint {name} in {file.path}"
    if given:
        check_address(given, words=words, hint=f"give a URL such as {plan.url_example}")
        know_secrets(secrets_in_url(given))
    at_home = plan.default_url is not None and given.rstrip("/") == plan.default_url
    return Endpoint(
        name=name,
        protocol=entry.protocol,
        title=f"endpoint {name}",
        base_url=given,
        url_words=words,
        key=_key(name, entry, credentials, file.path),
        former_keys=_former_keys(entry, credentials),
        file=file.path,
        concurrency=entry.concurrency,
        has_batches=plan.batches is not None and (at_home if entry.batches is None else entry.batches),
        prices={**entry.prices_of(name), **file.prices.get(name, {})},
        more=entry.model_dump(mode="json", exclude=set(EndpointEntry.model_fields), exclude_unset=True),
        variables=credentials.variables,
    )


def _key(name: str, entry: EndpointEntry, credentials: Credentials, file: Path) -> Key:
    """Find the key of an endpoint; that there is none is told when it is used."""
    if entry.key_file is not None:
        return _key_in_file(file.parent / entry.key_file, name=name)
    found = VARIABLE.fullmatch(entry.key or KEYLESS)
    if found is None:
        return Key(None, f"key: none of endpoint {name} in {file}", is_wanted=False)
    variable = found[1]
    value = credentials.variables.get(variable, "").strip()
    know_secrets([value])
    return Key(
        value or None,
        variable,
        problem=f"{variable} of endpoint {name} is not set",
        remedy=f"set {variable}, or give endpoint {name} in {file} another key",
    )


def _former_keys(entry: EndpointEntry, credentials: Credentials) -> tuple[str, ...]:
    found = VARIABLE.fullmatch(entry.former_keys or "")
    keys = () if found is None else credentials.former_keys(found[1])
    know_secrets(keys)
    return keys


def _key_in_file(path: Path, *, name: str) -> Key:
    words = f"the key file {path}"
    remedy = f"write the key of endpoint {name}, and nothing else, into {path}"
    try:
        value = read_small_file(path).decode("utf-8-sig").strip()
    except UsageError as error:
        return Key(None, words, problem=error.message, remedy=remedy)
    except UnicodeDecodeError:
        return Key(None, words, problem=f"{words} is no text", remedy=remedy)
    know_secrets([value, *value.split()])
    return Key(value or None, words, problem=f"{words} is empty", remedy=remedy)
