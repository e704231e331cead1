"""A JSON document that is valid for a JSON schema, always the same for the same question.

Covers what OpenAI's structured outputs allow: types, ``enum``, ``const``, ``anyOf``, ``$ref``,
bounds, ``items`` and ``properties``. ``pattern`` is not followed.
"""

from hashlib import blake2b
from typing import Any

from eval_pipeline.standins.documents import Json

Schema = Json

_DEEPEST = 8
_FORMATS = {
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.org",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def instance(schema: Schema, *, seed: str) -> object:
    """Return a document that is valid for the schema; the seed, usually the question, varies it."""
    return _Maker(schema, seed).make(schema, "$")


class _Maker:
    """Walks one schema; each place in the document draws its own number."""

    def __init__(self, root: Schema, seed: str) -> None:
        self._root = root
        self._seed = seed

    def make(self, schema: Schema, place: str) -> object:
        """Return a value for the schema at a place such as ``$.rows[0].name``."""
        if "$ref" in schema:
            return self.make(self._resolve(schema["$ref"]), place)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][self._draw(place) % len(schema["enum"])]
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self.make(self._choose(choices, place), place)
        return self._make_typed(_type_of(schema), schema, place)

    def _make_typed(self, kind: str, schema: Schema, place: str) -> object:
        match kind:
            case "object":
                return self._object(schema, place)
            case "array":
                count = max(schema.get("minItems", 0), 0 if _depth(place) > _DEEPEST else 1)
                count = min(count, schema.get("maxItems", count))
                return [self.make(schema.get("items", {}), f"{place}[{i}]") for i in range(count)]
            case "integer" | "number":
                return self._number(schema, place, whole=kind == "integer")
            case "boolean":
                return self._draw(place) % 2 == 0
            case "null":
                return None
            case _:
                return self._text(schema, place)

    def _object(self, schema: Schema, place: str) -> dict[str, object]:
        properties = schema.get("properties", {})
        names = schema.get("required", []) if _depth(place) > _DEEPEST else properties
        return {name: self.make(properties.get(name, {}), f"{place}.{name}") for name in names}

    def _number(self, schema: Schema, place: str, *, whole: bool) -> float:
        step = schema.get("multipleOf", 1 if whole else 0.5)
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 100 * step))
        first = int(-(-low // step)) + ("exclusiveMinimum" in schema and low % step == 0)
        last = int(high // step) - ("exclusiveMaximum" in schema and high % step == 0)
        if first > last:  # no multiple fits between the bounds
            return float((low + high) / 2)
        number = step * (first + self._draw(place) % (last - first + 1))
        return int(number) if whole else float(number)

    def _text(self, schema: Schema, place: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = f"text {self._draw(place) % 1000}"
        return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", None)]

    def _choose(self, choices: list[Schema], place: str) -> Schema:
        if _depth(place) > _DEEPEST:  # a recursive schema ends where it may be null
            return next((choice for choice in choices if _type_of(choice) == "null"), choices[0])
        return choices[0]

    def _resolve(self, reference: str) -> Schema:
        target: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/") if reference != "#" else []:
            target = target[part.replace("~1", "/").replace("~0", "~")]
        return dict(target)

    def _draw(self, place: str) -> int:
        return int.from_bytes(blake2b(f"{self._seed}\0{place}".encode(), digest_size=4).digest())


def _type_of(schema: Schema) -> str:
    declared = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(declared, list):
        return str(next((kind for kind in declared if kind != "null"), "null"))
    return str(declared)


def _depth(place: str) -> int:
    return place.count(".") + place.count("[")
