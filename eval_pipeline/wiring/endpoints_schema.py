"""The published JSON Schema of an endpoints file, made from the same models that check one.

An editor that knows it completes keys and marks mistakes while a person writes. It cannot know names that are there
twice, or which endpoints a price may be of: those the file's reader checks.
"""

from typing import Any, Final

from pydantic import BaseModel

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.protocols import BUILT_IN, ApiProtocol
from eval_pipeline.core.recorded import RECORDED
from eval_pipeline.providers.entry import EndpointEntry, PriceEntry
from eval_pipeline.wiring.endpoints_file import NAME
from eval_pipeline.wiring.protocols import PROTOCOLS, plan_of

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def endpoints_schema() -> JsonDict:
    """Return the schema of the whole file."""
    definitions: dict[str, Any] = {"price": _schema(PriceEntry, {})}
    for protocol in PROTOCOLS:
        definitions[str(protocol)] = _entry_schema(protocol, definitions)
    entries = [{"$ref": f"#/$defs/{protocol}"} for protocol in PROTOCOLS]
    names = {"pattern": f"^{NAME.pattern}$", "not": {"enum": [*BUILT_IN, RECORDED]}}
    return {
        "$schema": _DIALECT,
        "title": "Endpoints of eval-pipeline",
        "description": "Whom models are asked beside the built-in endpoints, and own prices: docs/endpoints.md",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "endpoints": {
                "type": ["object", "null"],
                "propertyNames": names,
                "additionalProperties": {"oneOf": entries},
            },
            "prices": {
                "type": ["object", "null"],
                "propertyNames": {"pattern": "^[^/]+/.+$"},
                "additionalProperties": {"$ref": "#/$defs/price"},
            },
        },
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }


def _entry_schema(protocol: ApiProtocol, definitions: dict[str, Any]) -> JsonDict:
    plan = plan_of(protocol)
    schema = _schema(EndpointEntry if plan.entry is None else plan.entry(), definitions)
    schema["properties"]["protocol"] = {"const": str(protocol)}
    if plan.needs_url and plan.default_url is None:
        schema["required"] = sorted({*schema.get("required", ()), "base_url"})
    both = {"not": {"required": ["key", "key_file"]}}
    one = {"oneOf": [{"required": ["key"]}, {"required": ["key_file"]}]}
    return {**schema, **(one if plan.needs_key else both)}


def _schema(model: type[BaseModel], definitions: dict[str, Any]) -> JsonDict:
    """Return the schema of one model; those that it refers to are put beside the others."""
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    definitions.pop(ApiProtocol.__name__, None)
    return schema
