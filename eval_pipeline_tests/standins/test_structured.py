from collections.abc import Callable
from typing import Any

import pytest

from eval_pipeline.standins.structured import instance

LIST = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name", "next"],
        },
    },
}


@pytest.mark.parametrize(
    ("schema", "is_valid"),
    [
        ({"enum": ["a", "b"]}, lambda v: v in ("a", "b")),
        ({"const": 3}, lambda v: v == 3),
        ({"type": "boolean"}, lambda v: v in (True, False)),
        ({"type": "integer", "minimum": 0, "maximum": 5}, lambda v: isinstance(v, int) and 0 <= v <= 5),
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2}, lambda v: v == 1),
        ({"type": "integer", "minimum": 10, "multipleOf": 7, "maximum": 20}, lambda v: v == 14),
        ({"type": "number", "minimum": 0.1, "maximum": 0.2}, lambda v: 0.1 <= v <= 0.2),
        ({"type": "number", "minimum": -1, "maximum": 1}, lambda v: -1 <= v <= 1),
        ({"type": "string", "minLength": 30, "maxLength": 31}, lambda v: 30 <= len(v) <= 31),
        ({"type": ["null", "string"]}, lambda v: isinstance(v, str)),
        ({"type": "null"}, lambda v: v is None),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, lambda v: len(v) == 3),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, lambda v: [*v] == ["a"]),
    ],
)
def test_the_document_is_valid_for_the_schema(schema: dict[str, Any], is_valid: Callable[[Any], bool]) -> None:
    for seed in ("one", "two", "three", "four"):
        assert is_valid(instance(schema, seed=seed))


def test_a_recursive_schema_ends() -> None:
    node, depth = instance(LIST, seed="q"), 0
    while isinstance(node, dict):
        node, depth = node["next"], depth + 1

    assert node is None
    assert 1 < depth < 20


def test_the_same_question_gives_the_same_document_and_another_one_another() -> None:
    schema = {"type": "integer", "minimum": 0, "maximum": 10**6}

    assert instance(schema, seed="q") == instance(schema, seed="q") != instance(schema, seed="r")
