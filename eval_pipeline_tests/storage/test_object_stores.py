"""The contract of an object store, kept by the local folder and by a real S3 server alike."""

import errno
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eval_pipeline.core.errors import ConflictError, EvalPipelineError, NotFoundError, UnavailableError, UsageError
from eval_pipeline.core.ports import ObjectStore
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.objects import explain_os_error
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline_tests.s3 import S3Server

CREATORS = 20


# What every store does


def test_what_is_put_can_be_read_and_replaced(store: ObjectStore) -> None:
    store.put("a/b", b"old")
    store.put("a/b", b"new")

    assert store.read("a/b") == b"new"


def test_a_file_is_stored_as_it_is(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(9 << 20))  # more than one part of a multipart upload

    store.put_file("parts/large", source)

    with store.local_copy("parts/large") as copy:
        assert copy.read_bytes() == source.read_bytes()


def test_a_local_copy_is_gone_afterwards_and_the_object_is_not(store: ObjectStore) -> None:
    store.put("a/b", b"data")

    with store.local_copy("a/b") as copy:
        assert copy.read_bytes() == b"data"

    assert store.read("a/b") == b"data"


def test_of_twenty_creators_exactly_one_wins(store: ObjectStore) -> None:
    together = Barrier(CREATORS)

    def create(number: int) -> bool:
        together.wait(timeout=30)
        try:
            store.create("claims/one", str(number).encode())
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(CREATORS) as pool:
        won = list(pool.map(create, range(CREATORS)))

    assert won.count(True) == 1
    assert store.read("claims/one") == str(won.index(True)).encode()


def test_a_key_is_free_again_once_deleted(store: ObjectStore) -> None:
    store.create("a", b"1")
    store.delete("a")
    store.create("a", b"2")

    assert store.read("a") == b"2"


def test_deleting_what_is_not_there_is_no_error(store: ObjectStore) -> None:
    store.put("a/b", b"")

    store.delete("nothing/here")
    store.delete("a")
    store.delete("a/b/c")

    assert store.read("a/b") == b""


@pytest.mark.parametrize("key", ["nothing", "a", "a/b/c", "x/y/z"])
def test_a_missing_object_is_told_by_its_address(store: ObjectStore, key: str) -> None:
    store.put("a/b", b"")

    with pytest.raises(NotFoundError, match=key) as read:
        store.read(key)
    with pytest.raises(NotFoundError, match=key) as copied, store.local_copy(key):
        pass

    assert {read.value.code, copied.value.code} == {"object_missing"}


def test_listing_yields_all_keys_below_a_prefix_in_order(store: ObjectStore) -> None:
    keys = ["s/10", "s/9", "s/sub/a", "s/sub.txt", "s/sub-b", "s/Zeichen ü", "s/प्रश्न", "s2/x", "t"]
    for key in keys:
        store.put(key, b"x")

    assert list(store.list("s")) == sorted(key for key in keys if key.startswith("s/"))
    assert list(store.list("")) == sorted(keys)
    assert list(store.list("none")) == []


def test_an_object_is_no_prefix(store: ObjectStore) -> None:
    store.put("a/b", b"")

    assert list(store.list("a/b")) == []


def test_appends_in_key_order_are_what_was_appended_over_two_appenders(store: ObjectStore) -> None:
    first = store.appender("journal", name="000001")
    for number in range(11):
        first.append(f"{number} ".encode())
    first.close()
    second = store.appender("journal", name="000001")
    second.append(b"end")
    second.close()

    joined = b"".join(store.read(key) for key in store.list("journal"))

    assert joined == b"0 1 2 3 4 5 6 7 8 9 10 end"


def test_an_append_can_be_read_before_the_appender_is_closed(store: ObjectStore) -> None:
    appender = store.appender("journal", name="a")
    appender.append(b"line\n")

    assert [store.read(key) for key in store.list("journal")] == [b"line\n"]

    appender.close()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../outside",
        "a/../../outside",
        "a//b",
        "a/",
        "./a",
        "a/.hidden",
        "a\\b",
        "a\nb",
        "a\0b",
        "a\x7fb",
        "a\u2028b",
        "\ud800",
        "n" * 256,
        "हि" * 50,
        "/".join(["n" * 200] * 6),
        "n" * 10_000_000,
    ],
    ids=lambda key: ascii(key)[:20],
)
def test_a_key_that_leads_elsewhere_or_that_a_file_cannot_have_is_refused(store: ObjectStore, key: str) -> None:
    doors: list[Callable[[], object]] = [
        lambda: store.put(key, b""),
        lambda: store.create(key, b""),
        lambda: store.read(key),
        lambda: store.delete(key),
        lambda: store.appender(key, name="a"),
        lambda: store.appender("a", name=key),
    ]
    for door in doors:
        with pytest.raises(UsageError) as refused:
            door()

        assert refused.value.code == "invalid_object_key"
        assert len(str(refused.value)) < 500


