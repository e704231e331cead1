import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest

from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.journal_lines import unsealed
from eval_pipeline.storage.journal import Journal, JournalWriter
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.storage.writing import JOURNAL, PATIENCE_S, REF, in_time, record, record_all, recorded


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
        self.appended.append(b"".join(line + b"\n" for line in unsealed(data.splitlines())))

    def close(self) -> None:
        self.closed = True
        if self.failure is not None:
            raise self.failure


def disk_full() -> UnavailableError:
    return UnavailableError("the store does not work: no space left", code="store_unavailable", hint="free space")


def test_lines_that_arrive_during_a_write_go_out_together() -> None:
    slow = SlowAppender()

    async def run() -> None:
        with JournalWriter(slow) as writer:
            tasks = [asyncio.create_task(writer.record(b"%d" % number)) for number in range(1_000)]
            await asyncio.sleep(0)
            assert not any(task.done() for task in tasks)
            slow.leave.set()
            await asyncio.gather(*tasks)

    in_time(run())

    assert slow.appended == [b"0\n", b"".join(b"%d\n" % number for number in range(1, 1_000))]
    assert slow.closed


def test_one_writer_serves_several_event_loops(local: LocalObjectStore) -> None:
    lines = [[b"%d %d" % (loop, number) for number in range(200)] for loop in range(4)]
    with Journal(local, REF).writer(1) as writer:
        threads = [Thread(target=in_time, args=(record_all(writer, each),)) for each in lines]
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

    in_time(run())

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

    assert in_time(run()) == [None, None]
    assert slow.appended == [b"1\n", b"2\n"]


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

    in_time(run())

    assert slow.appended == []
    assert slow.closed


def test_what_failed_is_told_once_and_not_again_on_closing() -> None:
    slow = SlowAppender(failure=disk_full())
    slow.leave.set()
    writer = JournalWriter(slow)
    with pytest.raises(UnavailableError):
        in_time(writer.record(b"line"))

    writer.close()

    assert slow.closed


def test_what_fails_only_on_closing_is_told() -> None:
    writer = JournalWriter(SlowAppender(failure=disk_full()))

    with pytest.raises(UnavailableError, match="no space left"):
        writer.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_to_who_records(local: LocalObjectStore, tmp_path: Path) -> None:
    record(local, [b"kept"])
    (tmp_path / "store" / JOURNAL / "000002-000").symlink_to("/dev/full")
    writer = JournalWriter(local.appender(JOURNAL, name="000002-000"))

    with pytest.raises(UnavailableError, match="no space left on device") as told:
        in_time(record_all(writer, [b"1", b"2"]))
    writer.close()

    assert told.value.code == "store_unavailable"
    assert "free space" in told.value.hint


@pytest.mark.parametrize("line", [b"\n", b"a\nb", b"a\n"])
def test_a_line_with_a_line_break_is_refused_and_the_others_go_on(local: LocalObjectStore, line: bytes) -> None:
    with Journal(local, REF).writer(1) as writer:
        with pytest.raises(ValueError, match="cannot hold a line break"):
            in_time(writer.record(line))
        in_time(writer.record(b"good"))

    assert recorded(local) == [b"good"]


def test_a_closed_journal_says_so(local: LocalObjectStore) -> None:
    writer = Journal(local, REF).writer(1)
    writer.close()
    writer.close()

    with pytest.raises(ValueError, match="the journal is closed"):
        in_time(writer.record(b"line"))
