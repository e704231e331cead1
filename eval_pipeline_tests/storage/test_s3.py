import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eval_pipeline.core.errors import ConflictError, EvalPipelineError, UnavailableError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline_tests.s3 import S3Server


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
