import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.s3 import S3Server
from eval_pipeline_tests.storage.writing import JOURNAL, REF, in_time, record, recorded

LINES = [b"", b"{}", '{"answer": "a\u2028b\u0085c ü"}'.encode(), b"\r", b"\0\xff\xfe\x1c", b"x" * 3_000_000, b"last"]


def test_lines_are_read_as_they_were_recorded_in_their_order(store: ObjectStore) -> None:
    assert recorded(store) == []

    record(store, LINES)

    assert recorded(store) == LINES


def test_attempts_follow_one_another_and_one_attempt_may_write_twice(store: ObjectStore) -> None:
    for attempt in (2, 2, 10, 9):
        record(store, [f"{attempt}".encode()] * 2, attempt=attempt)

    assert recorded(store) == [b"2", b"2", b"2", b"2", b"9", b"9", b"10", b"10"]


def test_a_writer_begins_behind_what_a_half_done_clearing_left_and_never_in_a_torn_file(
    local: LocalObjectStore,
) -> None:
    local.put(f"{JOURNAL}/000001-001", b"1\ntor")

    record(local, [b"2"])

    assert recorded(local) == [b"1", b"2"]


def test_many_small_objects_are_read_in_order(store: ObjectStore) -> None:
    for number in range(40):
        store.put(f"{JOURNAL}/000001-000.{number:08d}", b"%d\n" % number)

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
    local.put(f"{JOURNAL}/000002-000", b"2\ntor")
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
            in_time(writer.record(b"line"))
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
