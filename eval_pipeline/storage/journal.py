"""The checkpoint of a live stage: one line per finished item, durable before the item counts as finished.

Lines that arrive while a write is under way go out together in the next one, so that a slow store costs latency and
not throughput. Every line has a checksum; a writer that was killed leaves at most a torn last line, which no reader
sees.
"""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Condition
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.journal_lines import seal, unsealed
from eval_pipeline.core.ports.object_store import Appender, ObjectStore
from eval_pipeline.core.stages import StageRef
from eval_pipeline.storage.objects import os_errors_explained, temporary_folder

_AT_ONCE = 16  # objects that are fetched or deleted side by side: on S3 a journal has many small ones


class Journal:
    """All lines that the attempts at one stage have recorded."""

    def __init__(self, objects: ObjectStore, ref: StageRef) -> None:
        self._objects = objects
        self._prefix = f"{ref.prefix}/journal"

    def writer(self, attempt: int) -> "JournalWriter":
        """Begin a new file behind all that was recorded; ``attempt`` is the fencing token of the lease."""
        before = f"{self._prefix}/{attempt:06d}-"
        taken = [key.removeprefix(before)[:3] for key in self._objects.list(self._prefix) if key.startswith(before)]
        number = int(taken[-1]) + 1 if taken else 0
        return JournalWriter(self._objects.appender(self._prefix, name=f"{attempt:06d}-{number:03d}"))

    def entries(self, *, below: str | None = None) -> Iterator[bytes]:
        """Stream all whole lines in the order in which they were recorded; with ``below``, of earlier files alone."""
        end = None if below is None else f"{self._prefix}/{below}"
        keys = [key for key in self._objects.list(self._prefix) if end is None or key < end]
        for start in range(0, len(keys), _AT_ONCE):
            with ExitStack() as copies, ThreadPoolExecutor(_AT_ONCE) as pool:
                fetched = pool.map(
                    lambda key: copies.enter_context(self._objects.local_copy(key)), keys[start : start + _AT_ONCE]
                )
                for path in fetched:
                    with path.open("rb") as file:
                        yield from unsealed(_whole_lines(file))

    @contextmanager
    def spool(self, *, below: str | None = None) -> Iterator["SpooledJournal"]:
        """Copy the lines into one temporary file, to read them in any order in bounded memory."""
        with temporary_folder() as folder, (folder / "journal").open("w+b") as file:
            with os_errors_explained(Path(file.name)):
                file.writelines(line + b"\n" for line in self.entries(below=below))
                file.flush()
            yield SpooledJournal(Path(file.name), descriptor=file.fileno())

    def clear(self) -> None:
        """Forget all lines; the stage's parts hold what they said."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._objects.delete, self._objects.list(self._prefix)))


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    for line in file:  # a binary file ends lines at b"\n" and nowhere else
        if line.endswith(b"\n"):
            yield line[:-1]


class JournalLine(NamedTuple):
    """One line and where a spooled journal holds it."""

    offset: int
    length: int
    line: bytes


class SpooledJournal:
    """A journal in one local file, for as long as the ``with`` of ``Journal.spool``."""

    def __init__(self, path: Path, *, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def __iter__(self) -> Iterator[JournalLine]:
        """Walk all lines from the first."""
        offset = 0
        with self._path.open("rb") as file:
            for line in file:
                yield JournalLine(offset, len(line) - 1, line[:-1])
                offset += len(line)

    def line_at(self, offset: int, length: int) -> bytes:
        """Read one line again."""
        return os.pread(self._descriptor, length, offset)


class JournalWriter:
    """Records lines for any number of tasks and event loops; one thread of its own does the writing."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._changed = Condition()
        self._queue: list[_Queued] = []
        self._writing = False
        self._failure: BaseException | None = None
        self._closed = False

    async def record(self, line: bytes) -> None:
        """Return once the line is durable; after one failed write this journal takes no more lines.

        A caller that is cancelled while it waits may find its line recorded all the same.
        """
        if b"\n" in line:
            raise ValueError("a journal line cannot hold a line break: write JSON without raw ones")
        stored = asyncio.get_running_loop().create_future()
        with self._changed:
            self._check_open()
            self._queue.append(_Queued(line, stored))
            if not self._writing:
                self._write_queue()
        await stored

    def _check_open(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise ValueError("the journal is closed")

    def _write_queue(self) -> None:
        group, self._queue = self._queue, []
        write = self._thread.submit(self._appender.append, b"".join([seal(queued.line) + b"\n" for queued in group]))
        self._writing = True
        write.add_done_callback(partial(self._end_write, group))

    def _end_write(self, group: "list[_Queued]", write: Future[None]) -> None:
        error = write.exception()
        with self._changed:
            self._writing = False
            if error is not None:
                self._failure = error
                group = group + self._queue
                self._queue = []
            elif self._queue:
                self._write_queue()
            self._changed.notify_all()
        _answer(group, error)

    def close(self) -> None:
        """Wait for the lines that are under way and let the file go."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._writing)
        self._thread.shutdown()
        try:
            self._appender.close()
        except EvalPipelineError:
            if self._failure is None:  # otherwise those who waited were told
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Queued(NamedTuple):
    line: bytes
    stored: asyncio.Future[None]


def _answer(group: list[_Queued], error: BaseException | None) -> None:
    """Wake those who wait, each in its own event loop; a loop that has ended has nobody left to wake."""
    waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for queued in group:
        waiting.setdefault(queued.stored.get_loop(), []).append(queued.stored)
    for loop, futures in waiting.items():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, futures, error)


def _settle(futures: list[asyncio.Future[None]], error: BaseException | None) -> None:
    for future in futures:
        if future.done():  # cancelled meanwhile
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
