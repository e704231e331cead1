"""Addresses that give one object to whoever has them, for a while: only a store in S3 has any."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from eval_pipeline.core.errors import EvalPipelineError, UsageError
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline_tests.s3 import S3Server

KEY = "datasets/clips/हिन्दी & 1+1.wav"
FORBIDDEN = 403


@pytest.fixture
def signing(s3_server: S3Server, s3: S3ObjectStore) -> Iterator[S3ObjectStore]:
    """A store with one object, and its keys where boto3 finds them."""
    s3.put(KEY, b"sound")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in s3_server.environment().items():
            environment.setenv(name, value)
        yield s3


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as reply:
        content: bytes = reply.read()
    return content


def refused(url: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(url)
    with caught.value as answer:
        return answer.code


def test_whoever_has_the_address_gets_the_bytes_without_a_key(signing: S3ObjectStore) -> None:
    assert fetch(signing.signed_url(KEY, expires_s=60)) == b"sound"


def test_the_signature_is_of_version_4_and_expires_when_it_was_asked_to(signing: S3ObjectStore) -> None:
    query = parse_qs(urlsplit(signing.signed_url(KEY, expires_s=172_800)).query)

    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["172800"]


def test_an_address_is_of_one_object_one_verb_and_one_time(signing: S3ObjectStore) -> None:
    signing.put("other", b"secret")
    url = signing.signed_url(KEY, expires_s=60)
    name = urlsplit(url).path.rpartition("/")[2]

    assert refused(url.replace(f"/datasets/clips/{name}", "/other")) == FORBIDDEN
    assert refused(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600000")) == FORBIDDEN
    assert refused(url.partition("&X-Amz-Signature")[0]) in {400, FORBIDDEN}
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(url, data=b"mine", method="PUT"), timeout=20)
    assert signing.read(KEY) == b"sound"


def test_an_address_can_be_made_of_what_is_not_there_yet(signing: S3ObjectStore) -> None:
    assert refused(signing.signed_url("nothing", expires_s=60)) in {404, FORBIDDEN}


def test_without_keys_nothing_is_signed_and_that_is_told(s3: S3ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(EvalPipelineError) as caught:
        s3.signed_url(KEY, expires_s=60)

    assert caught.value.code == "store_unavailable"
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_folder_has_no_address_for_anyone_else(local: LocalObjectStore) -> None:
    with pytest.raises(UsageError) as caught:
        local.signed_url("clip", expires_s=60)

    assert caught.value.code == "no_signed_urls"
    assert "files_api" in caught.value.hint