def test_an_address_leads_a_person_to_the_object(
    local: LocalObjectStore, s3: S3ObjectStore, s3_server: S3Server, s3_prefix: str
) -> None:
    local.put("a b/c", b"found")

    assert local.url("a b/c").startswith("file:///")
    assert local.url("a b/c").endswith("/store/a%20b/c")
    assert s3.url("a/c") == f"s3://{s3_server.bucket}/{s3_prefix}/a/c"


# The local folder


def test_files_on_their_way_are_never_listed_and_failures_leave_none(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a/b", b"old")
    (tmp_path / "store/a/.incoming-0123").write_bytes(b"left by a killed process")
    (tmp_path / "store/a/folder").mkdir()

    with pytest.raises(UsageError):
        local.put("a/folder", b"")
    with pytest.raises(UsageError):
        local.put("a/b/c", b"")
    with pytest.raises(ConflictError):
        local.create("a/b", b"new")

    assert list(local.list("a")) == ["a/b"]
    assert len(list((tmp_path / "store/a").iterdir())) == 3


def test_a_folder_that_no_key_can_name_is_not_listed(local: LocalObjectStore, tmp_path: Path) -> None:
    (tmp_path / "store/.snapshots").mkdir()
    (tmp_path / "store/.snapshots/a").touch()

    assert list(local.list("")) == []


def test_stored_files_have_the_mode_that_the_user_chose(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a", b"")
    (tmp_path / "reference").touch()

    assert (tmp_path / "store/a").stat().st_mode == (tmp_path / "reference").stat().st_mode
    assert stat.S_ISREG((tmp_path / "store/a").stat().st_mode)


def test_a_vanished_folder_is_not_an_empty_store(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a", b"")
    (tmp_path / "store").rename(tmp_path / "elsewhere")

    doors: list[Callable[[], object]] = [
        lambda: local.read("a"),
        lambda: local.list(""),
        lambda: local.put("a", b""),
        lambda: local.create("a", b""),
        lambda: local.appender("a", name="b"),
    ]
    for door in doors:
        with pytest.raises(UnavailableError, match="the folder is gone") as told:
            door()
        assert told.value.code == "store_unavailable"
    assert not (tmp_path / "store").exists()


WRITE_TOO_MUCH = """
import resource, sys
from pathlib import Path
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.storage.local import LocalObjectStore
store = LocalObjectStore(Path(sys.argv[1]))
appender = store.appender("journal", name="a")
appender.append(b"kept\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for write in (lambda: store.put("a", bytes(200_000)), lambda: store.create("b", bytes(200_000)),
              lambda: appender.append(bytes(200_000))):
    try:
        write()
    except UnavailableError as error:
        print(error.code, "|", error.message, "|", error.hint)
"""


def test_a_file_that_cannot_be_written_whole_is_not_written_at_all(local: LocalObjectStore, tmp_path: Path) -> None:
    local.put("a", b"old")

    told = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()

    assert len(told) == 3
    for line, name in zip(told, ("a", "b", "journal/a"), strict=True):
        assert line.startswith(
            f"store_unavailable | the store does not work at {tmp_path}/store/{name}: file too large"
        )
        assert "free space there" in line
    assert local.read("a") == b"old"
    assert local.read("journal/a") == b"kept\n"
    assert sorted(path.name for path in (tmp_path / "store").rglob("*")) == ["a", "a", "journal"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_under_an_appender_is_told_with_place_and_remedy(local: LocalObjectStore, tmp_path: Path) -> None:
    (tmp_path / "store/journal").mkdir()
    (tmp_path / "store/journal/full").symlink_to("/dev/full")
    appender = local.appender("journal", name="full")

    with pytest.raises(UnavailableError, match="no space left on device") as told:
        appender.append(b"line\n")

    assert told.value.code == "store_unavailable"
    assert "journal/full" in told.value.message
    assert "free space" in told.value.hint
    with pytest.raises(UnavailableError):
        appender.close()


@pytest.mark.parametrize(
    ("number", "code", "reason", "remedy"),
    [
        (errno.ENOSPC, "store_unavailable", "no space left on device", "free space"),
        (errno.EDQUOT, "store_unavailable", "disk quota exceeded", "free space"),
        (errno.EROFS, "store_unavailable", "read-only file system", "let this user"),
        (errno.EACCES, "store_unavailable", "permission denied", "let this user"),
        (errno.EIO, "store_unavailable", "input/output error", "check the disk"),
        (errno.ENAMETOOLONG, "invalid_object_key", "file name too long", "use '/'-joined names"),
    ],
)
def test_what_the_operating_system_refuses_is_told_with_reason_and_remedy(
    number: int, code: str, reason: str, remedy: str
) -> None:
    error = explain_os_error(OSError(number, "whatever"), path=Path("/store/part"))

    assert error.code == code
    assert reason in error.message
    assert remedy in error.hint


APPEND_FOR_EVER = """
import sys
from pathlib import Path
from eval_pipeline.storage.local import LocalObjectStore
appender = LocalObjectStore(Path(sys.argv[1])).appender("journal", name="a")
number = 0
while True:
    appender.append(b"%d %s\\n" % (number, b"x" * 5000))
    print(number, flush=True)
    number += 1
"""


def test_a_writer_killed_in_the_middle_loses_no_append_that_returned(local: LocalObjectStore, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", APPEND_FOR_EVER, str(tmp_path / "store")], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 500:
                writer.kill()
                break
        acknowledged = [500, *(int(line) for line in writer.stdout if line.endswith(b"\n"))]

    lines = local.read("journal/a").split(b"\n")

    assert [int(line.split()[0]) for line in lines[: acknowledged[-1] + 1]] == list(range(acknowledged[-1] + 1))
    assert all(len(line.split()[1]) == 5000 for line in lines[: acknowledged[-1] + 1])


def test_a_closed_appender_says_so(local: LocalObjectStore) -> None:
    appender = local.appender("journal", name="a")
    appender.close()
    appender.close()

    with pytest.raises(ValueError, match="is closed"):
        appender.append(b"")


# S3


def _told(action: Callable[[], object]) -> EvalPipelineError:
    with pytest.raises(UnavailableError) as told:
        action()
    assert told.value.code == "store_unavailable"
    return told.value


def _all_doors(store: ObjectStore, file: Path) -> Iterator[Callable[[], object]]:
    yield lambda: store.read("a")
    yield lambda: store.put("a", b"")
    yield lambda: store.put_file("a", file)
    yield lambda: store.create("a", b"")
    yield lambda: list(store.list("a"))
    yield lambda: store.delete("a")
    yield lambda: store.appender("a", name="b")
    yield partial(_enter, store)


def _enter(store: ObjectStore) -> None:
    with store.local_copy("a"):
        pass


def test_an_unreachable_s3_is_told_with_its_address_not_as_missing(s3_server: S3Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://user:hidden@127.0.0.1:{closed.getsockname()[1]}"
        store = S3ObjectStore(s3_server.client(endpoint_url=url), bucket="b", prefix="p")

        for door in _all_doors(store, tmp_path / "file"):
            error = _told(door)
            assert "s3://b/p/a" in error.message
            assert "AWS_ENDPOINT_URL_S3" in error.hint
            assert "hidden" not in str(error)


def test_a_wrong_bucket_is_told_as_such_not_as_missing(s3_server: S3Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    store = S3ObjectStore(s3_server.client(), bucket="no-such-bucket", prefix="p")

    for door in _all_doors(store, tmp_path / "file"):
        error = _told(door)
        assert "NoSuchBucket" in error.message
        assert "create the bucket" in error.hint


@pytest.mark.parametrize("wrong", ["aws_access_key_id", "aws_secret_access_key"])
def test_refused_access_is_told_without_the_key(s3_server: S3Server, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    client = s3_server.client(**{wrong: "AKIAWRONGWRONGWRONG"})
    store = S3ObjectStore(client, bucket=s3_server.bucket, prefix="p")

    for door in _all_doors(store, tmp_path / "file"):
        error = _told(door)
        assert "AWS_ACCESS_KEY_ID" in error.hint
        assert "WRONGWRONG" not in str(error)


def test_a_second_appender_of_the_same_name_is_stopped_instead_of_overwriting(s3: S3ObjectStore) -> None:
    ours, theirs = s3.appender("journal", name="a"), s3.appender("journal", name="a")
    ours.append(b"ours\n")

    with pytest.raises(ConflictError):
        theirs.append(b"theirs\n")

    assert [s3.read(key) for key in s3.list("journal")] == [b"ours\n"]


def test_an_appender_goes_on_behind_the_last_object_that_is_left(s3: S3ObjectStore) -> None:
    first = s3.appender("journal", name="a")
    for data in (b"0", b"1", b"2"):
        first.append(data)
    s3.delete("journal/a.00000000")

    s3.appender("journal", name="a").append(b"3")

    assert [s3.read(key) for key in s3.list("journal")] == [b"1", b"2", b"3"]


def test_a_listing_has_no_end_at_a_thousand_keys(s3: S3ObjectStore) -> None:
    keys = [f"many/{number:05d}" for number in range(1_050)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: s3.put(key, b""), keys))

    assert list(s3.list("many")) == keys


@dataclass
class LosesFirstAnswer:
    """A client whose first request arrives while its answer is lost, and is sent again, as botocore's retries do."""

    client: Any
    refusals: list[str]

    def put_object(self, **request: object) -> object:
        if self.refusals:
            raise ClientError({"Error": {"Code": self.refusals.pop()}}, "PutObject")
        self.client.put_object(**request)
        return self.client.put_object(**request)

    def head_object(self, **request: object) -> object:
        return self.client.head_object(**request)


def test_a_creator_whose_answer_was_lost_knows_that_it_won(s3_server: S3Server, s3_prefix: str) -> None:
    flaky: Any = LosesFirstAnswer(s3_server.client(), refusals=["ConditionalRequestConflict"])
    store = S3ObjectStore(flaky, bucket=s3_server.bucket, prefix=s3_prefix)

    store.create("a", b"ours")

    with pytest.raises(ConflictError):
        S3ObjectStore(s3_server.client(), bucket=s3_server.bucket, prefix=s3_prefix).create("a", b"theirs")
