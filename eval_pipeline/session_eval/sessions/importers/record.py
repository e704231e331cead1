"""What importers are given and give: records of a file, pieces of sessions, sessions, and why there is none."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.session import SourceFormat


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of a file."""

    number: int
    """Its line in JSON Lines; its place in a list, from 1."""
    value: Any
    origin: str = ""
    """The name of its file without what follows the first dot: an id where it has none of its own."""
    about: Json = field(default_factory=dict)
    """What the document around it says of it."""
    note: str | None = None
    """What had to be replaced in it."""
    is_rest: bool = False
    """Whether it is what a document says beside the list whose entries were the records before."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A record that is no session, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The JSON of a session, still to be held against the schema, and what was guessed or replaced on the way."""

    session: JsonDict
    number: int = 0
    """Of its record; of one that is made of many, of the first."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a session that is spread over records, perhaps over files."""

    trace: str
    group: str | None
    """The session that it says it belongs to; None: to that of its trace."""
    order: str
    """Pieces are put together in the order of this, a moment."""
    value: JsonDict
    number: int = 0


class NotASessionError(Exception):
    """A record of which no session can be made; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """How one format is read: ``read`` for whole sessions, or ``take_apart`` and ``put_together`` for pieces."""

    format: SourceFormat
    recognises: Callable[[Any], bool]
    """Whether a record looks like one of this format."""
    read: Callable[[Record], Iterable[Imported]] | None = None
    take_apart: Callable[[Record], Iterator[Piece]] | None = None
    put_together: Callable[[str, Sequence[Piece]], Imported] | None = None
