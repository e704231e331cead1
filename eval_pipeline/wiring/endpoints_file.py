"""The file of endpoints and own prices, read and checked; what is wrong is told by place, never by value.

``${VARIABLE}`` may stand unquoted in braces, as people write it, where YAML itself would take it for a mapping.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.own_prices import OwnPrice
from eval_pipeline.core.protocols import BUILT_IN, ApiProtocol
from eval_pipeline.core.recorded import RECORDED
from eval_pipeline.core.secrets import know_secrets
from eval_pipeline.intake.handed_file import read_small_file
from eval_pipeline.intake.yaml_file import UnreadableYamlError, read_yaml
from eval_pipeline.providers.entry import EndpointEntry, PriceEntry
from eval_pipeline.wiring.filling import VARIABLE, variables_in
from eval_pipeline.wiring.protocols import PROTOCOLS, plan_of

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_OPEN, _CLOSE = "\ue000", "\ue001"
"""Stand for the braces of a variable while YAML is read; of private use, so that no text has them."""
_BACK: Final = re.compile(f"{_OPEN}([A-Za-z0-9_]+){_CLOSE}")
_KINDS: Final = ("endpoints", "prices")
_KEY_HINT: Final = "give key: ${VARIABLE} and set that variable, or key_file: FILE, or key: none"
_ENTRY: Final = TypeAdapter(EndpointEntry)
_PRICE: Final = TypeAdapter(PriceEntry)


@dataclass(frozen=True, slots=True)
class EndpointsFile:
    """What a file says, checked."""

    path: Path
    entries: Mapping[str, EndpointEntry]
    prices: Mapping[str, Mapping[str, OwnPrice]]
    """By endpoint and model."""
    variables: frozenset[str]
    """Names that it refers to."""


def read_endpoints_file(path: Path) -> EndpointsFile:
    """Read and check a file, whatever of it is used."""
    content = _read(path)
    if not isinstance(content, Mapping):
        raise _bad_file(path, "it is not a mapping with endpoints and prices")
    if unknown := next((key for key in content if key not in _KINDS), None):
        raise _bad_file(path, f"unknown key {shown(str(unknown))}", hint=f"known: {', '.join(_KINDS)}")
    named, priced = (content.get(kind) or {} for kind in _KINDS)
    if not isinstance(named, Mapping) or not isinstance(priced, Mapping):
        raise _bad_file(path, "endpoints and prices are mappings of a name to what it is")
    entries = {_name(path, name): _entry(path, str(name), entry) for name, entry in named.items()}
    return EndpointsFile(
        path=path,
        entries=entries,
        prices=_prices(path, priced, known=[*BUILT_IN, *entries]),
        variables=frozenset(variables_in(named)),
    )


def _read(path: Path) -> object:
    try:
        text = read_small_file(path).decode("utf-8-sig")
    except UsageError as error:
        raise _bad_file(path, error.message) from None
    except UnicodeDecodeError:
        raise _bad_file(path, "it is no UTF-8 text") from None
    try:
        content = read_yaml(VARIABLE.sub(rf"{_OPEN}\1{_CLOSE}", text).encode(), unique_keys=True)
    except UnreadableYamlError as error:
        where = f"line {error.line:,}: " if error.line else ""
        raise _bad_file(path, f"{where}{error.why}") from None
    return _with_braces(content)


def _with_braces(value: object) -> object:
    match value:
        case str():
            return _BACK.sub(r"${\1}", value)
        case dict():
            return {_with_braces(key): _with_braces(part) for key, part in value.items()}
        case list():
            return [_with_braces(part) for part in value]
        case _:
            return value


def _name(path: Path, name: object) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _bad_file(
            path,
            f"{shown(str(name))} cannot be an endpoint's name",
            hint="take 1 to 40 of A-Z a-z 0-9 _ -; in quotes if it is a number",
        )
    if name in {*BUILT_IN, RECORDED}:
        raise _bad_file(path, f"endpoint {name} is built in", hint="choose another name; ENDPOINT/MODEL then asks it")
    return name


def _entry(path: Path, name: str, given: object) -> EndpointEntry:
    if not isinstance(given, Mapping):
        raise _bad_file(path, f"endpoint {name} is no mapping", hint=f"such as {name}: {{protocol: openai_chat, …}}")
    try:
        protocol = ApiProtocol(str(given.get("protocol")))
    except ValueError:
        raise _bad_protocol(path, name, given) from None
    if protocol not in PROTOCOLS:
        raise _bad_protocol(path, name, given)
    kind = plan_of(protocol).entry
    adapter = _ENTRY if kind is None else TypeAdapter(kind())
    try:
        entry: EndpointEntry = adapter.validate_json(json.dumps(given, default=str))
    except (TypeError, ValueError, RecursionError) as error:
        if not isinstance(error, ValidationError):
            raise _bad_file(path, f"endpoint {name} holds what is no text, number, list or mapping") from None
        know_secrets([given["key"]] if isinstance(given.get("key"), str) else [])
        raise _told(path, f"endpoint {name}", error.errors(include_input=False, include_url=False)[0]) from None
    return _checked(path, name, entry)


def _bad_protocol(path: Path, name: str, given: Mapping[object, object]) -> UsageError:
    known = ", ".join(protocol for protocol in PROTOCOLS)
    if "protocol" not in given:
        return _bad_file(path, f"endpoint {name} has no protocol", hint=f"add one of: {known}")
    return _bad_file(path, f"the protocol of endpoint {name} is none that is known", hint=f"known: {known}")


def _checked(path: Path, name: str, entry: EndpointEntry) -> EndpointEntry:
    plan = plan_of(entry.protocol)
    if entry.key is not None and entry.key_file is not None:
        raise _bad_file(path, f"endpoint {name} has both key and key_file", hint="leave one of them out")
    if plan.needs_key and entry.key is None and entry.key_file is None:
        raise _bad_file(path, f"endpoint {name} does not say which key it takes", hint=_KEY_HINT)
    if plan.needs_url and entry.base_url is None and plan.default_url is None:
        raise _bad_file(path, f"endpoint {name} has no base_url", hint=f"such as {plan.url_example}")
    return entry


def _prices(path: Path, given: Mapping[object, object], *, known: Iterable[str]) -> dict[str, dict[str, OwnPrice]]:
    names = set(known)
    prices: dict[str, dict[str, OwnPrice]] = {}
    for text, price in given.items():
        endpoint, _, model = str(text).partition("/")
        if endpoint not in names or not model:
            raise _bad_file(
                path,
                f"the price of {shown(str(text))} is of no endpoint that is known",
                hint=f"name it ENDPOINT/MODEL; endpoints: {', '.join(sorted(names))}",
            )
        try:
            entry: PriceEntry = _PRICE.validate_json(json.dumps(price, default=str))
        except ValidationError as error:
            raise _told(path, f"the price of {text}", error.errors(include_input=False, include_url=False)[0]) from None
        prices.setdefault(endpoint, {})[model] = OwnPrice.from_json(entry.model_dump(mode="json", exclude_none=True))
    return prices


def _told(path: Path, what: str, error: ErrorDetails) -> UsageError:
    """Say which key of an entry is wrong, without its value."""
    place = ".".join(str(part) for part in error["loc"])
    match error["type"], place:
        case "extra_forbidden", _:
            return _bad_file(path, f"{what} has the unknown key {shown(place)}", hint="docs/endpoints.md lists them")
        case "missing", _:
            return _bad_file(path, f"{what} has no {place}", hint="docs/endpoints.md shows it")
        case "string_pattern_mismatch", "key":
            return _bad_file(path, f"the key of {what} is written into the file", hint=_KEY_HINT)
        case _:
            return _bad_file(path, f"{place or 'it'} of {what}: {error['msg']}", hint="docs/endpoints.md shows it")


def _bad_file(path: Path, problem: str, *, hint: str = "") -> UsageError:
    return UsageError(
        f"the endpoints file {path} cannot be used: {problem}",
        code="invalid_endpoints_file",
        hint=hint or "it has endpoints, and prices where there are own ones: docs/endpoints.md shows it",
    )
