"""The columns of an export: a flow's own, then one for every other column of the dataset."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.ports.stage_files import StageReader


@dataclass(frozen=True, slots=True)
class ExportTable:
    """The columns of an export: fixed ones, then one for every key of the items' metadata."""

    schema: pa.Schema
    metadata: tuple[str, ...]

    @classmethod
    def of(cls, fields: Sequence[pa.Field], *, metadata: tuple[str, ...]) -> "ExportTable":
        """Join the columns; a metadata column whose name is taken is called ``metadata_…``."""
        names = dict.fromkeys(field.name for field in fields)
        for key in metadata:
            names[_free_name(key, taken=names)] = None
        added = [pa.field(name, pa.string()) for name in list(names)[len(fields) :]]
        return cls(schema=pa.schema([*fields, *added]), metadata=metadata)

    def row(self, values: Sequence[Any]) -> JsonDict:
        """Name the values."""
        return dict(zip(self.schema.names, values, strict=True))

    def metadata_values(self, metadata: str) -> list[str | None]:
        """Return the values of an item's metadata, a JSON object, in the order of the columns."""
        if not self.metadata:
            return []
        values = orjson.loads(metadata)
        return [values.get(key) for key in self.metadata]


def metadata_keys(dataset: StageReader) -> tuple[str, ...]:
    """Collect the keys of all rows, in the order in which they first occur; rows of JSON Lines may differ."""
    keys: dict[str, None] = {}
    last = ""
    for row in dataset.rows(("metadata",)):
        if row["metadata"] != last:  # repeats of a question stand side by side
            last = row["metadata"]
            keys.update(dict.fromkeys(orjson.loads(last)))
    return tuple(keys)


def _free_name(key: str, *, taken: Container[str]) -> str:
    name = key
    while name in taken:
        name = f"metadata_{name}"
    return name
