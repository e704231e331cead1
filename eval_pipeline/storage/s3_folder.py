"""Reads what lies below a prefix of any bucket: other people's objects, under any key that S3 takes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager

from eval_pipeline.storage.s3 import S3Client
from eval_pipeline.storage.s3_errors import s3_errors_explained

_CHUNK_BYTES = 1 << 20
_CHECK_BUCKET = "correct the name of the bucket"


class S3Folder:
    """Objects below ``s3://bucket/prefix``, whose names begin behind it; nothing is ever written.

    Args:
        client: boto3's.
        bucket: whose objects.
        prefix: what their keys begin with; empty, or with a slash at its end.
    """

    def __init__(self, client: S3Client, *, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def url(self, name: str) -> str:
        """Where a person finds the object."""
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def names(self) -> list[str]:
        """Return the names of all objects, sorted."""
        with self._explained(""):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return sorted(key.removeprefix(self._prefix) for key in keys if not key.endswith("/"))

    @contextmanager
    def opened(self, name: str) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Give the size of an object, in bytes, and its bytes in chunks."""
        with self._explained(name):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        with closing(answer["Body"]) as body:
            yield answer["ContentLength"], self._chunks(name, body.iter_chunks(_CHUNK_BYTES))

    def _chunks(self, name: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
        with self._explained(name):
            yield from chunks

    def _explained(self, name: str) -> AbstractContextManager[None]:
        return s3_errors_explained(self.url(name), check_bucket=_CHECK_BUCKET)
