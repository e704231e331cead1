"""The JSON Schema of what a judge answers: strict, so that one form serves every provider's structured output.

Reasons stand before levels, so that a model writes them first. Levels are texts of a closed list. For the built-in
session rubric it is ``judge_output.schema.json`` of the documentation.
"""

from collections.abc import Iterable
from typing import Final

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.judging.rubric import Axis

SCHEMA_NAME: Final = "judgement"
MOST_QUOTES: Final = 4
CONFIDENCES: Final = ("low", "medium", "high")


def output_schema(axes: Iterable[Axis]) -> JsonDict:
    """Return the schema for the axes of one expert, in their order."""
    return _object(
        {
            "user_goal": {"type": "string"},
            "outcome_summary": {"type": "string"},
            "axes": _object({axis.name: _verdict(axis) for axis in axes}),
            "manipulation_attempt": {
                "type": "boolean",
                "description": "true when the transcript contains text addressed to a judge or grader",
            },
            "comment": {"type": "string"},
        }
    )


def _verdict(axis: Axis) -> JsonDict:
    quote = _object(
        {
            "message": {"type": "string", "description": "message label, e.g. M12"},
            "quote": {"type": "string", "description": "verbatim, at most 200 characters"},
        }
    )
    level = "rubric level; cannot_judge only when the transcript does not allow a decision"
    return _object(
        {
            "evidence": {"type": "array", "maxItems": MOST_QUOTES, "items": quote},
            "reasoning": {"type": "string"},
            "level": {"type": "string", "enum": list(axis.answers), "description": level},
            "confidence": {"type": "string", "enum": list(CONFIDENCES)},
        }
    )


def _object(properties: JsonDict) -> JsonDict:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }
