"""The published JSON Schema of a session, one line of JSON Lines: what other programs write sessions by.

It says what ``checking`` checks; that alone is what is held against sessions, at a thousandth of a validator's time.
"""

from typing import Final

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.session_eval.sessions.checking import (
    FORMATS,
    MAX_ID_CHARACTERS,
    PART_KINDS,
    RATINGS,
    ROLES,
    SCHEMA,
    TOOL_KINDS,
)

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_MOMENT: Final = {"type": ["string", "null"], "format": "date-time"}


def session_schema() -> JsonDict:
    """Return the schema of one line."""
    return {
        "$schema": _DIALECT,
        "$id": "eval_pipeline/session.v1",
        "title": "Session (one JSONL line)",
        "type": "object",
        "additionalProperties": False,
        "required": ["schema", "session_id", "messages"],
        "properties": {
            "schema": {"const": SCHEMA},
            "session_id": {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARACTERS},
            "profile_id": _TEXT_OR_NULL,
            "name": _TEXT_OR_NULL,
            "pinned": {"type": "boolean", "default": False},
            "created_at": _MOMENT,
            "last_active": _MOMENT,
            "source": _source(),
            "tools": {"type": "array", "items": _tool()},
            "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/message"}},
            "feedback": {"type": "array", "items": _feedback()},
            "outcome": _outcome(),
            "metadata": {"type": "object"},
        },
        "$defs": {"message": _message(), "part": _part()},
    }


def _source() -> JsonDict:
    return {
        "type": "object",
        "properties": {"format": {"enum": list(FORMATS)}, "uri": _TEXT, "id": _TEXT},
        "required": ["format"],
        "additionalProperties": True,
    }


def _tool() -> JsonDict:
    return {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": _TEXT,
            "description": _TEXT_OR_NULL,
            "parameters": {"type": ["object", "null"]},
            "kind": {"enum": list(TOOL_KINDS)},
        },
        "additionalProperties": True,
    }


def _feedback() -> JsonDict:
    return {
        "type": "object",
        "required": ["message_index", "rating"],
        "properties": {
            "message_index": {"type": "integer", "minimum": 0},
            "message_id": _TEXT_OR_NULL,
            "rating": {"enum": list(RATINGS)},
            "comment": _TEXT_OR_NULL,
            "user": _TEXT_OR_NULL,
            "created_at": _MOMENT,
        },
        "additionalProperties": False,
    }


def _outcome() -> JsonDict:
    return {
        "type": ["object", "null"],
        "description": "verified environment outcome, never shown to the judge",
        "properties": {
            "reward": {"type": ["number", "null"]},
            "success": {"type": ["boolean", "null"]},
            "source": _TEXT,
        },
        "additionalProperties": True,
    }


def _message() -> JsonDict:
    parts = {"type": "array", "items": {"$ref": "#/$defs/part"}}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["role"],
        "properties": {
            "id": _TEXT_OR_NULL,
            "role": {"enum": list(ROLES)},
            "content": {"anyOf": [_TEXT, {"type": "null"}, parts]},
            "reasoning": _TEXT_OR_NULL,
            "name": _TEXT_OR_NULL,
            "agent": {**_TEXT_OR_NULL, "description": "agent/sub-agent that spoke; null = root"},
            "tool_calls": {"type": ["array", "null"], "items": _tool_call()},
            "tool_call_id": _TEXT_OR_NULL,
            "error": _TEXT_OR_NULL,
            "created_at": _MOMENT,
            "model": _TEXT_OR_NULL,
            "usage": {
                "type": ["object", "null"],
                "properties": {"input_tokens": {"type": "integer"}, "output_tokens": {"type": "integer"}},
                "additionalProperties": True,
            },
            "latency_ms": {"type": ["number", "null"]},
        },
    }


def _tool_call() -> JsonDict:
    return {
        "type": "object",
        "required": ["id", "name", "arguments"],
        "properties": {
            "id": _TEXT,
            "name": _TEXT,
            "arguments": {
                "description": "decoded JSON object, or the raw string when undecodable",
                "type": ["object", "string", "array", "null"],
            },
        },
        "additionalProperties": False,
    }


def _part() -> JsonDict:
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(PART_KINDS)}, "text": _TEXT, "uri": _TEXT, "mime_type": _TEXT},
        "additionalProperties": True,
    }
