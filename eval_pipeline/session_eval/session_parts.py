"""Contents of sessions in the object store: Parquet files of some megabytes, a row a session.

Separate because pyarrow, 0.25 s to import, is needed by nobody who only lists sessions.
"""

import io
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final
from uuid import uuid4
from weakref import WeakKeyDictionary

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
_GROUP: Final = 32
"""Rows that are packed together: one session is read by unpacking so many."""
_KEPT_PARTS: Final = 8


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
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=False, row_group_size=_GROUP)
    return sink.getvalue()


class PartReader:
    """Reads contents; the parts that were read last are kept packed, and the rows around the last one unpacked.

    Sessions are mostly read in the order of their storage, one of them several times: by every expert of a panel.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._files: OrderedDict[str, pq.ParquetFile] = OrderedDict()
        self._rows: tuple[str, int, pa.Table] | None = None
        self._alone = Lock()

    def session(self, key: str, row: int) -> JsonDict:
        """Return the JSON of a session."""
        with self._alone:
            start, table = self._around(key, row)
        conversation, about = (table.column(name)[row - start].as_py() for name in ("conversation", "about"))
        said = read_json(conversation.encode()).value
        told: JsonDict = read_json(about.encode()).value
        return {**told, **({"tools": said["tools"]} if said["tools"] else {}), "messages": said["messages"]}

    def _around(self, key: str, row: int) -> tuple[int, pa.Table]:
        """Return the rows that are packed together with one, and the place of their first."""
        if self._rows is not None and self._rows[0] == key:
            _, start, table = self._rows
            if start <= row < start + table.num_rows:
                return start, table
        file = self._file(key)
        start = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row < start + rows:
                table = file.read_row_group(group, columns=["conversation", "about"], use_threads=False)
                self._rows = (key, start, table)
                return start, table
            start += rows
        raise IndexError(f"{key} has no row {row}")

    def _file(self, key: str) -> pq.ParquetFile:
        file = self._files.pop(key, None) or pq.ParquetFile(pa.BufferReader(self._objects.read(key)))
        self._files[key] = file
        while len(self._files) > _KEPT_PARTS:
            self._files.popitem(last=False)
        return file


_readers: WeakKeyDictionary[ObjectStore, PartReader] = WeakKeyDictionary()


def reader_of(objects: ObjectStore) -> PartReader:
    """Return the reader of a store, one for the whole process."""
    found = _readers.get(objects)
    if found is None:
        found = _readers[objects] = PartReader(objects)
    return found


def blank(objects: ObjectStore, key: str, rows: Collection[int]) -> None:
    """Replace contents by nothing; the others keep their places."""
    table = pq.read_table(pa.BufferReader(objects.read(key)))
    columns = []
    for name in SCHEMA.names:
        values = [value.encode() for value in table.column(name).to_pylist()]
        columns.append([_FORGOTTEN if place in rows else value for place, value in enumerate(values)])
    _readers.pop(objects, None)
    objects.put(key, _written([value.decode() for value in columns[0]], columns[1], columns[2]))


def ids_in(objects: ObjectStore, keys: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the ids of the sessions in parts."""
    for key in keys:
        table = pq.read_table(pa.BufferReader(objects.read(key)), columns=["session_id"])
        yield key, table.column("session_id").to_pylist()
