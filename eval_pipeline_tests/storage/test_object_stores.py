"""The contract of an object store, kept by the local folder and by a real S3 server alike."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from eval_pipeline.core.errors import ConflictError, NotFoundError, UsageError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline_tests.s3 import S3Server

CREATORS = 20


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


def test_folders_are_the_names_below_which_there_are_keys(store: ObjectStore) -> None:
    for key in ("stage/000010/a/b", "stage/000002/a", "stage/manifest.json", "stages/other/a"):
        store.put(key, b"")

    assert list(store.folders("stage")) == ["000002", "000010"]
    assert list(store.folders("stage/000002")) == []
    assert list(store.folders("nothing/here")) == []


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
    doors = [
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
