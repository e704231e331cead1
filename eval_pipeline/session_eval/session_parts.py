"""Contents of sessions in the object store: Parquet files of some megabytes, a row a session.

Separate because pyarrow, 0.25 s to import, is needed by nobody who only lists sessions.
"""

import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.session_eval.sessions.json_text import read_json
from eval_pipeline.storage.columns import build_column

PART_BYTES: Final = 8 << 20
"""Of JSON, before it is compressed: one session is read by reading its part."""
SCHEMA: Final = pa.schema([("session_id", pa.string()), ("conversation", pa.string()), ("about", pa.string())])
_FORGOTTEN: Final = b""


@dataclass(frozen=True, slots=True)
class Content:
    """What of a session is stored, as JSON."""

    session_id: str
    conversation: bytes
    """Messages and tools, canonical: what the fingerprint is of."""
    about: bytes
    """All else."""

    @property
    def size_bytes(self) -> int:
        """How much it is."""
        return len(self.conversation) + len(self.about)


def new_key(project: str) -> str:
    """Name a part that is not there yet."""
    return f"sessions/{project}/parts/{uuid4().hex}.parquet"


def part_bytes(contents: Sequence[Content]) -> bytes:
    """Return the file that holds these contents, in their order."""
    return _written(
        [content.session_id for content in contents],
        [content.conversation for content in contents],
        [content.about for content in contents],
    )


def _written(ids: Sequence[str], conversations: Sequence[bytes], abouts: Sequence[bytes]) -> bytes:
    columns = [build_column(values, pa.string()) for values in (ids, conversations, abouts)]
    table = pa.Table.from_arrays(columns, schema=SCHEMA)
    sink = io.BytesIO()
    # a content is like no other: dictionaries and statistics would only take time
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=False)
    return sink.getvalue()


class PartReader:
    """Reads contents; the part that was read last is kept, since sessions are read in the order of their storage."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._key: str | None = None
        self._table: pa.Table | None = None

    def session(self, key: str, row: int) -> JsonDict:
        """Return the JSON of a session."""
        if key != self._key or self._table is None:
            self._table = pq.read_table(pa.BufferReader(self._objects.read(key)))
            self._key = key
        conversation, about = (self._table.column(name)[row].as_py() for name in ("conversation", "about"))
        said = read_json(conversation.encode()).value
        told: JsonDict = read_json(about.encode()).value
        return {**told, **({"tools": said["tools"]} if said["tools"] else {}), "messages": said["messages"]}


def blank(objects: ObjectStore, key: str, rows: Collection[int]) -> None:
    """Replace contents by nothing; the others keep their places."""
    table = pq.read_table(pa.BufferReader(objects.read(key)))
    columns = []
    for name in SCHEMA.names:
        values = [value.encode() for value in table.column(name).to_pylist()]
        columns.append([_FORGOTTEN if place in rows else value for place, value in enumerate(values)])
    objects.put(key, _written([value.decode() for value in columns[0]], columns[1], columns[2]))


def ids_in(objects: ObjectStore, keys: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the ids of the sessions in parts."""
    for key in keys:
        table = pq.read_table(pa.BufferReader(objects.read(key)), columns=["session_id"])
        yield key, table.column("session_id").to_pylist()
