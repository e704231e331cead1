import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.ports import ObjectStore
from eval_pipeline.storage.journal import Journal, JournalWriter
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.s3 import S3Server
from eval_pipeline_tests.storage.writing import REF

PATIENCE_S = 30
PREFIX = f"{REF.prefix}/journal"


async def record_all(writer: JournalWriter, lines: list[bytes]) -> None:
    await asyncio.gather(*(writer.record(line) for line in lines))


def record(store: ObjectStore, lines: list[bytes], *, attempt: int = 1) -> None:
    with Journal(store, REF).writer(attempt) as writer:
        for line in lines:
            asyncio.run(writer.record(line))


def recorded(store: ObjectStore) -> list[bytes]:
    return list(Journal(store, REF).entries())


@dataclass
class SlowAppender:
    """An appender that waits for leave before each append, as a slow store would, and may then fail."""

    appended: list[bytes] = field(default_factory=list)
    leave: Event = field(default_factory=Event)
    failure: BaseException | None = None
    closed: bool = False

    def append(self, data: bytes) -> None:
        assert self.leave.wait(PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        self.appended.append(data)

    def close(self) -> None:
        self.closed = True
        if self.failure is not None:
            raise self.failure


def disk_full() -> UnavailableError:
    return UnavailableError("the store does not work: no space left", code="store_unavailable", hint="free space")


# What is recorded is read


LINES = [b"", b"{}", '{"answer": "a\u2028b\u0085c ü"}'.encode(), b"\r", b"\0\xff\xfe\x1c", b"x" * 3_000_000, b"last"]


def test_lines_are_read_as_they_were_recorded_in_their_order(store: ObjectStore) -> None:
    assert recorded(store) == []

    record(store, LINES)

    assert recorded(store) == LINES


def test_attempts_follow_one_another_and_one_attempt_may_write_twice(store: ObjectStore) -> None:
    for attempt in (2, 2, 10, 9):
        record(store, [f"{attempt}".encode()] * 2, attempt=attempt)

    assert recorded(store) == [b"2", b"2", b"2", b"2", b"9", b"9", b"10", b"10"]


def test_a_writer_begins_anew_behind_what_a_half_done_clearing_left(store: ObjectStore) -> None:
    for line in (b"0", b"1", b"2"):
        record(store, [line, line])
    store.delete(next(iter(store.list(PREFIX))))

    record(store, [b"3"])

    assert recorded(store)[-3:] == [b"2", b"2", b"3"]


def test_many_small_objects_are_read_in_order(store: ObjectStore) -> None:
    for number in range(40):
        store.put(f"{PREFIX}/000001-000.{number:08d}", b"%d\n" % number)

    assert recorded(store) == [b"%d" % number for number in range(40)]


def test_other_stages_do_not_see_the_lines(store: ObjectStore) -> None:
    store.put(f"{REF.prefix}/journal2/000001-000", b"other\n")

    assert recorded(store) == []


def test_a_cleared_journal_is_empty_and_takes_lines_again(store: ObjectStore) -> None:
    record(store, [b"old"] * 3)
    record(store, [b"old"], attempt=2)

    Journal(store, REF).clear()

    assert recorded(store) == []
    record(store, [b"new"], attempt=3)
    assert recorded(store) == [b"new"]


def test_a_torn_last_line_is_dropped_also_when_another_attempt_went_on(local: LocalObjectStore) -> None:
    record(local, [b"1"])
    local.put(f"{PREFIX}/000002-000", b"2\ntor")
    record(local, [b"3"], attempt=2)
    record(local, [b"4"], attempt=3)

    assert recorded(local) == [b"1", b"2", b"3", b"4"]


def test_a_spooled_journal_gives_every_line_again_by_its_place(store: ObjectStore) -> None:
    record(store, LINES)
    record(store, [b"second attempt"], attempt=2)

    with Journal(store, REF).spool() as spool:
        places = list(spool)
        record(store, [b"came later"], attempt=3)

        assert [place.line for place in places] == [*LINES, b"second attempt"]
        assert [place.line for place in spool] == [*LINES, b"second attempt"]
        for place in reversed(places):
            assert spool.line_at(place.offset, place.length) == place.line


def test_reading_can_be_given_up(store: ObjectStore) -> None:
    record(store, [b"1", b"2"])
    entries = Journal(store, REF).entries()

    assert next(entries) == b"1"
    del entries
    gc.collect()


# What is recorded is durable


READ = """
import os, sys
from pathlib import Path
import boto3
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline_tests.storage.writing import REF
kind, place, prefix = sys.argv[1:]
if kind == "local":
    store = LocalObjectStore(Path(place))
else:
    store = S3ObjectStore(boto3.client("s3"), bucket=place, prefix=prefix)
for line in sys.stdin:
    print(sum(1 for _ in Journal(store, REF).entries()), flush=True)
"""


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_a_recorded_line_can_be_read_by_another_process(
    request: pytest.FixtureRequest, tmp_path: Path, s3_server: S3Server, s3_prefix: str, kind: str
) -> None:
    store = request.getfixturevalue(kind)
    place = [str(tmp_path / "store"), ""] if kind == "local" else [s3_server.bucket, s3_prefix]
    with (
        subprocess.Popen(
            [sys.executable, "-c", READ, kind, *place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **s3_server.environment()},
        ) as reader,
        Journal(store, REF).writer(1) as writer,
    ):
        assert reader.stdin is not None
        assert reader.stdout is not None
        for count in (1, 2, 3):
            asyncio.run(writer.record(b"line"))
            reader.stdin.write("\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == f"{count}\n"
        reader.stdin.close()


RECORD_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.storage.writing import REF
async def record(journal, number):
    while True:
        await journal.record(b"%d %s" % (number, b"x" * 5000))
        print(number, flush=True)
        number += 20
async def main():
    with Journal(LocalObjectStore(Path(sys.argv[1])), REF).writer(int(sys.argv[2])) as journal:
        await asyncio.gather(*(record(journal, start) for start in range(20)))
asyncio.run(main())
"""


def acknowledged_before_kill(folder: Path, *, attempt: int, lines: int) -> Iterator[int]:
    command = [sys.executable, "-c", RECORD_FOR_EVER, str(folder), str(attempt)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for count, line in enumerate(writer.stdout):
            if count == lines:
                writer.kill()
            if line.endswith(b"\n"):
                yield int(line)


def test_a_writer_killed_in_the_middle_loses_no_line_that_was_acknowledged(
    local: LocalObjectStore, tmp_path: Path
) -> None:
    acknowledged = [list(acknowledged_before_kill(tmp_path / "store", attempt=1, lines=500))]
    acknowledged.append(list(acknowledged_before_kill(tmp_path / "store", attempt=2, lines=700)))

    lines = recorded(local)
    kept = [int(line.split()[0]) for line in lines]

    assert all(line == b"%d %s" % (number, b"x" * 5000) for line, number in zip(lines, kept, strict=True))
    assert [len(each) > 500 for each in acknowledged] == [True, True]
    second = kept.index(0, 1)
    assert set(acknowledged[0]) <= set(kept[:second])
    assert set(acknowledged[1]) <= set(kept[second:])


# Many at once


def test_lines_that_arrive_during_a_write_go_out_together() -> None:
    slow = SlowAppender()

    async def run() -> None:
        with JournalWriter(slow) as writer:
            tasks = [asyncio.create_task(writer.record(b"%d" % number)) for number in range(1_000)]
            await asyncio.sleep(0)
            assert not any(task.done() for task in tasks)
            slow.leave.set()
            await asyncio.gather(*tasks)

    asyncio.run(run())

    assert slow.appended == [b"0\n", b"".join(b"%d\n" % number for number in range(1, 1_000))]
    assert slow.closed


def test_one_writer_serves_several_event_loops(local: LocalObjectStore) -> None:
    lines = [[b"%d %d" % (loop, number) for number in range(200)] for loop in range(4)]
    with Journal(local, REF).writer(1) as writer:
        threads = [Thread(target=asyncio.run, args=(record_all(writer, each),)) for each in lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)

    found = recorded(local)

    assert [[line for line in found if line.startswith(b"%d " % loop)] for loop in range(4)] == lines


def test_a_cancelled_caller_disturbs_nobody() -> None:
    slow = SlowAppender()

    async def run() -> None:
        with JournalWriter(slow) as writer:
            tasks = [asyncio.create_task(writer.record(b"%d" % number)) for number in range(3)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            tasks[1].cancel()
            slow.leave.set()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(result) for result in results] == [asyncio.CancelledError] * 2 + [type(None)]

    asyncio.run(run())

    assert slow.appended == [b"0\n", b"1\n2\n"]


def test_lines_of_a_loop_that_has_ended_are_written_all_the_same() -> None:
    slow = SlowAppender()
    writer = JournalWriter(slow)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.record(b"line"), timeout=0.001)

    asyncio.run(give_up())
    slow.leave.set()
    writer.close()

    assert slow.appended == [b"line\n"]


def test_closing_waits_for_the_lines_that_are_under_way() -> None:
    slow = SlowAppender()

    async def run() -> list[object]:
        writer = JournalWriter(slow)
        tasks = [asyncio.create_task(writer.record(line)) for line in (b"1", b"2")]
        await asyncio.sleep(0)
        slow.leave.set()
        writer.close()
        return list(await asyncio.gather(*tasks))

    assert asyncio.run(run()) == [None, None]
    assert slow.appended == [b"1\n", b"2\n"]


# What goes wrong


def test_a_failed_append_reaches_all_who_wait_and_closes_the_journal() -> None:
    slow = SlowAppender(failure=disk_full())

    async def run() -> None:
        with JournalWriter(slow) as writer:
            tasks = [asyncio.create_task(writer.record(b"%d" % number)) for number in range(5)]
            await asyncio.sleep(0)
            slow.leave.set()
            assert await asyncio.gather(*tasks, return_exceptions=True) == [slow.failure] * 5
            slow.failure = None
            with pytest.raises(UnavailableError, match="no space left"):
                await writer.record(b"later")

    asyncio.run(run())

    assert slow.appended == []
    assert slow.closed


def test_what_failed_is_told_once_and_not_again_on_closing() -> None:
    slow = SlowAppender(failure=disk_full())
    slow.leave.set()
    writer = JournalWriter(slow)
    with pytest.raises(UnavailableError):
        asyncio.run(writer.record(b"line"))

    writer.close()

    assert slow.closed


def test_what_fails_only_on_closing_is_told() -> None:
    writer = JournalWriter(SlowAppender(failure=disk_full()))

    with pytest.raises(UnavailableError, match="no space left"):
        writer.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_to_who_records(local: LocalObjectStore, tmp_path: Path) -> None:
    record(local, [b"kept"])
    (tmp_path / "store" / PREFIX / "000002-000").symlink_to("/dev/full")
    writer = JournalWriter(local.appender(PREFIX, name="000002-000"))

    with pytest.raises(UnavailableError, match="no space left on device") as told:
        asyncio.run(record_all(writer, [b"1", b"2"]))
    writer.close()

    assert told.value.code == "store_unavailable"
    assert "free space" in told.value.hint


@pytest.mark.parametrize("line", [b"\n", b"a\nb", b"a\n"])
def test_a_line_with_a_line_break_is_refused_and_the_others_go_on(local: LocalObjectStore, line: bytes) -> None:
    with Journal(local, REF).writer(1) as writer:
        with pytest.raises(ValueError, match="cannot hold a line break"):
            asyncio.run(writer.record(line))
        asyncio.run(writer.record(b"good"))

    assert recorded(local) == [b"good"]


def test_a_closed_journal_says_so(local: LocalObjectStore) -> None:
    writer = Journal(local, REF).writer(1)
    writer.close()
    writer.close()

    with pytest.raises(ValueError, match="the journal is closed"):
        asyncio.run(writer.record(b"line"))
