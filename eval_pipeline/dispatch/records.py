"""Item records as lines of a journal, and a journal read back item by item."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import orjson

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.outcomes import BilledCall, ItemError, ItemRecord, ItemStatus, Usage


def encode(record: ItemRecord) -> bytes:
    """Write a record as one line of JSON."""
    return orjson.dumps(record)


def decode(line: bytes) -> ItemRecord:
    """Read a record back; raises ``journal_damaged``, for what cannot be read is not to be taken for absent."""
    try:
        return _record(orjson.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise journal_damaged(line, error) from error


def journal_damaged(line: bytes, error: Exception) -> UnavailableError:
    """Build the error of a journal line that cannot be read."""
    return UnavailableError(
        f"a record of the journal cannot be read ({type(error).__name__}: {error}): {line[:80]!r}",
        code="journal_damaged",
        hint="restore the stage's journal from a backup, or pay for the stage again: run retry --refresh",
    )


def _record(value: dict[str, Any]) -> ItemRecord:
    error, usage = value.pop("error"), value.pop("usage")
    return ItemRecord(
        status=ItemStatus(value.pop("status")),
        error=None if error is None else ItemError(**error),
        usage=None if usage is None else Usage(**usage),
        retried=_retried(value),
        **value,
    )


def _retried(value: dict[str, Any]) -> tuple[BilledCall, ...]:
    """Take the earlier calls out of a record; the first journals kept their sum alone."""
    if "retried_usage" not in value:
        return tuple(BilledCall(Usage(**call["usage"]), call["model"]) for call in value.pop("retried"))
    usage = Usage(**value.pop("retried_usage"))
    return () if usage == Usage() else (BilledCall(usage, value["model"]),)


class Spool(Protocol):
    """A journal in one local file, readable in any order."""

    def __iter__(self) -> Iterator[Any]:
        """Walk all lines, each with ``offset``, ``length`` and ``line``."""
        ...

    def line_at(self, offset: int, length: int) -> bytes:
        """Read one line again."""
        ...


class Known(NamedTuple):
    """Where the record of an item stands, and whether it is finished."""

    offset: int
    length: int
    finished: bool


class RecordIndex:
    """Which items a journal holds: for each, its first finished record, else its last one."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._known: dict[str, Known] = {}
        for line in spool:
            record = decode(line.line)
            before = self._known.get(record.item_id)
            if before is None or not before.finished:
                self._known[record.item_id] = Known(line.offset, line.length, finished=record.finished)

    def __len__(self) -> int:
        return len(self._known)

    def finished(self, item_id: str) -> bool:
        """Whether asking the item again is pointless."""
        known = self._known.get(item_id)
        return known is not None and known.finished

    def find(self, item_id: str) -> ItemRecord | None:
        """Read an item's record."""
        known = self._known.get(item_id)
        return None if known is None else decode(self._spool.line_at(known.offset, known.length))
