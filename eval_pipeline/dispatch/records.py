"""Item records as lines of a journal, and a journal read back item by item."""

from collections.abc import Iterator
from typing import Any, Final, Protocol

import orjson

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.journal_lines import journal_damaged
from eval_pipeline.core.outcomes import PLAINLY, BilledCall, ItemError, ItemRecord, ItemStatus, Served, Usage
from eval_pipeline.core.passages import passages_json, read_passages

RESULT_LOST: Final = "result_lost"
"""Code of an item whose result was paid for and is gone at the provider."""
_LENGTH_BITS: Final = 32
_LENGTH_MASK: Final = (1 << _LENGTH_BITS) - 1


def encode(record: ItemRecord) -> bytes:
    """Write a record as one line of JSON, field by field: orjson takes twice as long for a dataclass with slots."""
    line: dict[str, Any] = {
        "item_id": record.item_id,
        "status": record.status,
        "answer": record.answer,
        "partial_answer": record.partial_answer,
        "error": record.error,
        "response_id": record.response_id,
        "model": record.model,
        "usage": None if record.usage is None else _usage(record.usage),
        "retried": record.retried,
        "unreported_calls": record.unreported_calls,
        "latency_s": record.latency_s,
        "attempts": record.attempts,
        "account_fault": record.account_fault,
        "endpoint": record.endpoint,
    }
    if record.raw is not None:
        line["raw"] = record.raw
    if record.thinking is not None:
        line["thinking"] = record.thinking
    if record.served is not PLAINLY and record.served != PLAINLY:
        line["served"] = record.served
    if record.passages is not None:
        line["passages"] = passages_json(record.passages)
    if record.system_fingerprint is not None:
        line["system_fingerprint"] = record.system_fingerprint
    return orjson.dumps(line)


def _usage(usage: Usage) -> dict[str, int]:
    told = {
        "input": usage.input,
        "cached_input": usage.cached_input,
        "output": usage.output,
        "reasoning": usage.reasoning,
        "total": usage.total,
        "audio_input": usage.audio_input,
    }
    if usage.cache_written:
        told |= {"cache_written": usage.cache_written, "cache_written_1h": usage.cache_written_1h}
    return told


def decode(line: bytes) -> ItemRecord:
    """Read a record back; raises ``journal_damaged``, for what cannot be read is not to be taken for absent."""
    try:
        return _record(orjson.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unreadable_record(line, error) from error


def unreadable_record(line: bytes, error: Exception) -> UnavailableError:
    """Build the error of a journal line that is no record."""
    return journal_damaged(line, f"{type(error).__name__}: {error}")


def _record(value: dict[str, Any]) -> ItemRecord:
    error, usage = value.pop("error"), value.pop("usage")
    return ItemRecord(
        status=ItemStatus(value.pop("status")),
        error=None if error is None else ItemError(**error),
        usage=None if usage is None else Usage(**usage),
        retried=_retried(value),
        served=_served(value.pop("served", None)),
        passages=read_passages(value.pop("passages", None)),
        **value,
    )


def _retried(value: dict[str, Any]) -> tuple[BilledCall, ...]:
    """Take the earlier calls out of a record; the first journals kept their sum alone."""
    if "retried_usage" not in value:
        return tuple(
            BilledCall(Usage(**call["usage"]), call["model"], _served(call.get("served")))
            for call in value.pop("retried")
        )
    usage = Usage(**value.pop("retried_usage"))
    return () if usage == Usage() else (BilledCall(usage, value["model"]),)


def _served(value: dict[str, Any] | None) -> Served:
    """Read how a call was served; earlier versions did not look."""
    return PLAINLY if value is None else Served(value["tier"], tuple((name, count) for name, count in value["tools"]))


class Spool(Protocol):
    """A journal in one local file, readable in any order."""

    def __iter__(self) -> Iterator[Any]:
        """Walk all lines, each with ``offset``, ``length`` and ``line``."""
        ...

    def line_at(self, offset: int, length: int) -> bytes:
        """Read one line again."""
        ...


class RecordIndex:
    """Which items a journal holds: for each, its first finished record, else its last one.

    One number an item (offset, length, finished): a million items take 200 MB.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._known: dict[str, int] = {}
        for line in spool:
            item_id, finished = _item_of(line.line)
            if not self._known.get(item_id, 0) & 1:
                self._known[item_id] = (line.offset << _LENGTH_BITS | line.length) << 1 | finished

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[str]:
        """Walk the items that have a record."""
        return iter(self._known)

    def finished(self, item_id: str) -> bool:
        """Whether asking the item again is pointless."""
        return self._known.get(item_id, 0) & 1 == 1

    def unfinished(self) -> Iterator[str]:
        """Yield the items that may be asked again."""
        return (item_id for item_id, known in self._known.items() if not known & 1)

    def find(self, item_id: str) -> ItemRecord | None:
        """Read an item's record."""
        known = self._known.get(item_id)
        return None if known is None else decode(self._line(known))

    def _line(self, known: int) -> bytes:
        return self._spool.line_at(known >> 1 + _LENGTH_BITS, known >> 1 & _LENGTH_MASK)


def _item_of(line: bytes) -> tuple[str, bool]:
    """Read whose record a line is and whether it is finished; a lost result may be replaced, when a person says so."""
    try:
        value = orjson.loads(line)
        error = value["error"]
        return value["item_id"], error is None or not (
            error["transient"] or value.get("account_fault", False) or error["code"] == RESULT_LOST
        )
    except (ValueError, TypeError, KeyError) as error:
        raise unreadable_record(line, error) from error
