"""The published JSON Schema of a panel file: what an editor completes and marks while a person writes one.

It cannot know whether an expert's axis is in the rubric, or whether a required axis has an expert: those the file's
reader checks.
"""

from typing import Final

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.judging.panel_file import (
    ALL_AXES,
    AXIS_NAME,
    EXPERT_ID,
    FULL,
    LEVEL,
    MOST_EXPERTS,
    MOST_LEVELS,
    OWN_PARAMS,
)
from eval_pipeline.judging.rubric import AppliesTo

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_LABEL: Final = {"type": ["string", "number"], "minLength": 1}
_TEXT: Final = {"type": "string", "pattern": r"\S"}


def panel_schema() -> JsonDict:
    """Return the schema of the whole file."""
    experts = {"type": "array", "minItems": 1, "maxItems": MOST_EXPERTS, "items": {"$ref": "#/$defs/expert"}}
    own = {"type": "array", "items": {"required": ["axes"]}}
    return {
        "$schema": _DIALECT,
        "title": "Panel of judges of eval-pipeline",
        "description": "Who judges, what is rated on which levels: docs/panels.md",
        "type": "object",
        "additionalProperties": False,
        "required": ["version", "rubric", "experts"],
        "properties": {
            "version": {**_LABEL, "description": "A label; a text that changes under the same label is refused."},
            "panel": {"const": FULL, "description": "Every expert rates all axes."},
            "rubric": {"$ref": "#/$defs/rubric"},
            "experts": experts,
        },
        "if": {"not": {"required": ["panel"]}},
        "then": {"properties": {"experts": own}},
        "$defs": {"rubric": _rubric(), "axis": _axis(), "expert": _expert()},
    }


def _rubric() -> JsonDict:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["version", "axes"],
        "properties": {
            "version": _LABEL,
            "axes": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": f"^{AXIS_NAME.pattern}$"},
                "additionalProperties": {"$ref": "#/$defs/axis"},
            },
        },
    }


def _axis() -> JsonDict:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["levels"],
        "properties": {
            "says": {**_TEXT, "description": "What is rated, what to look at, what to pass over."},
            "levels": {
                "type": "object",
                "description": "Level to its anchor: what a session on this level looks like.",
                "minProperties": 2,
                "maxProperties": MOST_LEVELS,
                "propertyNames": {"pattern": f"^{LEVEL.pattern}$"},
                "additionalProperties": _TEXT,
            },
            "required": {
                "type": "boolean",
                "default": True,
                "description": "false: a judge may say that it does not apply.",
            },
            "applies_to": {
                "enum": [str(to) for to in AppliesTo],
                "default": str(AppliesTo.ALL),
                "description": "Which items it is rated on, told by facts.",
            },
            "covariate": {
                "type": "boolean",
                "default": False,
                "description": "true: it describes the item, and is no part of a mean of quality.",
            },
            "evidence_from": {
                "type": "number",
                "minimum": 0,
                "description": "The level from which a verdict needs a quote that is there.",
            },
        },
    }


def _expert() -> JsonDict:
    named = {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^{AXIS_NAME.pattern}$"}}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "model"],
        "properties": {
            "id": {"type": "string", "pattern": f"^{EXPERT_ID.pattern}$"},
            "model": {"type": "string", "pattern": r"^\S{1,256}$", "description": "ENDPOINT/MODEL, or a bare name."},
            "axes": {"anyOf": [{"const": ALL_AXES}, named], "description": "What it rates."},
            "prompt": {**_TEXT, "description": "Its point of view, beside the rubric."},
            "params": {
                "type": "object",
                "propertyNames": {"not": {"enum": sorted(OWN_PARAMS)}},
                "description": "Of the request, such as temperature.",
            },
            "weight": {"type": "number", "minimum": 0, "default": 1},
            "schema": {
                "type": "boolean",
                "default": True,
                "description": "false: its server takes no JSON Schema; the judge is told it in words.",
            },
        },
    }
