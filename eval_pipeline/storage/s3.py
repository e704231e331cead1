"""Objects in an S3 bucket, or in anything that speaks its protocol; the client is built elsewhere and handed in."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from botocore.exceptions import ClientError

from eval_pipeline.storage.objects import (
    checked_key,
    object_exists,
    os_errors_explained,
    temporary_folder,
)
from eval_pipeline.storage.s3_errors import error_code, s3_errors_explained

_CHUNK_BYTES = 1 << 20
_UPLOAD_THREADS = 4  # of 8 MB each: bounds what an upload holds in memory
_CREATE_ATTEMPTS = 5
_TAKEN_CODES = frozenset({"PreconditionFailed", "412"})
_CHECK_BUCKET = "create the bucket or correct EVAL_PIPELINE_STORE"


class S3Client(Protocol):
    """What is used of boto3's S3 client, which is safe to share between threads."""

    @property
    def put_object(self) -> Callable[..., Any]:
        """PutObject."""
        ...

    @property
    def get_object(self) -> Callable[..., Any]:
        """GetObject."""
        ...

    @property
    def head_object(self) -> Callable[..., Any]:
        """HeadObject."""
        ...

    @property
    def delete_object(self) -> Callable[..., Any]:
        """DeleteObject."""
        ...

    @property
    def upload_file(self) -> Callable[..., Any]:
        """PutObject, or a multipart upload when the file is large."""
        ...

    @property
    def meta(self) -> Any:  # noqa: ANN401 - boto3's own
        """Region, endpoint and configuration."""
        ...

    @property
    def get_paginator(self) -> Callable[..., Any]:
        """Listings of any length."""
        ...


class S3ObjectStore:
    """An ``ObjectStore`` below one prefix of one bucket."""

    def __init__(self, client: S3Client, *, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = checked_key(prefix) + "/" if prefix else ""

    def put(self, key: str, data: bytes) -> None:
        """Store or replace; S3 shows the old bytes or the new ones, never a mixture."""
        with self._explained(key):
            self._client.put_object(**self._address(key), Body=data)

    def put_file(self, key: str, path: Path) -> None:
        """Store or replace from a file, in several parts when it is large."""
        from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415 - boto3 costs 0.3 s; stage files come late
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - the same

        place = self._address(key)
        config = TransferConfig(max_concurrency=_UPLOAD_THREADS)
        with self._explained(key):
            try:
                self._client.upload_file(str(path), place["Bucket"], place["Key"], Config=config)
            except S3UploadFailedError as error:  # hides the service's own words
                raise error.__context__ or error from error

    def create(self, key: str, data: bytes) -> None:
        """Store only if the key is free, else raise ``object_exists``.

        The mark tells our own object from another creator's when the client repeated a request whose answer was lost.
        """
        mark = uuid4().hex
        with self._explained(key):
            if not self._put_if_free(key, data, mark=mark) and self._mark(key) != mark:
                raise object_exists(self.url(key))

    def _put_if_free(self, key: str, data: bytes, *, mark: str, attempts: int = _CREATE_ATTEMPTS) -> bool:
        try:
            self._client.put_object(**self._address(key), Body=data, IfNoneMatch="*", Metadata={"mark": mark})
        except ClientError as error:
            if (
                error_code(error) == "ConditionalRequestConflict" and attempts > 1
            ):  # two at once: AWS asks to send it again
                return self._put_if_free(key, data, mark=mark, attempts=attempts - 1)
            if error_code(error) not in _TAKEN_CODES:
                raise
            return False
        return True

    def _mark(self, key: str) -> str | None:
        mark: str | None = self._client.head_object(**self._address(key))["Metadata"].get("mark")
        return mark

    def read(self, key: str) -> bytes:
        """Return all bytes."""
        with self._explained(key):
            data: bytes = self._client.get_object(**self._address(key))["Body"].read()
        return data

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Give a temporary download."""
        with temporary_folder() as folder:
            path = folder / "object"
            self._download(key, path)
            yield path

    def _download(self, key: str, path: Path) -> None:
        with os_errors_explained(path), path.open("wb") as file, self._explained(key):
            body = self._client.get_object(**self._address(key))["Body"]
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                file.write(chunk)

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys below ``prefix/`` in order; sorted here, because not every service sorts by whole keys."""
        below = self._prefix + (f"{checked_key(prefix)}/" if prefix else "")
        with self._explained(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=below)
            found = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return iter(sorted(key.removeprefix(self._prefix) for key in found if not key.endswith("/")))

    def folders(self, prefix: str) -> Sequence[str]:
        """Return the names that stand right below ``prefix/`` with keys below them, in order, without listing those."""
        below = self._prefix + checked_key(prefix) + "/"
        with self._explained(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=below, Delimiter="/"
            )
            found = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]
        return sorted(key.removeprefix(below).rstrip("/") for key in found)

    def delete(self, key: str) -> None:
        """Remove; a missing key is no error."""
        with self._explained(key):
            self._client.delete_object(**self._address(key))

    def appender(self, prefix: str, *, name: str) -> "S3Appender":
        """Append objects ``{prefix}/{name}.{number}``."""
        return S3Appender(self, checked_key(f"{prefix}/{name}"))

    def url(self, key: str) -> str:
        """Where a person finds the object."""
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def signed_url(self, key: str, *, expires_s: int) -> str:
        """Return an address with a signature of version 4: older ones are not taken everywhere, and bind less."""
        with self._explained(key):
            url: str = self._signer.generate_presigned_url(
                "get_object", Params=self._address(key), ExpiresIn=expires_s, HttpMethod="GET"
            )
        return url

    @cached_property
    def _signer(self) -> Any:  # noqa: ANN401 - boto3's client
        """The same client, but for its way to sign; keys are found where boto3 always finds them."""
        import boto3  # noqa: PLC0415 - only where addresses are signed
        from botocore.config import Config  # noqa: PLC0415 - the same

        meta = self._client.meta
        config = Config(signature_version="s3v4", s3=meta.config.s3)
        session = boto3.Session()  # the default one would remember the keys of the first client of the process
        return session.client("s3", region_name=meta.region_name, endpoint_url=meta.endpoint_url, config=config)

    def _address(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + checked_key(key)}

    def _explained(self, key: str) -> AbstractContextManager[None]:
        return s3_errors_explained(self.url(key), check_bucket=_CHECK_BUCKET)


class S3Appender:
    """Appends by storing one numbered object after the other; S3 knows no longer file."""

    def __init__(self, store: S3ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        folder, _, _ = key.rpartition("/")
        taken = [other.removeprefix(f"{key}.") for other in store.list(folder) if other.startswith(f"{key}.")]
        self._number = int(taken[-1]) + 1 if taken else 0

    def append(self, data: bytes) -> None:
        """Store ``data`` as the next object; another appender of the same name makes this one fail."""
        self._store.create(f"{self._key}.{self._number:08d}", data)
        self._number += 1

    def close(self) -> None:
        """Nothing is held open."""
