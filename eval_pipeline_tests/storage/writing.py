"""Stages and journals as tests write them, and a store that tells what is done to it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.storage.journal import Journal, JournalWriter
from eval_pipeline.storage.stages import StageStore

REF = StageRef(flow=Flow.TEXT, key=RunKey(project="default", run="first"), stage="responses")
SPEC_HASH = "a" * 64
PATIENCE_S = 30
JOURNAL = f"{REF.prefix}/journal"
SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("answer", pa.string()),
        pa.field("vector", pa.binary()),
        pa.field("tokens", pa.int64()),
        pa.field("repeat", pa.int32(), nullable=False),
        pa.field("latency_s", pa.float64()),
        pa.field("transient", pa.bool_()),
        pa.field("cost_usd", pa.decimal128(38, 18)),
    ]
)


def some_rows(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    """Return rows that differ, with nulls among them."""
    return [_row(number) for number in range(start, start + count)]


def _row(number: int) -> dict[str, Any]:
    if number % 3 == 2:
        return dict.fromkeys(SCHEMA.names) | {"item_id": f"q{number}", "repeat": 1}
    return {
        "item_id": f"q{number}",
        "answer": f"उत्तर {number}\u2028\0",
        "vector": bytes([number % 256, 0, 255, 10]),
        "tokens": number - 2**53,
        "repeat": -number,
        "latency_s": number / 3,
        "transient": number % 2 == 0,
        "cost_usd": Decimal(number).scaleb(-18) + 7,
    }


def allow() -> None:
    """Hold the lease for ever."""


def write_stage(
    store: ObjectStore,
    rows: Sequence[Mapping[str, Any]] = (),
    *,
    attempt: int = 1,
    ref: StageRef = REF,
    check: Callable[[], None] = allow,
    inputs: Mapping[str, Manifest] | None = None,
    summary: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write a whole stage."""
    stages = StageStore(store, code_version="1.2.3")
    writer = stages.writer(ref, schema=SCHEMA, attempt=attempt, spec_hash=SPEC_HASH, inputs=inputs or {}, check=check)
    with writer:
        writer.append(rows)
        return writer.finish(summary or {})


@dataclass
class WatchedStore:
    """An ``ObjectStore`` that notes every write before it passes it on."""

    store: ObjectStore
    events: list[str] = field(default_factory=list)
    before_write: Callable[[], None] = allow

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        return getattr(self.store, name)

    def put(self, key: str, data: bytes) -> None:
        self._note("put", key)
        self.store.put(key, data)

    def put_file(self, key: str, path: Path) -> None:
        self._note("put_file", key)
        self.store.put_file(key, path)

    def create(self, key: str, data: bytes) -> None:
        self._note("create", key)
        self.store.create(key, data)

    def _note(self, verb: str, key: str) -> None:
        self.before_write()
        self.events.append(f"{verb} {key.removeprefix(f'{REF.prefix}/')}")


def in_time(work: Coroutine[Any, Any, Any]) -> object:
    """Run it, and rather fail than wait for ever."""
    return asyncio.run(asyncio.wait_for(work, PATIENCE_S))


async def record_all(writer: JournalWriter, lines: list[bytes]) -> None:
    """Record all at once."""
    await asyncio.gather(*(writer.record(line) for line in lines))


def record(store: ObjectStore, lines: list[bytes], *, attempt: int = 1) -> None:
    """Record one after the other."""
    with Journal(store, REF).writer(attempt) as writer:
        for line in lines:
            in_time(writer.record(line))


def recorded(store: ObjectStore) -> list[bytes]:
    """Return all lines that a reader sees."""
    return list(Journal(store, REF).entries())
